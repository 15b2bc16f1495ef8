"""What a drill found, as a table of plain text and as JSON."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from hostkit.drill.judge import exit_code
from hostkit.drill.model import Answer, Outcome, Probe

_ALONE = {True: "holds alone", False: "does not hold alone", None: "alone: not run or unclear"}


def as_json(client: str, outcomes: Iterable[Outcome]) -> str:
    """Return one object: client, exit code, counts, and one entry per probe."""
    found = tuple(outcomes)
    plain = {
        "client": client,
        "exit": int(exit_code(found)),
        "counts": _counts(found),
        "without_witness": sum(entry.probe.witness.kind == "none" for entry in found),
        "probes": [_entry(entry) for entry in found],
    }
    return json.dumps(plain, indent=2)


def _entry(entry: Outcome) -> dict[str, Any]:
    probe = entry.probe
    return {
        "id": probe.id,
        "group": probe.group,
        "title": probe.title,
        "answer": str(entry.answer),
        "why": entry.why,
        "witness": str(probe.witness),
        "walls": [{"wall": wall, "alone": entry.alone.get(wall)} for wall in probe.walls],
    }


def as_text(client: str, outcomes: Iterable[Outcome]) -> str:
    """Return the table, the walls that do not hold alone, and the sum in one line."""
    found = tuple(outcomes)
    width = max((len(entry.probe.id) for entry in found), default=0)
    lines = [line for entry in found for line in _lines(entry, width)]
    return "\n".join([f"Drill of {client}", "", *lines, "", *_weak(found), _sum(found)]) + "\n"


def _lines(entry: Outcome, width: int) -> list[str]:
    first = f"{entry.answer.upper():<14} {entry.probe.id:<{width}}  {entry.probe.title}"
    return [first, f"{'':<14} {'':<{width}}  {entry.why}"] if entry.why else [first]


def _weak(found: tuple[Outcome, ...]) -> list[str]:
    weak = [
        f"  {entry.probe.id}: {wall} {_ALONE[held]}"
        for entry in found
        for wall, held in entry.alone.items()
        if held is False or (held is None and any(value is not None for value in entry.alone.values()))
    ]
    return ["Walls that lean on another one:", *weak, ""] if weak else []


def _counts(found: tuple[Outcome, ...]) -> dict[str, int]:
    counted = Counter(entry.answer for entry in found)
    return {str(answer): counted[answer] for answer in Answer}


def _sum(found: tuple[Outcome, ...]) -> str:
    counts = ", ".join(f"{count} {answer}" for answer, count in _counts(found).items() if count)
    blind = sum(entry.probe.witness.kind == "none" for entry in found)
    return f"{len(found)} probes: {counts or 'nothing was tried'}; {blind} without a witness (reasons: docs/drills.md)"


def listing(probes: Iterable[Probe]) -> str:
    """Return one line per probe: id, the walls it attacks, its first sentence."""
    return "".join(f"{probe.id}  [{', '.join(probe.walls)}]  {probe.title}\n" for probe in probes)
