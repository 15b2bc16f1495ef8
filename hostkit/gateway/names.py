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
    """Return the name in lower case, IDNA-encoded, without one trailing dot; raise BadName for anything else.

    Refused: control characters, spaces, percent, brackets, @, backslash, slash, empty labels, over 253 octets, and
    addresses in any spelling that a resolver or a C library would take for one (decimal, hex, octal, short forms).
    """
    name = _ascii(text).lower().removesuffix(".")
    if _is_address(name):
        raise BadName("ip-literal", f"{text[:200]!a} is an address, a name is wanted")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadName("bad-name", f"{text[:200]!a} is not a host name")
    return name


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadName("bad-name", f"{text[:200]!a} is not a name that IDNA can write") from None


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
