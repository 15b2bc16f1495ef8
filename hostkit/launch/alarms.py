"""What gateways put on record that somebody should look at, told to each client that it is about.

A placeholder that turns up at another client's gateway is an alarm for both: one agent has what the other holds.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from hostkit.engine import side_by_side
from hostkit.errors import HostkitError
from hostkit.gateway.marks import mark
from hostkit.launch.reading import safe
from hostkit.launch.session import Session

SHOWN = 30 * 86400.0
"""Seconds that an alarm is told of; its record stays."""
_LIMIT = 16 * 1024 * 1024
"""Octets of each gateway's records that are read, the last ones."""
_UNREAD = "its gateway's records cannot be read, so what is in them is not told"
_OTHER = "other-client"
_MEANS = {
    "foreign-credential": "a key was used that is not this client's placeholder",
    "stale-placeholder": "a placeholder of an earlier launch, or of another service, was used",
    "wrong-account": "the key is of another account than the policy names",
    "answer-pin": "another account answered than the policy names",
    "odd-requests": "many different odd words in addresses, as when data is carried out in small pieces",
}
_WHOSE = re.compile(r"hk[0-9a-f]{8}")
_WORDS = tuple(f'"{word}"'.encode() for word in ("alarm", _OTHER, *_MEANS))


@dataclass(frozen=True)
class Seen:
    """One record that is an alarm: its rule, when, and whose placeholder it was by its mark, empty for no other's."""

    rule: str
    at: float
    marked: str = ""


def gathered(session: Session, clients: Iterable[str], now: float) -> dict[str, tuple[str, ...]]:
    """Return a line for each kind of alarm of each client, from the records of all their gateways."""
    names = tuple(clients)
    read = side_by_side(*(partial(_records, session, name) for name in names)) if names else []
    records = {name: data for name, data in zip(names, read, strict=True) if data is not None}
    told = alarms(records, {*names, *session.state.launched()}, now)
    unread = {name: (*told.get(name, ()), _UNREAD) for name in names if name not in records}
    return {**told, **unread}


def _records(session: Session, client: str) -> bytes | None:
    try:
        return session.engine.fetch(f"hostkit-{client}-gateway", "/records/requests.jsonl", _LIMIT)
    except HostkitError:
        return None


def alarms(records: Mapping[str, bytes], clients: Iterable[str], now: float) -> dict[str, tuple[str, ...]]:
    """Return for each client what its own gateway's records, and those of others, say of it: how often, and when last.

    `records` are by client, `clients` all whose placeholders are known by their mark.
    """
    owners = {mark(name): name for name in clients}
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for client, data in records.items():
        for one in seen(data, now - SHOWN):
            for whose, words in _told(client, one, owners.get(one.marked, "")):
                times[whose, words].append(min(one.at, now))
    found: dict[str, tuple[str, ...]] = {}
    for (whose, words), at in sorted(times.items(), key=lambda entry: -max(entry[1])):
        found[whose] = (*found.get(whose, ()), f"{words} ({_often(len(at))}, last {_time(max(at))})")
    return found


def seen(data: bytes, since: float) -> Iterator[Seen]:
    """Yield what in one gateway's records is an alarm; what is no record is passed over."""
    for line in data.splitlines():
        if not any(word in line for word in _WORDS):
            continue
        with suppress(ValueError, AttributeError, TypeError):
            record = json.loads(line)
            rule, at = str(record.get("rule")), float(record.get("at"))
            refused = record.get("event") in {"denied", "outcome"} and rule in {_OTHER, *_MEANS}
            if at >= since and (refused or record.get("event") == "alarm"):
                whose = _WHOSE.search(str(record.get("reason"))) if rule == _OTHER else None
                yield Seen(rule, at, whose[0] if whose else "")


def _told(client: str, one: Seen, owner: str) -> Iterator[tuple[str, str]]:
    """Yield (client, words) for each client that an alarm at a client's gateway is about."""
    if one.rule != _OTHER:
        yield client, f"{safe(one.rule)}: {_MEANS.get(one.rule, 'see its records')}"
        return
    yield client, f"{_OTHER}: the placeholder of {owner or 'a client not known here'} was used in this sandbox"
    if owner and owner != client:
        yield owner, f"{_OTHER}: this client's placeholder was used in the sandbox of {client}"


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
