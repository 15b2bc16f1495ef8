"""What a probe is, what it may say, and the pure judgement over what was seen."""

import ast
import importlib
import inspect
import pkgutil
import textwrap
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hostkit.errors import HostkitError

GROUPS = ("network", "dns", "proxy", "requests", "credentials", "files", "privileges", "resources", "separation")
Attempt = Callable[..., str]
_PARSING = threading.Lock()
"""Python 3.11 counts the depth of every thread's parser as one (python/cpython issue 106905)."""


class Answer(StrEnum):
    """What a drill says of one probe; only HELD is good."""

    HELD = "held"
    ESCAPED = "escaped"
    UNWITNESSED = "unwitnessed"
    INCONCLUSIVE = "inconclusive"
    NOT_SHOWN = "not shown here"


@dataclass(frozen=True)
class Witness:
    """Who else saw the attempt: kind, and the record's rules or the reason why there is nobody.

    `times` is how many records there must be: an attempt in several forms leaves one for each.
    """

    kind: str
    detail: tuple[str, ...] = ()
    times: int = 1

    @classmethod
    def gateway(cls, *rules: str) -> "Witness":
        """Return a denial in the gateway's records: of one of `rules`, or that names the marker."""
        return cls("gateway", rules)

    @classmethod
    def request(cls, *rules: str, times: int = 1) -> "Witness":
        """Return denials of `rules` in the gateway's records, of the very name that the attempt asked for."""
        return cls("request", rules, times)

    @classmethod
    def dns(cls) -> "Witness":
        """Return a refused lookup in the gateway's records that names the marker."""
        return cls("dns")

    @classmethod
    def bridge(cls) -> "Witness":
        """Return packets counted on the client's own bridge during the attempt."""
        return cls("bridge")

    @classmethod
    def audit(cls, word: str) -> "Witness":
        """Return a line of the kernel's audit log that holds `word`."""
        return cls("audit", (word,))

    @classmethod
    def none(cls, reason: str) -> "Witness":
        """Return that nobody else can see this attempt, and why; it is shown and counted."""
        return cls("none", (reason,))

    def __str__(self) -> str:
        words = [*self.detail, *([f"{self.times} times"] if self.times > 1 else [])]
        return f"{self.kind} ({', '.join(words)})" if words else self.kind


@dataclass(frozen=True)
class Probe:
    """One attempt on a set of walls. `collected` means an escape must be seen by the collector too."""

    id: str
    group: str
    walls: tuple[str, ...]
    held: str
    escaped: str
    witness: Witness
    attempt: Attempt = field(repr=False)
    collected: bool = False

    @property
    def title(self) -> str:
        """Return the first line of the probe's docstring."""
        return (inspect.getdoc(self.attempt) or "").splitlines()[0]

    @property
    def wants(self) -> tuple[str, ...]:
        """Return the names of the targets that the attempt needs."""
        return tuple(inspect.signature(self.attempt).parameters)


@dataclass(frozen=True)
class Control:
    """What must work in the real sandbox before its group says anything."""

    group: str
    attempt: Attempt = field(repr=False)


@dataclass(frozen=True)
class Trial:
    """One attempt in one place: the word it said, whether the collector saw its marker, whether its witness did.

    `told` is what it printed before its word: what exactly got through.
    """

    word: str
    collected: bool = False
    witnessed: bool | None = None
    marker: str = ""
    told: str = ""


@dataclass(frozen=True)
class Missing:
    """A trial that could not be held, and why."""

    why: str


@dataclass(frozen=True)
class Outcome:
    """What the drill says of one probe, why, and for each wall whether it holds alone (None: not run)."""

    probe: Probe
    answer: Answer
    why: str = ""
    alone: Mapping[str, bool | None] = field(default_factory=dict)


def probe(  # noqa: PLR0913 - a declaration is the documentation
    id: str,  # noqa: A002 - the word of the domain
    *,
    group: str,
    walls: tuple[str, ...],
    held: str,
    escaped: str,
    witness: Witness,
    collected: bool = False,
) -> Callable[[Attempt], Probe]:
    """Return a decorator that makes a frozen Probe; raise TypeError where the declaration is not whole."""
    if group not in GROUPS or not walls or held == escaped:
        raise TypeError(f"{id}: a probe needs a known group, walls, and two different words")

    def declare(attempt: Attempt) -> Probe:
        if not inspect.getdoc(attempt):
            raise TypeError(f"{id}: a probe needs a docstring")
        return Probe(id, group, walls, held, escaped, witness, attempt, collected)

    return declare


def control(group: str) -> Callable[[Attempt], Control]:
    """Return a decorator that makes the positive control of a group; its word must be `works`."""
    return lambda attempt: Control(group, attempt)


def source_of(attempt: Attempt) -> str:
    """Return the text to pipe to `python3 - '<json arguments>'`; it prints the attempt's one word.

    Functions of the drill that the attempt calls go with it.
    """
    functions = "\n".join(dict.fromkeys(_with_helpers(attempt)))
    call = f"import json, sys\nprint({attempt.__name__}(**json.loads(sys.argv[1])))"
    return f"from __future__ import annotations\n{functions}\n{call}\n"


def _with_helpers(function: Attempt) -> list[str]:
    """Return the sources of what a function calls of the drill, and of itself."""
    text = textwrap.dedent(inspect.getsource(function))
    with _PARSING:
        parsed = ast.parse(text).body[0]
    if not isinstance(parsed, ast.FunctionDef):
        raise TypeError("an attempt is a function")
    named = dict.fromkeys(node.id for node in ast.walk(parsed) if isinstance(node, ast.Name))
    known = [function.__globals__.get(name) for name in named]
    helpers = [one for one in known if inspect.isfunction(one) and one.__module__.startswith("hostkit.drill.")]
    own = "\n".join(text.splitlines()[parsed.lineno - 1 :])
    return [*(source for one in helpers for source in _with_helpers(one)), own]


def collect_all(package: str = "hostkit.drill.probes") -> tuple[tuple[Probe, ...], tuple[Control, ...]]:
    """Return all probes, in the order of groups and files, and all controls; raise if two share an id."""
    found: list[object] = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        found += vars(importlib.import_module(f"{package}.{module.name}")).values()
    probes = [entry for entry in found if isinstance(entry, Probe)]
    if len({entry.id for entry in probes}) != len(probes):
        raise TypeError("two probes share an id")
    probes.sort(key=lambda entry: GROUPS.index(entry.group))
    return tuple(probes), tuple(entry for entry in found if isinstance(entry, Control))


def select(probes: Iterable[Probe], only: tuple[str, ...]) -> tuple[Probe, ...]:
    """Return the probes whose id or group is in `only`, all when it is empty; refuse an unknown word."""
    chosen = tuple(entry for entry in probes if not only or {entry.id, entry.group} & set(only))
    known = {word for entry in chosen for word in (entry.id, entry.group)}
    if unknown := sorted(set(only) - known):
        raise HostkitError(f"no probe or group is called {unknown[0]}", "see `hostkit drill --list`")
    return chosen
