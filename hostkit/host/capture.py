"""What a program says, byte for byte and bounded, for where its answer is a secret: never text, never on a disk."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from hostkit.errors import CannotTell

_PIECE = 65536


@dataclass(frozen=True)
class Captured:
    """What a program answered: its exit code and both its streams; neither shows in its own text."""

    code: int
    out: bytes = field(repr=False)
    err: bytes = field(repr=False)


def capture(
    program: str, *words: str, real: str, environment: Mapping[str, str], timeout: float, most: int
) -> Captured:
    """Return what the file `real`, called as `program`, answered with exactly this environment and no stdin.

    Raise CannotTell, which holds nothing of what it said, if it cannot be run, takes over `timeout` seconds, or says
    over `most` bytes on a stream; it and what it started in its process group end then.
    """
    until = time.monotonic() + timeout
    try:
        running = subprocess.Popen(  # noqa: S603 - an argument list, never a shell
            [program, *words],
            executable=real,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    except OSError as why:
        raise CannotTell(f"{program} cannot be run: {why.strerror}") from None
    with running:
        try:
            out, err = _said(running, until, most)
            return Captured(running.wait(max(0.0, until - time.monotonic())), out, err)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise CannotTell(f"{program} gave no answer in {timeout:g} s") from None
        except OverflowError:
            raise CannotTell(f"{program} says more than {most} bytes") from None
        finally:
            _end(running)


def _said(running: "subprocess.Popen[bytes]", until: float, most: int) -> tuple[bytes, bytes]:
    """Return all of both streams; raise TimeoutError or OverflowError."""
    said = {stream: bytearray() for stream in (running.stdout, running.stderr) if stream}
    with selectors.DefaultSelector() as open_ones:
        for stream in said:
            open_ones.register(stream, selectors.EVENT_READ)
        while open_ones.get_map():
            if not (ready := open_ones.select(max(0.0, until - time.monotonic()))):
                raise TimeoutError
            for stream in [stream for stream in said if any(key.fileobj is stream for key, _ in ready)]:
                piece = os.read(stream.fileno(), _PIECE)
                said[stream] += piece
                if not piece:
                    open_ones.unregister(stream)
                if len(said[stream]) > most:
                    raise OverflowError
    out, err = said.values()
    return bytes(out), bytes(err)


def _end(running: "subprocess.Popen[bytes]") -> None:
    """Kill the process group unless the program was waited for: until then its number is nobody else's."""
    if running.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
