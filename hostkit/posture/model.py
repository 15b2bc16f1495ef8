"""What a check is and what it may answer."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from hostkit.host import Host
from hostkit.policy import Policy

SEVERITIES = ("high", "medium", "low")


class Status(StrEnum):
    """The four answers of design decision 11; unknown is never green."""

    OK = "ok"
    FAIL = "fail"
    SKIP = "skip"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """One answer, and what was seen."""

    status: Status
    detail: str = ""


Judge = Callable[[Host, Policy], Verdict]


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
    found = list(faults)
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return fail(", ".join(found[:5]) + more) if found else ok(good)


@dataclass(frozen=True)
class Check:
    """One guarantee: its title states it, `why` is one sentence, `fix` says what makes it true.

    `unhardened` holds the answers it may give on a machine that nobody hardened; the demo compares.
    """

    id: str
    title: str
    severity: str
    why: str
    fix: str
    platforms: tuple[str, ...]
    unhardened: tuple[Status, ...]
    judge: Judge = field(repr=False)

    def __call__(self, host: Host, policy: Policy) -> Verdict:
        """Return the check's answer; CannotTell of the host passes through to the runner."""
        if host.platform not in self.platforms:
            return skip(f"not a question on {host.platform}")
        return self.judge(host, policy)

    @property
    def subject(self) -> str:
        """Return the file's name, by which checks are grouped."""
        return self.id.partition("-")[0]


def check(  # noqa: PLR0913 - a declaration is the documentation
    id: str,  # noqa: A002 - the word of the domain
    *,
    severity: str,
    why: str,
    fix: str,
    platforms: tuple[str, ...] = ("linux",),
    unhardened: str = "ok fail unknown",
) -> Callable[[Judge], Check]:
    """Return a decorator that makes a frozen Check; raise TypeError where the declaration is not whole."""

    def declare(judge: Judge) -> Check:
        title = (inspect.getdoc(judge) or "").partition("\n")[0]
        if not (title and why and fix and severity in SEVERITIES):
            raise TypeError(f"{id}: a check needs a docstring, a severity, a why and a fix")
        return Check(
            id, title, severity, why, fix, platforms, tuple(Status(word) for word in unhardened.split()), judge
        )

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
