"""What containers write, off a connection that the engine turned over to them.

Eight octets go before each piece: the first says which stream it is of (1 stdout, 2 stderr), the last four its size
(Engine API, "Attach to a container"; an exec's output is the same).
"""

import io
from collections.abc import Iterator
from typing import Any

_HEAD = 8
_PIECE = 64 * 1024


def reading(stream: Any, silence: float | None) -> io.BufferedReader:
    """Return what a socket of the SDK is read by; a read raises TimeoutError after so many silent seconds.

    What a container wrote at once may have come with the answer's head; it is then in the buffer that the head was read
    by, and lost to whoever reads the bare socket, as the SDK's own functions do (docker-py's issues 425 and 3332).
    """
    getattr(stream, "_sock", stream).settimeout(silence)
    answer = getattr(stream, "_response", None)
    buffered: io.BufferedReader = answer.raw._fp.fp if answer is not None else stream.makefile("rb")  # noqa: SLF001
    return buffered


def let_go(stream: Any) -> None:
    """Close a socket of the SDK and the connection under it, which the SDK leaves open."""
    if (answer := getattr(stream, "_response", None)) is not None:
        answer.close()
    stream.close()


def frames(source: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    """Yield what is written piece by piece, as it comes, each with its stream's number, until the connection's end."""
    while len(head := source.read(_HEAD)) == _HEAD:
        left = int.from_bytes(head[4:])
        while left and (piece := source.read1(min(left, _PIECE))):
            left -= len(piece)
            yield head[0], piece
