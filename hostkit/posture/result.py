"""What a run found: a result for each check, and one exit code for all of them."""

from dataclasses import dataclass

from hostkit.errors import Exit
from hostkit.policy.host import Waiver
from hostkit.posture.model import SEVERITIES, Check, Status, Verdict

LEFT_OUT = "not asked of a solo machine"
"""What a check says that the profile leaves out."""


@dataclass(frozen=True)
class Result:
    """What one check said, and what excuses it.

    `waived` is the reason, the owner and the last day of the waiver that covers all of a failure, empty if there is
    none. A `waiver` may cover a part only: `covered` are these faults, the verdict holds the others. So it is with the
    faults that a `baseline` knows; it is `accepted` if they are all.
    """

    check: Check
    verdict: Verdict
    waived: str = ""
    seconds: float = 0.0
    waiver: Waiver | None = None
    covered: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    accepted: bool = False

    @property
    def word(self) -> str:
        """Return the one word that says what came of it."""
        return "waived" if self.waived else "baseline" if self.accepted else str(self.verdict.status)

    @property
    def fails(self) -> bool:
        """Return whether it fails and nothing excuses that."""
        return self.word == Status.FAIL

    def weighs(self, floor: str) -> bool:
        """Return whether its severity is this one or a worse one."""
        return SEVERITIES.index(self.check.severity) <= SEVERITIES.index(floor)


@dataclass(frozen=True)
class Report:
    """All results of one run, in the order of the checks, and how they are graded.

    `floor` is the least severity that counts; `remarks` are what there is to say of how it was graded.
    """

    results: tuple[Result, ...]
    floor: str = SEVERITIES[-1]
    profile: str = "strict"
    remarks: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        """Return 1 if anything that counts fails unexcused, else 3 if it is unknown or nothing was looked at."""
        words = {entry.word for entry in self.results if entry.weighs(self.floor)}
        if Status.FAIL in words:
            return Exit.FOUND
        seen = any(entry.verdict.status in {Status.OK, Status.FAIL} for entry in self.results)
        return Exit.CANNOT_TELL if Status.UNKNOWN in words or not seen else Exit.STANDS

    @property
    def below(self) -> tuple[Result, ...]:
        """Return what fails or is unknown and does not count, for it lies below the floor."""
        open_ones = {Status.FAIL, Status.UNKNOWN}
        return tuple(entry for entry in self.results if entry.word in open_ones and not entry.weighs(self.floor))

    @property
    def left_out(self) -> tuple[Check, ...]:
        """Return the checks that the profile does not ask."""
        return tuple(entry.check for entry in self.results if entry.verdict.detail == LEFT_OUT)
