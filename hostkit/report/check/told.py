"""One run as plain values, every word of the host escaped once: what all the forms are made of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from hostkit import __version__
from hostkit.errors import Exit
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.policy.host import Waiver
from hostkit.posture.history import Run
from hostkit.posture.identity import Identity, identify
from hostkit.posture.model import SEVERITIES, collect
from hostkit.posture.result import Report, Result
from hostkit.posture.waivers import lapsed
from hostkit.report.notes import notes
from hostkit.report.words import FIELD, safe

_FAULTS = 20

WORDS = ("fail", "unknown", "waived", "baseline", "ok", "skip")
"""What can be said of a check, the worst first."""


@dataclass(frozen=True)
class Line:
    """One check's answer; `word` is one of WORDS, `waived` the waiver in force if all of its failure is under one.

    `covered` are the faults that a waiver covers, all or some, `known` those that a baseline does.
    """

    id: str
    subject: str
    title: str
    severity: str
    kind: str
    word: str
    detail: str
    waived: str
    why: str
    fix: str
    play: str
    references: tuple[str, ...]
    seconds: float
    covered: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """Return the answer itself: a waived failure is a failure, and so is one that a baseline knows."""
        return "fail" if self.word in {"waived", "baseline"} else self.word

    @property
    def accepted(self) -> bool:
        """Return whether a baseline knows all of a failure that no waiver covers."""
        return self.word == "baseline"


@dataclass(frozen=True)
class InForce:
    """A waiver that is in force today, whether its check fails or not."""

    id: str
    why: str
    until: date
    owner: str = ""
    scope: tuple[str, ...] = ()
    severity: str = ""


@dataclass(frozen=True)
class Told:
    """One run: where, when, by which policy; `whole` is false where --only or --skip left checks out.

    `notes` say what makes the exit code kinder than the bare answers are; no form leaves them out.
    """

    host: Identity
    at: datetime
    policy: str
    exit: Exit
    whole: bool
    root: bool
    lines: tuple[Line, ...]
    waivers: tuple[InForce, ...]
    past: tuple[Run, ...] = ()
    fail_on: str = SEVERITIES[-1]
    profile: str = "strict"
    notes: tuple[str, ...] = ()
    version: str = __version__

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many checks there are of each word, the words without any left out."""
        counted = Counter(line.word for line in self.lines)
        return {word: counted[word] for word in WORDS if counted[word]}


def tell(report: Report, host: Host, policy: Policy, at: datetime, *, whole: bool, past: tuple[Run, ...] = ()) -> Told:  # noqa: PLR0913
    """Return a run as plain values; nothing in them that a terminal or a parser would obey."""
    name = identify(host)
    return Told(
        host=Identity(safe(name.name), name.machine, name.platform),
        at=at.astimezone(UTC).replace(microsecond=0),
        policy=safe(policy.path),
        exit=report.exit,
        whole=whole,
        root=host.is_root,
        lines=tuple(_line(entry) for entry in report.results),
        waivers=in_force(policy, at.date()),
        past=past,
        fail_on=report.floor,
        profile=report.profile,
        notes=tuple(safe(line, FIELD) for line in notes(report)),
    )


def in_force(policy: Policy, today: date) -> tuple[InForce, ...]:
    """Return the waivers that are in force today."""
    severities = {entry.id: entry.severity for entry in collect()}
    found = [(name, one) for name, one in sorted(policy.host.waive.items()) if not lapsed(one, today)]
    return tuple(_in_force(name, one, severities.get(name, "")) for name, one in found)


def _in_force(name: str, one: Waiver, severity: str) -> InForce:
    scope = tuple(safe(word, FIELD) for word in one.scope)
    return InForce(safe(name), safe(one.why, FIELD), one.until, safe(one.owner), scope, severity)


def _line(entry: Result) -> Line:
    check, verdict = entry.check, entry.verdict
    return Line(
        id=safe(check.id),
        subject=safe(check.subject),
        title=safe(check.title, FIELD),
        severity=check.severity,
        kind=check.kind,
        word=entry.word,
        detail=safe(verdict.detail, FIELD),
        waived=safe(entry.waived, FIELD),
        why=safe(check.why, FIELD),
        fix=safe(check.fix, FIELD),
        play=safe(check.play),
        references=tuple(safe(word) for word in check.references),
        seconds=round(entry.seconds, 3),
        covered=tuple(safe(fault, FIELD) for fault in entry.covered[:_FAULTS]),
        known=tuple(safe(fault, FIELD) for fault in entry.baseline[:_FAULTS]),
    )
