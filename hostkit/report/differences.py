"""What changed since a run, as text and as JSON; what nothing leaves out is said here too."""

import json
from collections.abc import Iterable

from hostkit.posture.differences import Change
from hostkit.report.check.to_text import total, waivers
from hostkit.report.check.told import Told
from hostkit.report.words import FIELD, safe


def as_text(changes: Iterable[Change], since: str, told: Told) -> str:
    """Return the changes, each failure with what to do, then the notes, the waivers and the sum of the whole run."""
    head = f"since {since}:" if since else "there is no earlier whole run to compare with, so all that fails is new:"
    rows = [row for change in changes for row in rows_of(change)] or ["nothing changed"]
    return "\n".join([head, *rows, "", *told.notes, waivers(told), total(told)])


def rows_of(change: Change) -> list[str]:
    """Return one line for a change; for what fails or cannot be seen, what was seen and what to do too."""
    entry = change.result
    if entry is None:
        return [f"{change.kind:<8} {safe(change.id)} (it was {safe(change.before)}; it is not asked any more)"]
    rows = [f"{change.kind:<8} {entry.check.severity:<8} {change.id}  {safe(entry.check.title)}"]
    if change.kind in {"new", "unseen"} and entry.verdict.detail:
        rows.append(f"{'':<18}seen: {safe(entry.verdict.detail)}")
    if change.kind == "new":
        rows.append(f"{'':<18}do: {safe(entry.check.fix)}")
    return rows


def as_json(changes: Iterable[Change], since: str, told: Told) -> str:
    """Return one object: the exit code of the whole run, what it was compared with, and the changes."""
    plain = {
        "schema_version": 1,
        "exit": int(told.exit),
        "since": since or None,
        "changes": [_entry(change) for change in changes],
        "notes": list(told.notes),
        "waivers_in_force": len(told.waivers),
    }
    return json.dumps(plain, indent=1)


def _entry(change: Change) -> dict[str, object]:
    entry = change.result
    return {
        "id": safe(change.id),
        "kind": change.kind,
        "before": safe(change.before) or None,
        "now": entry.word if entry else None,
        "severity": entry.check.severity if entry else None,
        "detail": safe(entry.verdict.detail, FIELD) if entry else "",
        "fix": safe(entry.check.fix, FIELD) if entry else "",
    }
