"""From what was seen to what is said: pure, and never kinder than the evidence."""

from collections.abc import Iterable, Mapping

from hostkit.drill.model import Answer, Missing, Outcome, Probe, Trial
from hostkit.errors import Exit

Seen = Trial | Missing


def judge(
    probe: Probe, sandbox: Seen, twin: Seen, singles: Mapping[str, Seen] | None = None, *, control: bool = True
) -> Outcome:
    """Return HELD only if the sandbox held with its witness, the group's control works and the twin escaped."""
    answer, why = _inside(probe, sandbox)
    if answer is Answer.HELD and not control:
        answer, why = Answer.INCONCLUSIVE, "the control of this group did not work"
    if answer is Answer.HELD:
        answer, why = _twin(probe, twin)
    return Outcome(probe, answer, why, alone(probe, singles or {}))


def _inside(probe: Probe, seen: Seen) -> tuple[Answer, str]:
    if isinstance(seen, Missing):
        return Answer.NOT_SHOWN, seen.why
    if seen.collected:
        return Answer.ESCAPED, "the collector saw it"
    if seen.word == probe.escaped:
        return Answer.ESCAPED, f"it said {seen.word}" + (f": {seen.told!r}" if seen.told else "")
    if seen.word != probe.held:
        return Answer.INCONCLUSIVE, f"it said {seen.word!r}, neither {probe.held} nor {probe.escaped}"
    return _witnessed(probe, seen)


def _witnessed(probe: Probe, seen: Trial) -> tuple[Answer, str]:
    if probe.witness.kind == "none" or seen.witnessed:
        return Answer.HELD, ""
    if seen.witnessed is None:
        return Answer.INCONCLUSIVE, f"its witness is not visible here: {probe.witness}"
    return Answer.UNWITNESSED, f"blocked, but its witness saw nothing: {probe.witness}"


def _twin(probe: Probe, seen: Seen) -> tuple[Answer, str]:
    if isinstance(seen, Missing):
        return Answer.NOT_SHOWN, seen.why
    if seen.word != probe.escaped:
        return Answer.INCONCLUSIVE, f"with its walls out it did not escape, it said {seen.word!r}"
    if probe.collected and not seen.collected:
        return Answer.INCONCLUSIVE, "with its walls out the collector saw nothing"
    return Answer.HELD, ""


def alone(probe: Probe, singles: Mapping[str, Seen]) -> dict[str, bool | None]:
    """Return for each wall of the probe whether it held as the only one left in; None where that was not run."""
    return {wall: _holds(probe, singles.get(wall)) for wall in probe.walls}


def _holds(probe: Probe, seen: Seen | None) -> bool | None:
    if not isinstance(seen, Trial):
        return None
    if seen.collected or seen.word == probe.escaped:
        return False
    return True if seen.word == probe.held else None


def exit_code(outcomes: Iterable[Outcome]) -> Exit:
    """Return 0 if there is something and all of it held, 1 if anything escaped or went unseen, else 3."""
    answers = {entry.answer for entry in outcomes}
    if answers & {Answer.ESCAPED, Answer.UNWITNESSED}:
        return Exit.FOUND
    return Exit.STANDS if answers == {Answer.HELD} else Exit.CANNOT_TELL
