"""The five trust levels in their order, and the methods that each may list for a service of its own."""

from typing import Literal, get_args

TrustLevel = Literal["observer", "analyst", "operator", "contributor", "deployer"]
ORDER: tuple[TrustLevel, ...] = get_args(TrustLevel)
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_METHODS: dict[TrustLevel, frozenset[str]] = {
    "observer": frozenset({"GET", "HEAD"}),
    "analyst": frozenset({"GET", "HEAD", "POST"}),
}


def reaches(level: TrustLevel, lowest: TrustLevel) -> bool:
    """Return whether a level has what `lowest` and every level above it have."""
    return ORDER.index(level) >= ORDER.index(lowest)


def methods_of(level: TrustLevel) -> frozenset[str]:
    """Return the methods that a client of this level may list for a generic service."""
    return _METHODS.get(level, frozenset(get_args(Method)))
