"""How a figure is measured and how it is written down."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured value, and where there is one, the peer's value in the same run and our share of it."""

    name: str
    value: float
    unit: str
    peer: float | None
    ratio: float | None
    goal: float | None
    """The most that the value may be, or where there is a peer, the ratio; it is said, not written. None only tells."""
    least: bool = False
    """Whether the goal is the least that the value may be."""

    @property
    def within(self) -> bool:
        if self.goal is None:
            return True
        judged = self.value if self.ratio is None else self.ratio
        return judged >= self.goal if self.least else judged <= self.goal


def alone(name: str, values: list[float], goal: float) -> Figure:
    return Figure(name, round(statistics.median(values), 3), "s", None, None, goal)


def at_least(name: str, values: list[float], unit: str, goal: float) -> Figure:
    return Figure(name, round(statistics.median(values), 3), unit, None, None, goal, least=True)


def against(name: str, values: list[float], peers: list[float], goal: float) -> Figure:
    value, peer = statistics.median(values), statistics.median(peers)
    return Figure(name, round(value, 3), "s", round(peer, 3), round(value / peer, 2), goal)


def seconds(*command: str, codes: tuple[int, ...] = (0,)) -> float:
    """Return how long a command took; raise RuntimeError if it did not end as it should."""
    started = time.monotonic()
    run(*command, codes=codes)
    return time.monotonic() - started


def run(*command: str, codes: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def as_installed() -> None:
    """Let the first of the runs keep its bytecode, as an installation has it, where this machine would not."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def times(rounds: int, measure: Callable[[], float]) -> list[float]:
    return [measure() for _ in range(rounds)]


def write(figures: list[Figure], path: Path) -> None:
    path.write_text(json.dumps([_written(figure) for figure in figures], indent=1) + "\n")


def _written(figure: Figure) -> dict[str, object]:
    return {key: value for key, value in asdict(figure).items() if key not in {"goal", "least"}}


_HEADS = ("measured", "value", "peer", "ratio", "goal", "stands")


def table(found: list[Figure]) -> str:
    """Return the figures as lines of a table, with what each was to be and whether it is."""
    rows = [_HEADS, *(_row(figure) for figure in found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADS))]
    return "\n".join(" | ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    peer = "" if figure.peer is None else f"{figure.peer:g} {figure.unit}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    row = (figure.name, f"{figure.value:g} {figure.unit}", peer, ratio)
    if figure.goal is None:
        return *row, "", ""
    return *row, f"{'>=' if figure.least else '<='} {figure.goal:g}", "yes" if figure.within else "NO"


def report(found: list[Figure], path: Path) -> int:
    """Write the figures, and return their verdict."""
    write(found, path)
    return verdict(found)


def verdict(found: list[Figure]) -> int:
    """Print the figures and return the exit code: 1 if a goal is missed."""
    print(table(found))
    return 0 if all(figure.within for figure in found) else 1
