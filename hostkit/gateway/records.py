"""What left and what did not: one JSON line each, written before the request leaves."""

import contextlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

STATUS_SIZE = 4096
"""Octets of status.json, laid down once, so that a full volume can still say that it is full."""
_NAMES = 512
_LOOK = 0.1
"""Seconds that a look at the volume counts for; what is written here meanwhile is taken off it. A look for each record
took a third of its time, and every question to the kernel lets the thread that syncs cut in."""


class RecordsFull(OSError):  # noqa: N818 - it is an answer
    """There is no room for a record, so there is no request."""


class Records:
    """The request log of one gateway: append-only from here, read by the host alone.

    A line is with the kernel (survives kill -9) when `write` returns, and on disk at most 0.1 s later. Nothing here is
    ever deleted or turned over: whoever could fill the records could wash out what he did. When the budget is used up
    the gateway stops, until the owner raises `limits.records` or takes the volume away.

    `previous` is the status that an earlier run of the gateway left.
    """

    def __init__(self, directory: Path, reserve: int, budget: int) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._directory, self.reserve, self.budget = directory, reserve, budget
        self._fd = os.open(directory / "requests.jsonl", flags, 0o600)
        in_place = flags & ~(os.O_APPEND | os.O_WRONLY) | os.O_RDWR
        self._status = os.open(directory / "status.json", in_place, 0o644)
        self.previous = plain(os.pread(self._status, STATUS_SIZE, 0))
        self._broken, self._looked = "", -_LOOK
        self._space = self._size = 0
        self._dirty = threading.Event()
        threading.Thread(target=self._sync, daemon=True).start()

    def full(self) -> str:
        """Return why no record fits, empty if one does: a broken disk, space under the reserve, the budget used up."""
        if self._broken:
            return f"records do not reach the disk: {self._broken}"
        if (now := time.monotonic()) >= self._looked + _LOOK:
            self._look(now)
        if self._space < self.reserve:
            return f"under {self.reserve} bytes are free for records"
        if self._size > self.budget:
            return f"the records' budget of {self.budget} bytes is used up"
        return ""

    def _look(self, now: float) -> None:
        volume = os.fstatvfs(self._fd)
        self._looked, self._space = now, volume.f_bavail * volume.f_frsize
        self._size = os.fstat(self._fd).st_size

    def write(self, *, last: bool = False, **fields: Any) -> None:
        """Append one line; raise RecordsFull if it is not with the kernel, whole, when this returns.

        `last` is for how a request ended: it may take of the reserve, for what has left cannot be called back.
        """
        why = self.full()
        if why and not last:
            raise RecordsFull(why)
        line = _line(fields)
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            raise RecordsFull(error.strerror) from None
        if written != len(line):
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)  # half a line would swallow the next one
            raise RecordsFull("a record was cut short")
        self._size, self._space = self._size + written, self._space - written
        if not self._dirty.is_set():  # if it is, its sync comes after this
            self._dirty.set()

    def status(self, **fields: Any) -> None:
        """Overwrite the status in place; a volume that is full takes it all the same once it has been laid down."""
        text = json.dumps({"at": round(time.time(), 3), "pid": os.getpid(), **_short(fields)}).encode()
        with contextlib.suppress(OSError):  # whoever reads it sees that it is old
            os.pwrite(self._status, text[:STATUS_SIZE].ljust(STATUS_SIZE), 0)

    def _sync(self) -> None:
        while True:
            self._dirty.wait()
            self._dirty.clear()
            try:
                os.fdatasync(self._fd)
            except OSError as why:
                self._broken = str(why.strerror)
            time.sleep(0.05)


def plain(text: str | bytes) -> dict[str, Any]:
    """Return the fields of one record or status, none of what is no JSON object."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _line(fields: dict[str, Any]) -> bytes:
    told = {"at": round(time.time(), 6), **fields}
    text = json.dumps(told)
    return (text if len(text) <= _NAMES else json.dumps(_short(told))).encode() + b"\n"


def _short(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value[:_NAMES] if isinstance(value, str) else value for key, value in fields.items()}
