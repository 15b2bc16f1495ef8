"""Files into a container and out of it, as the tar streams that the engine takes and gives."""

import io
import tarfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hostkit.errors import CannotTell

_PIECE = 1024 * 1024
_LARGEST = 16 * 1024**3
"""Octets of a container's file that is read at all: a sparse one can claim to be of any size."""


@dataclass(frozen=True)
class Entry:
    """A file to lay down in a container, or with no content a directory; an existing one takes owner and mode."""

    name: str
    content: bytes | None = None
    uid: int = 0
    mode: int = 0o444


def archive(entries: Sequence[Entry]) -> bytes:
    """Return a tar of these entries, each with its owner and mode."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as made:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type = tarfile.DIRTYPE if entry.content is None else tarfile.REGTYPE
            info.size, info.mode, info.uid, info.gid = len(entry.content or b""), entry.mode, entry.uid, entry.uid
            made.addfile(info, io.BytesIO(entry.content or b""))
    return buffer.getvalue()


class _Chunks(io.RawIOBase):
    """What comes in chunks, as a file: a container's file is never held whole."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and (piece := next(self._chunks, None)) is not None:
            self._rest = piece
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _tail(file: Any, limit: int) -> bytes:
    pieces: deque[bytes] = deque()
    size = 0
    while piece := file.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        while size - len(pieces[0]) >= limit:
            size -= len(pieces.popleft())
    return b"".join(pieces)[-limit:]


def last_of(what: str, chunks: Iterator[bytes], limit: int) -> bytes:
    """Return the last `limit` octets of the one file in a tar stream; raise CannotTell if it is none to be read."""
    with tarfile.open(fileobj=io.BufferedReader(_Chunks(chunks), _PIECE), mode="r|") as opened:
        member = opened.next()
        if member is None or not member.isreg() or member.size > _LARGEST:
            raise CannotTell(f"{what} is not a regular file of a size to be read")
        file = opened.extractfile(member)
        return _tail(file, limit) if file else b""
