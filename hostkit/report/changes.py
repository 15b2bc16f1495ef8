"""What a run changed and why it matters, task by task as it happens and play by play in sum."""

from collections import Counter
from collections.abc import Iterable

from hostkit.bootstrap.plays import Play
from hostkit.bootstrap.run import Step
from hostkit.policy import Policy
from hostkit.report.words import safe


def lines(step: Step, *, diff: bool) -> list[str]:
    """Return what is said of one step: nothing unless it changed or failed."""
    if step.what not in {"changed", "failed"}:
        return []
    shown = [f"    {safe(line)}" for line in step.diff.splitlines()] if diff else []
    return [f"{step.what:<8} {step.task}", *shown]


def summary(plays: Iterable[Play], steps: Iterable[Step], policy: Policy, seconds: float, *, dry: bool) -> str:
    """Return how many tasks changed something, or would; which plays, and why that matters; and how long it took."""
    chosen, done = tuple(plays), tuple(steps)
    counted = Counter(step.what for step in done)
    word = "would change" if dry else "changed"
    first = f"{counted['changed']} {word}, {counted['ok']} as they should be, {counted['skipped']} not needed"
    return "\n".join([first, *_why(chosen, done), *_left_out(chosen, policy), _time(done, seconds)])


def _why(plays: Iterable[Play], steps: Iterable[Step]) -> list[str]:
    changed = Counter(step.play for step in steps if step.what == "changed")
    return [f"  {play.subject:<10} {changed[play.name]:>3}  {play.why}" for play in plays if changed[play.name]]


def _left_out(plays: Iterable[Play], policy: Policy) -> list[str]:
    if policy.host.profile == "strict":
        return []
    exempt = ", ".join(policy.host.exempt)
    said = [f"{exempt} may send past the host's gateway (exempt)"] if exempt else []
    said += [f"{play.subject}: {play.solo_leaves_out}" for play in plays if play.solo_leaves_out]
    return [f"at solo, less than at strict: {one}" for one in said] or ["at solo, these plays leave nothing out"]


def _time(steps: Iterable[Step], seconds: float) -> str:
    done = tuple(steps)
    slowest = max(done, key=lambda step: step.seconds)
    each = f"{seconds / len(done):.1f} s a task"
    return f"{seconds:.1f} s in all, {each}; the longest, {slowest.seconds:.1f} s: {slowest.task}"
