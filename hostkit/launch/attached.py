"""Words with a container that was attached to: lines of JSON into its stdin, lines of JSON out of its stdout."""

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

from hostkit.engine.frames import frames, let_go, reading
from hostkit.errors import CannotTell

_LIMIT = 1024 * 1024


def send(stream: Any, line: bytes) -> None:
    """Write to the stdin of an attached container."""
    getattr(stream, "_sock", stream).sendall(line)


def hang_up(stream: Any) -> None:
    """End what reads its stdin by ending that; it leaves by itself, faster than it can be killed."""
    with contextlib.suppress(OSError):
        getattr(stream, "_sock", stream).shutdown(socket.SHUT_RDWR)
    let_go(stream)


def answers(stream: Any, who: str = "probe", wait: float = 20.0) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines that a container prints; raise CannotTell with its last words if it prints no more."""
    pieces, said = frames(reading(stream, wait)), {1: b"", 2: b""}
    while True:
        with contextlib.suppress(OSError):
            while b"\n" not in said[1] and len(said[1]) < _LIMIT and (found := next(pieces, None)):
                said[2 if found[0] == 2 else 1] += found[1]
        line, _, said[1] = said[1].partition(b"\n")
        try:
            yield dict(json.loads(line))
        except ValueError:
            words = said[2].decode(errors="replace").strip().splitlines()
            raise CannotTell(f"the {who} gave no answer{': ' + words[-1] if words else ''}") from None
