"""For a person at a terminal: by subject, failing first, each failure with what makes it true; then what to do."""

from itertools import groupby

from hostkit.posture.model import SEVERITIES
from hostkit.report.check.told import WORDS, Line, Told
from hostkit.report.words import safe


def render(told: Told) -> str:
    """Return the results, the next steps, the waivers in force, and the sum as the last line."""
    width = max((len(line.id) for line in told.lines), default=0)
    groups = [sorted(found, key=_rank) for _, found in groupby(told.lines, key=lambda line: line.subject)]
    groups.sort(key=lambda found: _rank(found[0]))
    rows = [row for found in groups for line in found for row in _rows(line, width)]
    return "\n".join([*rows, "", *_next(told), *told.notes, waivers(told), total(told)])


def _rank(line: Line) -> tuple[int, int]:
    return WORDS.index(line.word), SEVERITIES.index(line.severity)


def _rows(line: Line, width: int) -> list[str]:
    rows = [f"{line.word:<8} {line.severity:<8} {line.id:<{width}}  {line.title}"]
    indent = " " * (width + 20)
    if line.word != "ok" and line.detail:
        rows.append(f"{indent}seen: {safe(line.detail)}")
    if line.word == "waived":
        rows.append(f"{indent}waived: {safe(line.waived)}")
    elif line.word == "fail":
        rows.append(f"{indent}do: {line.fix}")
    return rows


def _next(told: Told) -> list[str]:
    failing = [line for line in told.lines if line.word == "fail"]
    plays = sorted({line.play.partition("-")[2] for line in failing if line.play})
    by_hand = sum(not line.play for line in failing)
    unseen = sum(line.word == "unknown" for line in told.lines)
    steps = []
    if plays:
        made = len(failing) - by_hand
        steps.append(f"  hostkit bootstrap --check --only {','.join(plays)}: what would change to make {made} true")
    if by_hand:
        steps.append(f"  by hand: {by_hand}, each as its `do` says; hostkit check --explain ID says why")
    if unseen:
        how = "as its `seen` says" if told.root else "first as root: sudo hostkit check"
        steps.append(f"  {unseen} could not be seen: {how}")
    return ["what to do next:", *steps, ""] if steps else []


def waivers(told: Told) -> str:
    """Return the line that nothing leaves out: how many waivers are in force, until when, and who owns them."""
    named = ", ".join(f"{one.id} until {one.until}, {one.owner}" for one in told.waivers)
    critical = sum(one.severity == SEVERITIES[0] for one in told.waivers)
    graver = f", {critical} of them critical" if critical else ""
    return f"waivers in force: {len(told.waivers)}{graver}" + (f" ({named})" if named else "")


def total(told: Told) -> str:
    """Return how many checks there were, and how many of each answer."""
    counts = told.counts
    words = [
        f"{counts[word]} {word}" for word in ("ok", "fail", "unknown", "waived", "baseline", "skip") if word in counts
    ]
    narrowed = "" if told.whole else " (not all of them)"
    return f"{len(told.lines)} checks{narrowed}: {', '.join(words) or 'nothing was looked at'}"
