"""What the checks found, as plain text and as JSON."""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from hostkit.posture.model import Check, Status
from hostkit.posture.run import Report, Result

SCHEMA_VERSION = 1
_ORDER = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.OK: 2, Status.SKIP: 3}
_LONGEST = 400


def as_text(report: Report) -> str:
    """Return the results by subject, those with a failure first, each failure with what to do; then the sum."""
    groups = [tuple(found) for _, found in groupby(report.results, key=lambda entry: entry.check.subject)]
    groups.sort(key=lambda found: min(_rank(entry) for entry in found))
    lines = [line for found in groups for entry in sorted(found, key=_rank) for line in _lines(entry)]
    return "\n".join([*lines, "", _sum(report)])


def _rank(entry: Result) -> int:
    return 2 if entry.waived else _ORDER[entry.verdict.status]


def _lines(entry: Result) -> list[str]:
    word = "waived" if entry.waived else str(entry.verdict.status)
    lines = [f"{word:<8} {entry.check.id:<22} {entry.check.title}"]
    if word != "ok" and entry.verdict.detail:
        lines.append(f"{'':<8} {'':<22} seen: {safe(entry.verdict.detail)}")
    if entry.waived:
        lines.append(f"{'':<8} {'':<22} waived: {safe(entry.waived)}")
    elif word == "fail":
        lines.append(f"{'':<8} {'':<22} do: {entry.check.fix}")
    return lines


def safe(text: str) -> str:
    """Return one line of at most 400 characters with everything a terminal would obey escaped."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:_LONGEST])
    return shown + (" [cut]" if len(text) > _LONGEST else "")


def _sum(report: Report) -> str:
    counted = Counter("waived" if entry.waived else str(entry.verdict.status) for entry in report.results)
    words = [f"{counted[word]} {word}" for word in ("ok", "fail", "unknown", "waived", "skip") if counted[word]]
    return f"{len(report.results)} checks: {', '.join(words) or 'nothing was looked at'}"


def as_json(report: Report) -> str:
    """Return one object with a schema version, the exit code, and one entry per check."""
    plain = {
        "schema_version": SCHEMA_VERSION,
        "exit": int(report.exit),
        "results": [_entry(entry) for entry in report.results],
    }
    return json.dumps(plain, indent=1)


def _entry(entry: Result) -> dict[str, object]:
    return {
        "id": entry.check.id,
        "title": entry.check.title,
        "severity": entry.check.severity,
        "status": str(entry.verdict.status),
        "detail": entry.verdict.detail,
        "waived": entry.waived,
        "fix": entry.check.fix,
        "seconds": round(entry.seconds, 3),
    }


def list_text(checks: Iterable[Check]) -> str:
    """Return one line per check."""
    return "\n".join(f"{entry.id:<22} {entry.severity:<7} {entry.title}" for entry in checks)


def list_json(checks: Iterable[Check]) -> str:
    """Return what is known of every check before it runs."""
    names = ("id", "title", "severity", "why", "fix", "platforms", "unhardened")
    return json.dumps([{name: getattr(entry, name) for name in names} for entry in checks], indent=1)


def explain(entry: Check) -> str:
    """Return a check's guarantee, why it matters on an agent's host, and what makes it true."""
    platforms = ", ".join(entry.platforms)
    return f"{entry.id} ({entry.severity}; {platforms})\n{entry.title}\nWhy: {entry.why}\nFix: {entry.fix}"
