"""One canonical spelling for every name; what has none is refused."""

import ipaddress
import re

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


class BadName(ValueError):  # noqa: N818 - it is an answer
    """A name that has no canonical form; `rule` is `bad-name` or `ip-literal`."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(why)
        self.rule = rule


def canonical(text: str) -> str:
    """Return the name in lower case without one trailing dot; raise BadName for anything else.

    Refused: whatever is not ASCII, control characters, spaces, percent, brackets, @, backslash, slash, empty labels,
    over 253 octets, and addresses in any spelling that a resolver or a C library would take for one (decimal, hex,
    octal, short forms). No protocol carries other than A-labels, and the two IDNA standards read the same letters in
    two ways (sharp s, joiners, full-width dots), so an international name is listed and asked for as `xn--`.
    """
    if not text.isascii():
        raise BadName("bad-name", f"{text[:200]!a} is not ASCII; an international name is written as xn--")
    name = text.lower().removesuffix(".")
    if _is_address(name):
        raise BadName("ip-literal", f"{text[:200]!a} is an address, a name is wanted")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadName("bad-name", f"{text[:200]!a} is not a host name")
    return name


def _is_address(name: str) -> bool:
    if ":" in name:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(_NUMBER.fullmatch(name.rsplit(".", 1)[-1]))
    return True


def split_authority(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Return (canonical name, port) of `name:port`; raise BadName, also for a port that is missing or out of range."""
    if text.startswith("["):
        raise BadName("ip-literal", f"{text[:200]!a} is an address, a name is wanted")
    name, colon, port = text.rpartition(":")
    if not colon:
        name, port = text, str(default_port or "")
    elif ":" in name:
        raise BadName("ip-literal", f"{text[:200]!a} is an address, a name is wanted")
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
        raise BadName("bad-name", "no usable port")
    return canonical(name), int(port)


def matches(pattern: str, name: str) -> bool:
    """Return whether a canonical name is the listed one, or below it where the pattern is `*.suffix`.

    One `*` inside a label stands for letters, digits and dashes of it (`wss-*.example`).
    """
    if "*" not in pattern:
        return name == pattern
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and len(name) > len(pattern) - 1
    head, _, tail = pattern.partition("*")
    middle = name[len(head) : len(name) - len(tail)]
    return name.startswith(head) and name.endswith(tail) and middle.replace("-", "").isalnum()
