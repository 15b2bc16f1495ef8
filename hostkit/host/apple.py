"""What a Mac's own tools answer, heard so that only words known from a recording or a manual count.

They answer on either stream and with any exit code, and their words change with the release. Whatever is not known is
no answer: an empty output, "requires root", another language, a refusal on a managed Mac. Each tool is called by its
whole path: /usr/local/bin belongs to whoever installed Homebrew.
"""

import re

from hostkit.errors import CannotTell
from hostkit.host.model import Host

MOST = 1024 * 1024
"""Characters of a tool's answer beyond which it is not read."""
TABLE = 16 * 1024 * 1024
"""The same for a tool that lists: netstat has some 220 bytes for each of 20,000 sockets."""
DSCL = "/usr/bin/dscl"
DEFAULTS = "/usr/bin/defaults"
LAUNCHCTL = "/bin/launchctl"
_NAME = r"[A-Za-z0-9_][\w.-]*"
_FORMS = {"UniqueID": r"-?\d+", "UserShell": r"/\S*", "NFSHomeDirectory": r"/\S.*|/"}
_PEOPLE = range(501, 2**31)
_MANY = 20


def brief(text: str) -> str:
    """Return the start of what a tool said, on one line, for people."""
    shown = "".join(c if c.isprintable() else " " for c in text[:400])
    return " ".join(shown.split())[:80] or "nothing"


def known(what: str, text: str, pattern: str) -> re.Match[str]:
    """Return what a tool said in this form, ^ and $ a line's; raise CannotTell if it did not, or said two things."""
    found = list(re.finditer(pattern, text, re.MULTILINE)) if len(text) <= MOST else []
    if len({match.groups() for match in found}) != 1:
        raise CannotTell(f"{what} said nothing that is known: {brief(text)}")
    return found[0]


def pairs(what: str, text: str, form: str) -> dict[str, str]:
    """Return each name that a tool gave a value in this form; raise CannotTell if it gave one of them two."""
    found = set(re.findall(form, text[:MOST], re.MULTILINE))
    if len({name for name, _ in found}) != len(found):
        raise CannotTell(f"{what} said two things: {brief(text)}")
    return dict(found)


def printed(host: Host, *command: str) -> str:
    """Return what a tool printed; raise CannotTell, in words safe to show, if it failed or printed too much."""
    said = host.ask(*command)
    if said.code != 0 or len(said.out) > TABLE:
        raise CannotTell(f"{command[0].rpartition('/')[2]} failed: {brief(said.err or said.out)}")
    return said.out


def records(host: Host, key: str) -> dict[str, str]:
    """Return each account of the directory with what it says under a key.

    Raise CannotTell for a name that could be an option, and for a value that is not of the key's form.
    """
    said = printed(host, DSCL, ".", "-list", "/Users", key)
    if len(said) > MOST:
        raise CannotTell("dscl lists more accounts than can be read")
    lines = said.splitlines()
    if key != "UniqueID":  # every account has a number, and not each a home and a shell: then its name stands alone
        lines = [line for line in lines if not re.fullmatch(rf"{_NAME}\s*", line)]
    rows = [(line, re.fullmatch(rf"({_NAME})\s+({_FORMS[key]})\s*", line)) for line in lines]
    odd = [line for line, row in rows if row is None]
    if odd or not rows:
        raise CannotTell(f"dscl lists an account in a form that is not known: {brief(''.join(odd[:1]))}")
    return {row[1]: row[2] for _, row in rows if row}


def persons(host: Host) -> tuple[str, ...]:
    """Return the name of each person's account; raise CannotTell if there is none, or more than can be asked."""
    told = records(host, "UniqueID")
    names = sorted(name for name, uid in told.items() if int(uid) in _PEOPLE)
    if not 0 < len(names) <= _MANY:
        raise CannotTell(f"dscl lists {len(names)} accounts of persons")
    return tuple(names)


def job(host: Host, label: str) -> str:
    """Return what launchd knows of a service, empty if it is seen to have none of that name."""
    said = host.ask(LAUNCHCTL, "print", f"system/{label}")
    if said.code == 0 and said.out.startswith(f"system/{label} = {{"):
        return said.out[:MOST]
    if said.code == 113 and f'Could not find service "{label}" in domain for system' in said.both:
        return ""
    raise CannotTell(f"launchctl said nothing that is known of {label}: {brief(said.both)}")
