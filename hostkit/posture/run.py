"""Every check that is wished for, side by side; then the waivers; then one exit code."""

from dataclasses import dataclass
from datetime import date

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture import readings
from hostkit.posture.baseline import Baseline, hidden, lapsed
from hostkit.posture.model import SEVERITIES, Check, chosen, collect, skip
from hostkit.posture.result import LEFT_OUT, Report, Result
from hostkit.posture.trials import Answer, Told, answers
from hostkit.posture.waivers import refuse_unknown, waived

__all__ = ["ALL", "Report", "Result", "Wish", "run"]


@dataclass(frozen=True)
class Wish:
    """Which checks to run, as `chosen` takes them; the least severity that counts; the profile to grade by.

    The policy's own profile, where none is named. `whole` asks what the profile leaves out too. `told` hears how far
    the run is. What the `baseline` knows does not fail. No check has less than `patience` seconds.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    floor: str = SEVERITIES[-1]
    profile: str = ""
    whole: bool = False
    baseline: Baseline | None = None
    told: Told | None = None
    patience: float = 0.0


ALL = Wish()


def run(
    host: Host,
    policy: Policy,
    today: date,
    checks: tuple[Check, ...] | None = None,
    wish: Wish = ALL,
) -> Report:
    """Return what every check that is wished for says; raise HostkitError if a waiver or a wish names none."""
    known = collect() if checks is None else checks
    refuse_unknown(policy, known)
    graded = by_profile(policy, wish.profile)
    chosen_ones = chosen(known, wish.only, wish.skip)
    asked = tuple(entry for entry in chosen_ones if not _left_out(entry, graded, wish))
    readings.forget()
    said = dict(zip((entry.id for entry in asked), answers(asked, host, graded, wish.told, wish.patience), strict=True))
    found = (_result(entry, said.get(entry.id)) for entry in chosen_ones)
    judged = tuple(hidden(waived(entry, policy, today), wish.baseline, today) for entry in found)
    remarks = tuple(filter(None, (lapsed(wish.baseline, today),)))
    return Report(judged, wish.floor, graded.host.profile, remarks)


def _result(entry: Check, answer: Answer | None) -> Result:
    return Result(entry, answer.verdict, seconds=answer.seconds) if answer else Result(entry, skip(LEFT_OUT))


def by_profile(policy: Policy, profile: str) -> Policy:
    """Return the policy as this profile would grade it; as it is, where none is named."""
    if profile in {"", policy.host.profile}:
        return policy
    return policy.model_copy(update={"host": policy.host.model_copy(update={"profile": profile})})


def _left_out(entry: Check, policy: Policy, wish: Wish) -> bool:
    """Return whether the profile does not ask this check, and nobody asked for it by its name."""
    asked = entry.solo or wish.whole or entry.id in wish.only
    return policy.host.profile == "solo" and not asked
