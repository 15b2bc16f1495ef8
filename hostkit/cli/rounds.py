"""`hostkit check` again and again, and compared with an earlier run."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hostkit.posture.history import Run
    from hostkit.posture.run import Report
    from hostkit.report.check.told import Told

_INTERRUPTED = 130
"""How Ctrl-C ends a command: hostkit.cli turns the signal into this exit."""


def compared(done: "Report", told: "Told", earlier: "Run | None", form: str) -> str:
    """Return what changed since an earlier run, as text or as JSON."""
    from hostkit.posture.differences import differences  # noqa: PLC0415
    from hostkit.posture.history import stamp  # noqa: PLC0415
    from hostkit.report import differences as report  # noqa: PLC0415

    changes = differences(earlier.answers if earlier else {}, done, whole=told.whole)
    if not earlier:
        changes = tuple(one for one in changes if one.kind in {"new", "unseen"})
    since = stamp(earlier.at) if earlier else ""
    return report.as_json(changes, since, told) if form == "json" else report.as_text(changes, since, told)


def watched(check: Callable[[], tuple["Report", "Told"]], seconds: float) -> int:
    """Print a whole run, then what changes at each later one, until Ctrl-C; return the exit code of the last."""
    from hostkit.report.check import render  # noqa: PLC0415

    last = None
    try:
        while True:
            done, told = check()
            lines = render("text", told) if last is None else _changed(last, done, whole=told.whole)
            last = done
            if lines:
                click.echo(lines)
            threading.Event().wait(seconds)
    except (KeyboardInterrupt, SystemExit) as ended:
        if last is None or (isinstance(ended, SystemExit) and ended.code != _INTERRUPTED):
            raise
        return int(last.exit)


def _changed(last: "Report", done: "Report", *, whole: bool) -> str:
    from hostkit.posture.differences import differences, words  # noqa: PLC0415
    from hostkit.report.differences import rows_of  # noqa: PLC0415

    changes = differences(words(last), done, whole=whole)
    at = datetime.now(UTC).strftime("%H:%M:%S UTC")
    return "\n".join(f"{at}  {row}" for change in changes for row in rows_of(change))
