"""What earlier runs of `hostkit check` found: one line each in a file that only root reads, the newest 400 kept."""

import errno
import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from hostkit import __version__
from hostkit.posture.run import Report
from hostkit.posture.written import private_folder, replace

KEPT = 400
_SPARE = 40
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Run:
    """One run: `at` is in UTC, `whole` false where --only or --skip left checks out, `answers` each check's word."""

    at: datetime
    version: str
    whole: bool
    counts: Mapping[str, int]
    answers: Mapping[str, str]


_RUN = TypeAdapter(Run)


def record(report: Report, at: datetime, *, whole: bool) -> Run:
    """Return what is kept of a run; a check that fails under a waiver in force is `waived`."""
    answers = {e.check.id: "waived" if e.waived else str(e.verdict.status) for e in report.results}
    return Run(at.astimezone(UTC).replace(microsecond=0), __version__, whole, dict(Counter(answers.values())), answers)


def runs(state: Path) -> tuple[Run, ...]:
    """Return every run that is kept, the oldest first; what is none, or cannot be read, is left out."""
    try:
        with _file(state).open("rb") as file:
            lines = file.read(_MOST_BYTES).splitlines()
    except OSError:
        return ()
    return _newest(run for line in lines for run in _parsed(line))


def last(state: Path) -> Run | None:
    """Return the latest run of all checks; one that was narrowed is never compared as if it were whole."""
    return next((run for run in reversed(runs(state)) if run.whole), None)


def append(state: Path, run: Run) -> None:
    """Keep a run too, as a whole line or not at all, and at times let the oldest go; raise OSError if it cannot be."""
    folder = private_folder(state, "checks")
    with _locked(folder):
        if _added(_file(state), _line(run)) > KEPT + _SPARE:
            replace(_file(state), b"".join(_line(one) for one in runs(state)))


def _line(run: Run) -> bytes:
    told = {"at": stamp(run.at), "version": run.version, "whole": run.whole}
    return f"{json.dumps({**told, 'counts': dict(run.counts), 'answers': dict(run.answers)})}\n".encode()


def _added(file: Path, line: bytes) -> int:
    """Put a line at the end and return how many there are then; half a line of a power cut before it stays alone."""
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "rb", buffering=0) as there:
        before = there.read(_MOST_BYTES) or b""
        size = os.fstat(descriptor).st_size
        more = line if before.endswith(b"\n") or not before else b"\n" + line
        if os.write(descriptor, more) < len(more):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return before.count(b"\n") + more.count(b"\n")


def _newest(kept: Iterable[Run]) -> tuple[Run, ...]:
    """Return at most 400 runs: the narrowed ones go first, so that somebody's --only in a loop forgets no whole one."""
    every = tuple(kept)
    over = max(0, len(every) - KEPT)
    narrowed = [number for number, run in enumerate(every) if not run.whole]
    whole = [number for number, run in enumerate(every) if run.whole]
    gone = set((narrowed + whole)[:over])
    return tuple(run for number, run in enumerate(every) if number not in gone)


def _parsed(line: bytes) -> list[Run]:
    try:
        found = _RUN.validate_json(line)
    except ValidationError:
        return []
    return [found] if found.at.tzinfo else []


def stamp(at: datetime) -> str:
    """Return a moment as every form of hostkit writes it: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _file(state: Path) -> Path:
    return state / "checks" / "history.jsonl"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
