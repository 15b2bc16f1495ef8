"""What a check is and what it may answer."""

import fnmatch
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from hostkit.errors import HostkitError
from hostkit.host import Host
from hostkit.policy import Policy

SEVERITIES = ("critical", "high", "medium", "low")
"""From the one that lets an agent out or a stranger in, down to the one that only makes another wall thinner."""
DEADLINES = {"reading": 3.0, "probe": 10.0, "scan": 900.0}
"""Seconds that a check of each kind has; past them the answer is unknown. A probe sends something, a scan reads files
by the gigabyte; both can be left out (`--skip probes,scans`)."""


class Status(StrEnum):
    """The four answers of design decision 11; unknown is never green."""

    OK = "ok"
    FAIL = "fail"
    SKIP = "skip"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """One answer, and what was seen; `faults` are the single things that a failure is made of, if it says so.

    A fault begins with what it is about (a container's name, a path), so that a waiver's scope can name it.
    """

    status: Status
    detail: str = ""
    faults: tuple[str, ...] = ()


Judge = Callable[[Host, Policy], Verdict]
Command = tuple[str, ...]
Mend = Callable[[Host, Policy], tuple[Command, ...]]
"""What makes a failed check true at once and cuts nobody off: the commands, each an argument list."""


def ok(detail: str = "") -> Verdict:
    """Return that the guarantee holds."""
    return Verdict(Status.OK, detail)


def fail(detail: str) -> Verdict:
    """Return that the guarantee does not hold."""
    return Verdict(Status.FAIL, detail)


def skip(detail: str) -> Verdict:
    """Return that this is not a question for this platform."""
    return Verdict(Status.SKIP, detail)


def unknown(detail: str) -> Verdict:
    """Return that it could not be seen, and why."""
    return Verdict(Status.UNKNOWN, detail)


def every(faults: Iterable[str], good: str) -> Verdict:
    """Return a failure that names the first five faults, or that all is good."""
    found = tuple(faults)
    return failed(found) if found else ok(good)


def failed(faults: tuple[str, ...]) -> Verdict:
    """Return a failure that names the first five of these faults and holds them all."""
    more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
    return Verdict(Status.FAIL, ", ".join(faults[:5]) + more, faults)


@dataclass(frozen=True)
class Check:
    """One guarantee: its title states it, `why` is one sentence, `fix` says what makes it true.

    `play` is the bootstrap play that does, `mend` the commands that do so at once; with neither it is done by hand.
    `references` name rules of others that ask for the same, as their publishers number them. `unhardened` holds the
    answers it may give on a machine that nobody hardened; the demo compares. `solo` says whether it is asked of a
    single machine at a desk too.
    """

    id: str
    title: str
    severity: str
    why: str
    fix: str
    platforms: tuple[str, ...]
    unhardened: tuple[Status, ...]
    judge: Judge = field(repr=False)
    kind: str = "reading"
    play: str = ""
    mend: Mend | None = field(default=None, repr=False)
    references: tuple[str, ...] = ()
    solo: bool = True

    def __call__(self, host: Host, policy: Policy) -> Verdict:
        """Return the check's answer; CannotTell of the host passes through to the runner."""
        if host.platform not in self.platforms:
            return skip(f"not a question on {host.platform}")
        return self.judge(host, policy)

    @property
    def subject(self) -> str:
        """Return the file's name, by which checks are grouped."""
        return self.id.partition("-")[0]

    @property
    def deadline(self) -> float:
        """Return the seconds it has."""
        return DEADLINES[self.kind]


def check(  # noqa: PLR0913 - a declaration is the documentation
    id: str,  # noqa: A002 - the word of the domain
    *,
    severity: str,
    why: str,
    fix: str,
    platforms: tuple[str, ...] = ("linux",),
    unhardened: str = "ok fail unknown",
    kind: str = "reading",
    play: str = "",
    mend: Mend | None = None,
    references: tuple[str, ...] = (),
    solo: bool = True,
) -> Callable[[Judge], Check]:
    """Return a decorator that makes a frozen Check; raise TypeError where the declaration is not whole."""

    def declare(judge: Judge) -> Check:
        title = (inspect.getdoc(judge) or "").partition("\n")[0]
        if not (title and why and fix and severity in SEVERITIES and kind in DEADLINES):
            raise TypeError(f"{id}: a check needs a docstring, a severity, a kind, a why and a fix")
        before = tuple(Status(word) for word in unhardened.split())
        return Check(id, title, severity, why, fix, platforms, before, judge, kind, play, mend, references, solo)

    return declare


def collect(package: str = "hostkit.posture.checks") -> tuple[Check, ...]:
    """Return all checks, by subject; raise TypeError if two share an id."""
    found: list[Check] = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        values = vars(importlib.import_module(f"{package}.{module.name}")).values()
        found += [value for value in values if isinstance(value, Check)]
    if len({entry.id for entry in found}) != len(found):
        raise TypeError("two checks share an id")
    return tuple(found)


_KINDS = frozenset(f"{kind}s" for kind in DEADLINES)


def chosen(checks: tuple[Check, ...], only: tuple[str, ...], skipped: tuple[str, ...]) -> tuple[Check, ...]:
    """Return the checks that `only` names (all, where it names none) but those of `skipped`.

    A word is a check's id, a subject, a kind in the plural (`probes`), or a pattern of ids with * in it. Raise
    HostkitError for a word that means none.
    """
    for word in (*only, *skipped):
        if word not in _KINDS and not any(_meant(entry, word) for entry in checks):
            raise HostkitError(f"no check is meant by {word!r}", "hostkit check --list names all")
    wanted = [entry for entry in checks if not only or any(_meant(entry, word) for word in only)]
    return tuple(entry for entry in wanted if not any(_meant(entry, word) for word in skipped))


def _meant(entry: Check, word: str) -> bool:
    return word in {entry.id, entry.subject, f"{entry.kind}s"} or ("*" in word and fnmatch.fnmatchcase(entry.id, word))
