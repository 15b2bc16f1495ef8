"""Each probe in the real sandbox, then in a twin without its walls, then with each single wall left in."""

import dataclasses
import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from hostkit.drill import witness
from hostkit.drill.judge import Seen, judge
from hostkit.drill.model import Attempt, Control, Missing, Outcome, Probe, Trial, source_of
from hostkit.drill.walls import DANGEROUS, OPEN_GATEWAY
from hostkit.errors import HostkitError

TIMEOUT = 20.0
_SETTLE = 1.5
_SIDE_BY_SIDE = 8
Progress = Callable[[str], None]


class Runner(Protocol):
    """A place in which python3 runs."""

    def exec_python(self, source: str, arguments: tuple[str, ...], timeout: float) -> str:
        """Return stdout of `python3 - *arguments` fed with `source`, stdout and stderr of a failure included."""


@dataclass(frozen=True)
class Place:
    """A running sandbox or twin: where code runs, what it can aim at, and what others see of it.

    `targets` are the keyword values of the probes, a target left out is not there. `collected` returns the collector's
    lines, `records` the gateway's, `counter` the bridge's received packets (None: not visible), `audit` the
    audit log's lines since a time (None: not visible). `source` is its own address.
    """

    client: str
    runner: Runner = field(repr=False)
    targets: Mapping[str, str]
    collected: Callable[[], tuple[str, ...]] = field(repr=False)
    records: Callable[[], tuple[str, ...]] = field(repr=False)
    counter: Callable[[], int | None] = field(repr=False, default=lambda: None)
    audit: Callable[[float], tuple[str, ...] | None] = field(repr=False, default=lambda _: None)
    source: str = ""


class Lab(Protocol):
    """What a drill needs of an engine. `throwaway` says that the engine and its host may be endangered."""

    @property
    def throwaway(self) -> bool:
        """Return whether walls may come out that protect the host itself."""

    def sandbox(self) -> Place:
        """Return the client's real sandbox, seen from its throw-away probe container."""

    def twin(self, walls: frozenset[str]) -> Place:
        """Return a started twin with `walls` taken out, without credentials, workspace or agent code."""

    def stop(self, place: Place) -> None:
        """Take down a place that `sandbox` or `twin` returned, and all that came with it."""


def drill(
    lab: Lab,
    probes: Iterable[Probe],
    controls: Iterable[Control] = (),
    *,
    singles: bool = False,
    progress: Progress = lambda _: None,
) -> tuple[Outcome, ...]:
    """Return an outcome for every probe; with `singles` each wall is also tried as the only one left in."""
    chosen = tuple(probes)
    works, inside = _sandbox(lab, chosen, tuple(controls), progress)
    wanted = {_out(entry.walls): None for entry in chosen}
    wanted |= {out: None for entry in chosen if singles for out in _left_in(entry).values()}
    seen = {out: _twin(lab, out, _of(chosen, out, singles=singles), progress) for out in wanted}
    return tuple(_outcome(entry, inside, seen, works, singles=singles) for entry in chosen)


def _outcome(
    entry: Probe,
    inside: Mapping[str, Seen],
    seen: Mapping[frozenset[str], Mapping[str, Seen]],
    works: frozenset[str],
    *,
    singles: bool,
) -> Outcome:
    alone = {wall: seen[out][entry.id] for wall, out in _left_in(entry).items()} if singles else {}
    if len(entry.walls) == 1:
        alone = {entry.walls[0]: inside[entry.id]}
    return judge(entry, inside[entry.id], seen[_out(entry.walls)][entry.id], alone, control=entry.group in works)


def _out(walls: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(walls)
    return chosen | OPEN_GATEWAY if chosen & OPEN_GATEWAY else chosen


def _left_in(entry: Probe) -> dict[str, frozenset[str]]:
    if len(entry.walls) < 2:
        return {}
    return {wall: _out(set(entry.walls) - {wall}) for wall in entry.walls}


def _of(probes: tuple[Probe, ...], out: frozenset[str], *, singles: bool) -> tuple[Probe, ...]:
    return tuple(entry for entry in probes if _out(entry.walls) == out or (singles and out in _left_in(entry).values()))


def _sandbox(
    lab: Lab, probes: tuple[Probe, ...], controls: tuple[Control, ...], progress: Progress
) -> tuple[frozenset[str], dict[str, Seen]]:
    place = lab.sandbox()
    try:
        progress("the sandbox")
        works = frozenset(entry.group for entry in controls if _works(place, entry))
        return works, _attempts(place, probes, watched=True)
    finally:
        lab.stop(place)


def _twin(lab: Lab, out: frozenset[str], probes: tuple[Probe, ...], progress: Progress) -> dict[str, Seen]:
    if out & DANGEROUS and not lab.throwaway:
        why = "its wall comes out on a throw-away test engine only"
        return {entry.id: Missing(why) for entry in probes}
    progress("a twin without " + ", ".join(sorted(out)))
    try:
        place = lab.twin(out)
    except HostkitError as why:
        return {entry.id: Missing(f"no twin: {why}") for entry in probes}
    try:
        return _attempts(place, probes, watched=False)
    finally:
        lab.stop(place)


def _attempts(place: Place, probes: tuple[Probe, ...], *, watched: bool) -> dict[str, Seen]:
    """Hold the trials side by side, but one by one those that a neighbour would disturb."""
    together = [entry for entry in probes if not _wants_quiet(entry)]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        seen = dict(zip(together, pool.map(partial(attempt, place, watched=watched), together), strict=True))
    seen |= {entry: attempt(place, entry, watched=watched) for entry in probes if _wants_quiet(entry)}
    seen = _arrived(place, seen, patient=watched)
    return {entry.id: seen[entry] for entry in probes}


def _arrived(place: Place, seen: Mapping[Probe, Seen], *, patient: bool) -> dict[Probe, Seen]:
    """Ask the collector at the end, as its lines come behind its answers.

    Within the settling time it shows all that said they escaped; `patient`, where silence counts, it gets all of it.
    """
    deadline = time.monotonic() + _SETTLE
    while True:
        late = time.monotonic() > deadline
        lines = place.collected()
        told = {entry: _collected(entry, said, lines) for entry, said in seen.items()}
        if late or not (patient or any(_owes(entry, said) for entry, said in told.items())):
            return told
        time.sleep(0.1)


def _collected(entry: Probe, said: Seen, lines: tuple[str, ...]) -> Seen:
    if isinstance(said, Missing) or not entry.collected:
        return said
    return dataclasses.replace(said, collected=witness.collected(lines, said.marker))


def _owes(entry: Probe, said: Seen) -> bool:
    return isinstance(said, Trial) and entry.collected and said.word == entry.escaped and not said.collected


def _wants_quiet(entry: Probe) -> bool:
    # A counter counts a neighbour's packets too, and what exhausts the sandbox exhausts it for all.
    return entry.witness.kind == "bridge" or entry.group == "resources"


def _works(place: Place, entry: Control) -> bool:
    return isinstance(said := _say(place, entry.attempt, ""), Trial) and said.word == "works"


def attempt(place: Place, entry: Probe, *, watched: bool = True) -> Seen:
    """Return what one probe said and what its witness saw, who is asked only where `watched`."""
    marker = f"hk{secrets.token_hex(6)}"
    since, before = time.time(), place.counter()
    said = _say(place, entry.attempt, marker)
    if isinstance(said, Missing):
        return said
    seen = _witnessed(place, entry, marker, since, before) if watched else None
    return dataclasses.replace(said, witnessed=seen, marker=marker)


def _say(place: Place, function: Attempt, marker: str) -> Seen:
    targets = {**place.targets, "marker": marker}
    if zone := targets.get("zone"):
        targets["unlisted"] = f"{marker or 'control'}.{zone}"
    if service := targets.get("service"):
        targets["service"] = f"{witness.label(marker)}.{service}"
    wants = function.__code__.co_varnames[: function.__code__.co_argcount]
    if missing := [name for name in wants if name != "marker" and not targets.get(name)]:
        return Missing(f"there is no {missing[0].replace('_', ' ')} here")
    values = json.dumps({name: targets[name] for name in wants})
    # Nothing said is no evidence, of walls or of holes: an engine under load may lose what a short-lived exec wrote.
    said = next(filter(None, (_spoken(place, function, values) for _ in range(2))), "")
    *told, word = said.splitlines() or ["nothing"]
    return Trial(word[:80], told=" ".join(told)[:200])


def _spoken(place: Place, function: Attempt, values: str) -> str:
    return place.runner.exec_python(source_of(function), (values,), TIMEOUT).strip()


def _witnessed(place: Place, entry: Probe, marker: str, since: float, before: int | None) -> bool | None:
    """Ask until the witness has seen it or the settling time is over: records are written behind the answer."""
    deadline = time.monotonic() + _SETTLE
    while True:
        seen = _ask(place, entry, marker, since, before)
        if seen or seen is None or time.monotonic() > deadline:
            return seen
        time.sleep(0.1)


def _ask(place: Place, entry: Probe, marker: str, since: float, before: int | None) -> bool | None:
    kind = entry.witness.kind
    if kind in {"gateway", "request", "dns"}:
        attempted = witness.Attempted(marker, place.client, since, place.source)
        return witness.denied(entry.witness, place.records(), attempted)
    if kind == "bridge":
        return witness.counted(before, place.counter())
    return witness.audited(entry.witness, place.audit(since)) if kind == "audit" else None
