"""Waivers: which failures somebody answers for, which of their faults, and until when."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from hostkit.errors import HostkitError
from hostkit.policy import Policy
from hostkit.policy.host import Waiver
from hostkit.posture.model import Check, Status, failed
from hostkit.posture.result import Result

LONGEST = timedelta(days=90)
"""How far ahead a waiver may end."""


def waived(result: Result, policy: Policy, today: date) -> Result:
    """Return the result with what a waiver of the policy covers; one that is not in force is told and covers nothing.

    Only a failure is ever waived: what could not be seen stays unknown.
    """
    waiver = policy.host.waive.get(result.check.id)
    if waiver is None or result.verdict.status is not Status.FAIL:
        return result
    if why := lapsed(waiver, today):
        return _told(result, why)
    faults = result.verdict.faults or (result.verdict.detail,)
    covered = tuple(fault for fault in faults if in_scope(fault, waiver.scope))
    rest = tuple(fault for fault in faults if fault not in covered)
    if not covered:
        return _told(result, f"its waiver is for {', '.join(waiver.scope)} only")
    if not rest:
        return replace(result, waived=_words(waiver), waiver=waiver, covered=covered)
    partly = _told(replace(result, verdict=failed(rest)), f"{len(covered)} more waived by {waiver.owner}")
    return replace(partly, waiver=waiver, covered=covered)


def lapsed(waiver: Waiver, today: date) -> str:
    """Return why a waiver is not in force today, empty if it is."""
    if waiver.until < today:
        return f"its waiver ran out on {waiver.until}"
    if waiver.until > today + LONGEST:
        return f"its waiver, until {waiver.until}, is not in force: {LONGEST.days} days ahead at most"
    return ""


def in_scope(fault: str, scope: tuple[str, ...]) -> bool:
    """Return whether a fault begins with one of these words, and with no longer word; no scope is every fault.

    Only the beginning counts: what stands further on may be a name that an agent chose.
    """
    return not scope or any(fault == word or (fault.startswith(word) and _ends(word, fault)) for word in scope)


def _ends(word: str, fault: str) -> bool:
    after = fault[len(word)]
    return not (after.isalnum() or after in "_-.@/") or word.endswith("/")


def refuse_unknown(policy: Policy, checks: Iterable[Check]) -> None:
    """Raise HostkitError if a waiver is for a check that does not exist."""
    odd = sorted(set(policy.host.waive) - {entry.id for entry in checks})
    if odd:
        raise HostkitError(
            f"{policy.path}: host.waive: no check is called {odd[0]!r}", "hostkit check --list names all"
        )


def refuse_far(policy: Policy, today: date) -> None:
    """Raise HostkitError if a waiver ends further ahead than it may, with the last day that it could have."""
    far = [name for name, waiver in policy.host.waive.items() if waiver.until > today + LONGEST]
    if far:
        do = f"{today + LONGEST} at the latest, {LONGEST.days} days ahead; then look again"
        raise HostkitError(
            f"{policy.path}: host.waive.{far[0]}.until: {policy.host.waive[far[0]].until} is too far", do
        )


def _told(result: Result, why: str) -> Result:
    verdict = result.verdict
    return replace(result, verdict=replace(verdict, detail=f"{verdict.detail} ({why})"))


def _words(waiver: Waiver) -> str:
    return f"{waiver.why}, {waiver.owner}, until {waiver.until}"
