"""What stood here before bootstrap, and what each run made of it: pure. From it --undo is planned.

A run is opened before its first change and closed after its last. What was found at a thing's first run is never
replaced; what was found at the start of the latest run tells, at its end, whether that run changed it.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hostkit.bootstrap.touched import Touch
from hostkit.errors import HostkitError

VERSION = 1
State = Mapping[str, Any]
"""A thing as it was found; `kind` of a file is absent, file, link, directory, big or other."""
Key = tuple[str, str]
ABSENT: State = {"kind": "absent"}


@dataclass(frozen=True)
class Thing:
    """One thing: as it `was` before hostkit, `before` the latest run, and as hostkit last left it (`wrote`).

    Not `sure`: a run was killed, or somebody else changed it between two runs, so what is there may not be hostkit's.
    """

    play: str
    kind: str
    name: str
    was: State
    before: State
    wrote: State | None = None
    sure: bool = True

    @property
    def key(self) -> Key:
        """Return what tells it from every other thing."""
        return self.kind, self.name

    @property
    def changed(self) -> bool:
        """Return whether hostkit changed it, or may have."""
        return self.wrote is not None or not self.sure


@dataclass(frozen=True)
class Record:
    """All things on record; `running` while a run is under way, and for ever after one that was killed.

    `plays` holds, for each play that ran to its end, the stamp of the hostkit that ran it last.
    """

    things: tuple[Thing, ...] = ()
    running: bool = False
    plays: Mapping[str, str] = field(default_factory=dict)


def opened(record: Record, found: Iterable[Touch], now: Mapping[Key, State]) -> Record:
    """Return the record as a run starts: everything that it may touch is on it."""
    things = [_opened(thing, now[thing.key], killed=record.running) for thing in record.things]
    known = {thing.key for thing in record.things}
    fresh = [touch for touch in found if (touch.kind, touch.name) not in known]
    states = [now[touch.kind, touch.name] for touch in fresh]
    news = [Thing(t.play, t.kind, t.name, state, state) for t, state in zip(fresh, states, strict=True)]
    return dataclasses.replace(record, things=(*things, *news), running=True)


def settled(record: Record, now: Mapping[Key, State]) -> Record:
    """Return the record with what a killed run may have changed marked as not sure; it is as it was where none was."""
    return dataclasses.replace(opened(record, (), now), running=False)


def _opened(thing: Thing, now: State, *, killed: bool) -> Thing:
    changed_by_killed_run = killed and now != thing.before
    return dataclasses.replace(thing, before=now, sure=thing.sure and not changed_by_killed_run)


def closed(record: Record, found: Iterable[Touch], now: Mapping[Key, State]) -> Record:
    """Return the record as a run ends: what it made of each thing that it may have touched.

    A name in `found` that is not on record matches a pattern and came up during the run, so the run made it.
    """
    touches = tuple(found)
    keys = {(touch.kind, touch.name) for touch in touches}
    things = [_closed(thing, now[thing.key]) if thing.key in keys else thing for thing in record.things]
    known = {thing.key for thing in record.things}
    made = [t for t in touches if (t.kind, t.name) not in known and now[t.kind, t.name] != ABSENT]
    news = [Thing(t.play, t.kind, t.name, ABSENT, ABSENT, now[t.kind, t.name]) for t in made]
    return dataclasses.replace(record, things=(*things, *news), running=False)


def _closed(thing: Thing, now: State) -> Thing:
    if now == thing.before:
        return thing
    theirs = thing.before not in (thing.was, thing.wrote)
    return dataclasses.replace(thing, wrote=now, sure=thing.sure and not theirs)


def digests(record: Record) -> frozenset[str]:
    """Return the contents that the record needs: those of files as they were."""
    return frozenset(thing.was["digest"] for thing in record.things if "digest" in thing.was)


def as_json(record: Record) -> str:
    """Return the record as it is kept."""
    things = [dataclasses.asdict(thing) for thing in record.things]
    plain = {"version": VERSION, "running": record.running, "plays": dict(record.plays), "things": things}
    return json.dumps(plain, indent=1)


def parse(text: str, path: str) -> Record:
    """Return the record that was kept; raise HostkitError if it is not one that this hostkit writes."""
    try:
        plain = json.loads(text)
        version = plain["version"]
    except (ValueError, KeyError, TypeError):
        raise HostkitError(
            f"{path} is not readable as JSON", "without it nothing can be undone; keep it aside"
        ) from None
    if version != VERSION:
        raise HostkitError(f"{path} is of another version", "use the hostkit that wrote it")
    things = tuple(Thing(**thing) for thing in plain["things"])
    return Record(things, running=plain["running"], plays=plain.get("plays", {}))
