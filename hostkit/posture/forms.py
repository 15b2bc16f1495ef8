"""What looks like a secret in a line of text: for places too many or too fleeting for the scan.

Every form is bounded, so that a line of a megabyte costs what it is long; none tells the value that it found.
"""

import itertools
import re

_NAME = (
    r"(?:pass(?:word|wd|phrase)|sshpass|(?<=[_-])(?:token|pwd)|(?<![a-z])(?:pass|secret(?:[_-]?key)?|"
    r"api[_-]?(?:key|token)|access[_-]?(?:key|token)|auth[_-]?token|client[_-]?secret|private[_-]?key|bot[_-]?token))"
)
"""How names of secrets end: PGPASSWORD and MYSQL_PWD are some, the `pass` of `bypass` and the shell's PWD are none."""
# What comes behind a name is none where it is a reference, a variable, a template, a path or a mask.
_VALUE = r"(?!env:|file:|%d/|/)([^\s\"'#{}<>$*,;]{8,200})"
_FORMS = (
    ("a Slack token", re.compile(r"(xox[abeoprs]-[0-9A-Za-z-]{8,200})")),
    ("an Anthropic key", re.compile(r"(sk-ant-[0-9A-Za-z_-]{8,200})")),
    ("an OpenAI key", re.compile(r"(sk-(?:proj-)?[0-9A-Za-z]{20,200})")),
    ("a GitHub token", re.compile(r"(gh[opsur]_[0-9A-Za-z]{20,200}|github_pat_[0-9A-Za-z_]{20,200})")),
    ("an AWS key id", re.compile(r"(A(?:KI|SI)A[0-9A-Z]{16})")),
    ("a Google key", re.compile(r"(AIza[0-9A-Za-z_-]{35})")),
    ("a Databricks token", re.compile(r"(dapi[0-9a-f]{32})")),
    ("a credential set in the open", re.compile(r"^\s{0,8}SetCredential=[^:\s]{1,100}:(\S{4,200})")),
    ("a private key", re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)")),
    ("a password", re.compile(rf"(?i){_NAME}[\"']?\s{{0,20}}[:=]\s{{0,20}}[\"']?{_VALUE}")),
    ("a bearer token", re.compile(r"(?i)\bbearer\s{1,5}([0-9a-z._~+/-]{16,200})")),
    ("a URL with a password", re.compile(r"://[^\s/:@]{1,100}:([^\s/@{}<>$*]{4,200})@")),
)
_LEAST_LETTERS = 4
"""Different characters; a mask (xxxxxxxx) or a ruler of dashes has fewer."""

_SHORTEST, _FEWEST = 24, 8
"""Characters of a value, and different ones among them: 24 of random hexadecimal digits are 96 bits."""
_PLACEHOLDERS = ("changeme", "change-me", "change_me", "placeholder", "example", "replace", "dummy", "your-")


def kinds(text: str) -> list[str]:
    """Return the kinds of secrets that a text looks to hold, each once; never what they are."""
    return [kind for kind, form in _FORMS if any(_is_real(match[1]) for match in form.finditer(text))]


def _is_real(value: str) -> bool:
    return len(set(value)) >= _LEAST_LETTERS


def in_words(words: tuple[str, ...]) -> list[str]:
    """Return the kinds in a command line, a flag with the word behind it taken together."""
    pairs = [f"{flag}={value}" for flag, value in itertools.pairwise(words) if _is_flag(flag, value)]
    return kinds("\n".join([*words, *pairs]))


def _is_flag(flag: str, value: str) -> bool:
    return flag.startswith("--") and "=" not in flag and len(flag) < 60 and not value.startswith("-")


def weakness(value: str) -> str:
    """Return what makes a secret guessable, empty if nothing is seen; never the secret."""
    if any(word in value.lower()[:200] for word in _PLACEHOLDERS) and len(value) < 64:
        return "is a placeholder"
    if len(value) < _SHORTEST:
        return f"has fewer than {_SHORTEST} characters"
    if len(set(value)) < _FEWEST or _repeats(value):
        return "repeats itself"
    return ""


def _repeats(value: str) -> bool:
    """Return whether a value is a piece of up to 8 characters, again and again."""
    return any(value == "".join(itertools.islice(itertools.cycle(value[:size]), len(value))) for size in range(1, 9))
