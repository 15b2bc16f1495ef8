"""One value in two places: a leak at one would be a leak at both, and neither could be withdrawn alone."""

from collections.abc import Mapping

from hostkit.errors import HostkitError


def refuse_reuse(fingerprints: Mapping[tuple[str, str], str]) -> None:
    """Raise HostkitError, naming both, if two of these (client, secret) have one fingerprint, thus one value."""
    seen: dict[str, tuple[str, str]] = {}
    for place, fingerprint in sorted(fingerprints.items()):
        if (first := seen.setdefault(fingerprint, place)) != place:
            both = " and ".join(".".join(known) for known in (first, place))
            raise HostkitError(f"{both} have the same value", "have each client and each service issue one of its own")
