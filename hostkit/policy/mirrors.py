"""Where apt fetches from, as its sources say, and whether the policy lets it."""

import re
from collections.abc import Iterable

from hostkit.gateway.names import matches
from hostkit.policy.egress import Egress

_ADDRESS = re.compile(r"(https?)://(?:[^\s/@\]]*@)?([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


def mirrors(sources: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return each (name, port) that these sources files fetch from, by name; comments and switched-off parts do not."""
    found: set[tuple[str, int]] = set()
    for part in (part for text in sources for part in re.split(r"\n\s*\n", text)):
        lines = [re.sub(r"(^|\s)#.*", "", line) for line in part.splitlines()]
        if not any(re.fullmatch(r"Enabled:\s*no\s*", line, re.IGNORECASE) for line in lines):
            found |= {_place(*match) for line in lines for match in _ADDRESS.findall(line)}
    return tuple(sorted(found))


def _place(scheme: str, name: str, port: str) -> tuple[str, int]:
    return name.lower().removesuffix("."), int(port or {"http": 80, "https": 443}[scheme])


def unlisted(sources: Iterable[str], egress: Iterable[Egress]) -> tuple[str, ...]:
    """Return `name:port` of each mirror that no way out of the host lists: behind the fence apt cannot reach it."""
    ways = [way for way in egress if way.raw is None]
    return tuple(
        f"{name}:{port}"
        for name, port in mirrors(sources)
        if not any(port in way.ports and matches(way.name, name) for way in ways)
    )
