"""What left and what did not: one JSON line each, written before the request leaves."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

STATUS_SIZE = 4096
"""Octets of status.json, laid down once, so that a full volume can still say that it is full."""
_NAMES = 512


class RecordsFull(OSError):  # noqa: N818 - it is an answer
    """There is no room for a record, so there is no request."""


class Records:
    """The request log of one gateway: append-only from here, read by the host alone.

    A line is with the kernel (survives kill -9) when `write` returns, and on disk at most 0.1 s later.
    """

    def __init__(self, directory: Path, reserve: int, budget: int) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._directory, self.reserve, self.budget = directory, reserve, budget
        self._fd = os.open(directory / "requests.jsonl", flags, 0o600)
        self._status = os.open(directory / "status.json", flags & ~os.O_APPEND, 0o644)
        os.pwrite(self._status, b" " * STATUS_SIZE, 0)
        self._dirty = threading.Event()
        threading.Thread(target=self._sync, daemon=True).start()

    def full(self) -> str:
        """Return why no record fits, empty if one does: free space under the reserve, or the budget used up."""
        space = os.fstatvfs(self._fd)
        if space.f_bavail * space.f_frsize < self.reserve:
            return f"under {self.reserve} bytes are free for records"
        if os.fstat(self._fd).st_size > self.budget:
            return f"the records' budget of {self.budget} bytes is used up"
        return ""

    def write(self, **fields: Any) -> None:
        """Append one line; raise RecordsFull if it is not with the kernel, whole, when this returns."""
        why = self.full()
        if why:
            raise RecordsFull(why)
        line = json.dumps({"at": round(time.time(), 6), **_short(fields)}).encode() + b"\n"
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            raise RecordsFull(error.strerror) from None
        if written != len(line):
            raise RecordsFull("a record was cut short")
        self._dirty.set()

    def status(self, **fields: Any) -> None:
        """Overwrite the status in place; a volume that is full takes it all the same."""
        text = json.dumps({"at": round(time.time(), 3), "pid": os.getpid(), **_short(fields)}).encode()
        os.pwrite(self._status, text[:STATUS_SIZE].ljust(STATUS_SIZE), 0)

    def _sync(self) -> None:
        while True:
            self._dirty.wait()
            self._dirty.clear()
            os.fdatasync(self._fd)
            time.sleep(0.05)


def _short(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value[:_NAMES] if isinstance(value, str) else value for key, value in fields.items()}
