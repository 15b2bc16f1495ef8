"""What changed between two runs, by each check's word."""

from collections.abc import Mapping
from dataclasses import dataclass

from hostkit.posture.result import Report, Result

KINDS = ("new", "unseen", "mended", "excused", "seen", "gone")
"""New failures and what can no longer be seen come first; `seen` is what can be seen again, and holds."""


@dataclass(frozen=True)
class Change:
    """A check that says something else than before; `result` is None where it was not asked any more."""

    id: str
    kind: str
    before: str
    result: Result | None


def words(report: Report) -> dict[str, str]:
    """Return each check's word."""
    return {entry.check.id: entry.word for entry in report.results}


def differences(before: Mapping[str, str], now: Report, *, whole: bool) -> tuple[Change, ...]:
    """Return what changed, the worst first; in a narrowed run nothing is gone for not having been asked."""
    found = [
        Change(entry.check.id, kind, before.get(entry.check.id, ""), entry)
        for entry in now.results
        if (kind := _kind(before.get(entry.check.id, ""), entry.word))
    ]
    if whole:
        asked = {entry.check.id for entry in now.results}
        found += [Change(name, "gone", word, None) for name, word in before.items() if name not in asked]
    return tuple(sorted(found, key=lambda change: (KINDS.index(change.kind), change.id)))


def _kind(before: str, now: str) -> str:
    """Return what it means that a check said `before` and says `now`, empty if nothing."""
    if now == before:
        return ""
    if now == "fail":
        return "new"
    if now == "unknown":
        return "unseen"
    open_before = before in {"fail", "waived", "baseline"}
    if now == "ok":
        return "mended" if open_before else "seen" if before == "unknown" else ""
    if now in {"waived", "baseline"}:
        return "excused"
    return "gone" if open_before or before in {"ok", "unknown"} else ""
