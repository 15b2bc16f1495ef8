"""From what a host said to what is believed of it: pure, and a host that was not heard is never green."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hostkit.errors import Exit
from hostkit.fleet.ssh import TOO_LATE, TOO_MUCH, UNREACHED, Said


class State(StrEnum):
    """What is known of a host."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Finding(BaseModel):
    """One check's answer as a host gave it; its words are its own and may be hostile."""

    model_config = ConfigDict(frozen=True, strict=True)
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]
    status: Literal["ok", "fail", "unknown", "skip"]
    detail: str = ""
    waived: str = ""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    schema_version: Literal[1]
    results: Annotated[tuple[Finding, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _each_once(self) -> "_Answer":
        if len({entry.id for entry in self.results}) < len(self.results):
            raise ValueError("a check answers twice")
        return self


@dataclass(frozen=True)
class Row:
    """One host: what it found, or `why` nothing is known of it."""

    name: str
    findings: tuple[Finding, ...] = ()
    why: str = ""

    @property
    def state(self) -> State:
        """Return FAIL if anything fails that is not waived, OK only if everything was seen."""
        answers = Counter(entry.status for entry in self.findings if not entry.waived)
        if answers["fail"]:
            return State.FAIL
        seen = any(entry.status in {"ok", "fail"} for entry in self.findings)
        return State.UNKNOWN if self.why or answers["unknown"] or not seen else State.OK


def row(name: str, said: Said, known: Collection[str]) -> Row:
    """Return what is believed of a host; a check of `known` that it did not answer is unknown."""
    if said.code in {0, int(Exit.FOUND), int(Exit.CANNOT_TELL)} and said.out:
        try:
            answer = _Answer.model_validate_json(said.out)
        except ValidationError:
            return Row(name, why="its answer is not one of this hostkit: is it another version?")
        return Row(name, (*answer.results, *_unasked(answer.results, known)))
    return Row(name, why=silence(said))


def _unasked(found: Iterable[Finding], known: Collection[str]) -> list[Finding]:
    missing = set(known) - {entry.id for entry in found}
    return [Finding(id=one, status="unknown", detail="its hostkit does not know this check") for one in sorted(missing)]


def silence(said: Said) -> str:
    """Return why a host gave no answer."""
    last = next((line for line in reversed(said.err.splitlines()) if line.strip()), "no word why").strip()
    told = {
        UNREACHED: f"cannot be reached: {last}",
        TOO_LATE: "did not answer in time",
        TOO_MUCH: "says more than an answer can be",
        127: f"hostkit is not there: {last}",
    }
    if said.code in told:
        return told[said.code]
    if last.startswith("sudo:"):
        return f"sudo wants more than a command there: {last}"
    return f"refused there: {last}"


def exit_code(states: Iterable[State]) -> Exit:
    """Return 1 if any host fails, else 3 if any is unknown."""
    seen = set(states)
    if State.FAIL in seen:
        return Exit.FOUND
    return Exit.STANDS if seen == {State.OK} else Exit.CANNOT_TELL
