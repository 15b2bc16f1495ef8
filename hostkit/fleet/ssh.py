"""The edge of the fleet: one command over ssh, its answer bounded in size and time."""

import asyncio
import contextlib
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass

from hostkit.errors import HostkitError

LARGEST = 4 * 1024 * 1024
"""Bytes of an answer; a host that says more is not listened to any longer."""
_PIECE = 65536
UNREACHED = 255
"""What ssh itself returns if it did not get through."""
TOO_LATE = -1
TOO_MUCH = -2


@dataclass(frozen=True)
class Said:
    """What a host answered: its exit code, or UNREACHED, TOO_LATE, TOO_MUCH; what came until then is kept."""

    code: int
    out: str = ""
    err: str = ""


async def talk(words: list[str], seconds: float, heard: Callable[[str], None] = lambda _: None) -> Said:
    """Run a command of ssh; `heard` gets each line of stdout as it comes. Raise HostkitError if there is no ssh."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env={**os.environ, "LC_ALL": "C"}
        )
    except FileNotFoundError:
        raise HostkitError("ssh is not installed here", "install OpenSSH's client") from None
    out, err = _Heard(heard), _Heard()
    try:
        code = await asyncio.wait_for(_listen(process, out, err), seconds)
    except TimeoutError:
        code = TOO_LATE
    finally:
        await _end(process)
    return Said(code, out.text(), err.text())


class _FullError(Exception):
    pass


class _Heard:
    """A stream's bytes so far, at most LARGEST, passed on line by line."""

    def __init__(self, line: Callable[[str], None] = lambda _: None) -> None:
        self._line, self._all, self._rest = line, bytearray(), b""

    def take(self, piece: bytes) -> None:
        """Take a piece; raise _FullError if there is no room for more."""
        self._all += piece
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace"))
        if len(self._all) > LARGEST:
            raise _FullError

    def text(self) -> str:
        return self._all.decode(errors="replace")


async def _listen(process: Process, out: _Heard, err: _Heard) -> int:
    full = False
    try:
        async with asyncio.TaskGroup() as both:  # the first that is full ends the other
            both.create_task(_read(process.stdout, out))
            both.create_task(_read(process.stderr, err))
    except* _FullError:
        full = True
    return TOO_MUCH if full else await process.wait()


async def _read(stream: asyncio.StreamReader | None, into: _Heard) -> None:
    while stream and (piece := await stream.read(_PIECE)):
        into.take(piece)


async def _end(process: Process) -> None:
    """Leave no process and no open pipe behind; what was still in the pipes is thrown away."""
    if process.returncode is None:
        process.kill()
    with contextlib.suppress(TimeoutError):  # a helper of ssh's own may hold them open after it
        await asyncio.wait_for(asyncio.gather(_drain(process.stdout), _drain(process.stderr)), 1)
    await process.wait()


async def _drain(stream: asyncio.StreamReader | None) -> None:
    while stream and await stream.read(_PIECE):
        pass
