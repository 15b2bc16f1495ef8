"""Every check side by side, each with its own deadline; then the waivers; then one exit code."""

import threading
import time
from dataclasses import dataclass
from datetime import date

from hostkit.errors import CannotTell, Exit, HostkitError
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture import readings
from hostkit.posture.model import Check, Status, Verdict, collect, fail, unknown

DEADLINE = 3.0
"""Seconds a check has; past it the answer is unknown."""


@dataclass(frozen=True)
class Result:
    """What one check said, and the waiver in force: `waived` is its reason and last day, empty if there is none."""

    check: Check
    verdict: Verdict
    waived: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Report:
    """All results of one run, in the order of the checks."""

    results: tuple[Result, ...]

    @property
    def exit(self) -> Exit:
        """Return 1 if anything fails that is not waived, else 3 if anything is unknown or nothing was looked at."""
        answers = [entry.verdict.status for entry in self.results if not entry.waived]
        if Status.FAIL in answers:
            return Exit.FOUND
        seen = any(entry.verdict.status in {Status.OK, Status.FAIL} for entry in self.results)
        return Exit.CANNOT_TELL if Status.UNKNOWN in answers or not seen else Exit.STANDS


def run(
    host: Host, policy: Policy, today: date, checks: tuple[Check, ...] | None = None, deadline: float = DEADLINE
) -> Report:
    """Return what every check says; raise HostkitError if the policy waives a check that does not exist."""
    chosen = collect() if checks is None else checks
    _refuse_unknown_waivers(policy, chosen)
    readings.forget()
    trials = [_Trial(entry, host, policy) for entry in chosen]
    end = time.monotonic() + deadline
    answers = [trial.answer(end, deadline) for trial in trials]
    return Report(tuple(_waived(answer, policy, today) for answer in answers))


class _Trial(threading.Thread):
    """One check in a thread of its own; a daemon, so that one that hangs does not keep hostkit alive."""

    def __init__(self, check: Check, host: Host, policy: Policy) -> None:
        super().__init__(daemon=True)
        self._check, self._host, self._policy = check, host, policy
        self._verdict: Verdict | None = None
        self._seconds = 0.0
        self.start()

    def run(self) -> None:
        started = time.monotonic()
        self._verdict = judged(self._check, self._host, self._policy)
        self._seconds = time.monotonic() - started

    def answer(self, end: float, deadline: float) -> Result:
        self.join(max(0.0, end - time.monotonic()))
        late = unknown(f"no answer within {deadline:g} s")
        return Result(self._check, self._verdict or late, seconds=self._seconds)


def judged(check: Check, host: Host, policy: Policy) -> Verdict:
    """Return a check's verdict; what it could not see, and any error of its own, is unknown and says so."""
    try:
        return check(host, policy)
    except CannotTell as why:
        return unknown(str(why))
    except Exception as why:  # noqa: BLE001 - a check that breaks must not hide the others, nor be green
        return unknown(f"the check itself broke: {type(why).__name__}: {why}")


def _waived(result: Result, policy: Policy, today: date) -> Result:
    waiver = policy.host.waive.get(result.check.id)
    if waiver is None or result.verdict.status is not Status.FAIL:
        return result
    if waiver.until < today:
        detail = f"{result.verdict.detail} (its waiver ran out on {waiver.until})"
        return Result(result.check, fail(detail), seconds=result.seconds)
    return Result(result.check, result.verdict, f"{waiver.why}, until {waiver.until}", result.seconds)


def _refuse_unknown_waivers(policy: Policy, checks: tuple[Check, ...]) -> None:
    odd = sorted(set(policy.host.waive) - {entry.id for entry in checks})
    if odd:
        raise HostkitError(
            f"{policy.path}: host.waive: no check is called {odd[0]!r}", "hostkit check --list names all"
        )
