"""How far a run is, on one line of a terminal that is gone when the run ends; for nobody where nobody looks on."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hostkit.posture.trials import Progress, Told

_CLEAR = "\r\x1b[K"


@contextmanager
def shown() -> Iterator[Told | None]:
    """Give what hears of a run's progress; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        yield _show
    finally:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()


def _show(progress: Progress) -> None:
    sys.stderr.write(_CLEAR + line(progress, shutil.get_terminal_size().columns))
    sys.stderr.flush()


def line(progress: Progress, columns: int) -> str:
    """Return one line that no terminal of so many columns wraps."""
    going = f"; goes on: {', '.join(progress.running)}" if progress.running else ""
    return f"{progress.ended} of {progress.total} checks{going}"[: max(0, columns - 1)]
