"""One page for a browser: no script, nothing fetched, its style named by digest so that nothing else can colour it.

Jinja escapes whatever the template shows; there is no way in it to show something as it is.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from itertools import takewhile

from jinja2 import Environment, StrictUndefined

from hostkit.posture.history import Run, stamp
from hostkit.posture.model import SEVERITIES
from hostkit.report.check.told import WORDS, Line, Told

_RUNS = 60
_HEIGHT = 80


@dataclass(frozen=True)
class Bar:
    """One earlier run in the drawing: its parts from the ground up, each a word, its upper edge and its height."""

    x: int
    title: str
    parts: tuple[tuple[str, float, float], ...]


def render(told: Told) -> str:
    """Return the page."""
    style = _file("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    runs = [run for run in told.past if run.whole][-_RUNS:]
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        _file("page.html.j2")
    )
    return page.render(
        told=told,
        style=style,
        digest=digest,
        at=stamp(told.at),
        words=WORDS,
        lines=sorted(told.lines, key=lambda line: (WORDS.index(line.word), SEVERITIES.index(line.severity), line.id)),
        since={line.id: _since(line, runs) for line in told.lines},
        runs=[(stamp(run.at), run) for run in reversed(runs)],
        bars=_bars(runs),
        height=_HEIGHT,
    )


def _since(line: Line, runs: Iterable[Run]) -> str:
    """Return since when a check has said what it says now, as far as whole runs in the history tell."""
    same = list(takewhile(lambda run: run.answers.get(line.id) == line.word, reversed(tuple(runs))))
    return f"since {stamp(same[-1].at)}" if same else "new"


def _bars(runs: Iterable[Run]) -> list[Bar]:
    return [Bar(8 * number, _counted(run), _parts(run)) for number, run in enumerate(runs)]


def _counted(run: Run) -> str:
    return f"{stamp(run.at)}: " + ", ".join(f"{run.counts.get(word, 0)} {word}" for word in WORDS)


def _parts(run: Run) -> tuple[tuple[str, float, float], ...]:
    total, top, parts = max(1, sum(run.counts.get(word, 0) for word in WORDS)), float(_HEIGHT), []
    for word in WORDS:
        high = round(_HEIGHT * run.counts.get(word, 0) / total, 2)
        top = round(top - high, 2)
        parts.append((word, max(0.0, top), high))
    return tuple(parts)


def _file(name: str) -> str:
    return resources.files("hostkit.report.check").joinpath(name).read_text(encoding="utf-8")
