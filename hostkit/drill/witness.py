"""Reading what others saw of an attempt: pure over their lines; hostkit's runner never writes one of them."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from hostkit.drill.model import Witness
from hostkit.gateway.records import plain


def spellings(marker: str) -> tuple[str, ...]:
    """Return the marker as an attempt may have dressed it: plain, reversed, hex, base64."""
    raw = marker.encode()
    return (marker, marker[::-1], raw.hex(), base64.b64encode(raw).decode().rstrip("="))


def label(marker: str) -> str:
    """Return the label under which an attempt asks for the drill's service: it tells the record, not the collector."""
    return f"a{hashlib.sha256(marker.encode()).hexdigest()[:12]}" if marker else "control"


def collected(lines: Iterable[str], marker: str) -> bool:
    """Return whether the collector's log holds the marker in any spelling."""
    wanted = spellings(marker)
    return any(form in line for line in lines for form in wanted)


@dataclass(frozen=True)
class Attempted:
    """Whose attempt a record must be of: its marker and client, since when, and the address it came from."""

    marker: str
    client: str
    since: float
    source: str


def denied(witness: Witness, lines: Iterable[str], attempted: Attempted) -> bool:
    """Return whether the gateway's records hold this client's denial of the attempt, as often as the witness says.

    With rules declared, one of them must be the record's, and it must come from where the attempt did: the agent
    beside it can be denied as often as it likes; for `request` it must name the attempt's label too. Without, the
    record must name the marker. A lookup counts for `dns` only. A line that is not a record is nobody's witness.
    """
    records = map(plain, lines)
    return sum(_matches(witness, entry, attempted) for entry in records if entry) >= witness.times


def _matches(witness: Witness, entry: dict[str, object], attempted: Attempted) -> bool:
    at, marker = entry.get("at"), attempted.marker
    if entry.get("client") != attempted.client or not isinstance(at, int | float) or at < attempted.since:
        return False
    if witness.kind == "dns":
        return entry.get("event") == "denied" and entry.get("kind") == "dns" and marker in str(entry.get("name"))
    if entry.get("event") not in {"denied", "outcome"} or entry.get("kind") == "dns":
        return False
    if witness.kind == "request" and not str(entry.get("name")).startswith(f"{label(marker)}."):
        return False
    if witness.detail:
        return entry.get("rule") in witness.detail and entry.get("from") == attempted.source
    return entry.get("event") == "denied" and marker in str(entry.get("name"))


def counted(before: int | None, after: int | None) -> bool | None:
    """Return whether the bridge counted a packet; None where the counter cannot be read."""
    return None if before is None or after is None else after > before


def audited(witness: Witness, lines: tuple[str, ...] | None) -> bool | None:
    """Return whether the audit log's new lines hold the witness's word; None where the log cannot be read."""
    return None if lines is None else any(word in line for line in lines for word in witness.detail)
