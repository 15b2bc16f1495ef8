"""A compressed answer opened piece by piece, and given up when it grows beyond reason."""

import zlib
from collections.abc import Iterator

from hostkit.gateway.requests import Denied

RATIO = 200
"""Times its size that an answer may grow: text of real services stays under 30, deflate ends at 1,032."""
FREE = 1024 * 1024
"""Octets that an answer may always grow to."""
_PIECE = 256 * 1024


class Inflater:
    """Opens `gzip` or `deflate` (RFC 9110 section 8.4.1); no piece that it yields is over 256 KiB."""

    def __init__(self, coding: str) -> None:
        if coding not in {"gzip", "x-gzip", "deflate"}:
            raise Denied("encoding", f"an answer in the encoding {coding[:20]!a}, which was not asked for")
        self._bits = 0 if coding == "deflate" else zlib.MAX_WBITS | 16
        self._stream = zlib.decompressobj(self._bits or zlib.MAX_WBITS)
        self._taken = self._given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the pieces that the data opens to; raise Denied if it is broken, or grows over RATIO beyond FREE."""
        if data and not self._bits:
            self._begin(data[0])
        self._taken += len(data)
        more = bool(data)
        while more:
            piece, data = self._step(data)
            self._given += len(piece)
            if self._given > max(FREE, self._taken * RATIO):
                raise Denied("bomb", f"an answer that opens to over {RATIO} times its size")
            yield piece
            more = bool(data) or len(piece) == _PIECE  # a full piece: zlib may hold more, with nothing left to read

    def _begin(self, first: int) -> None:
        """Choose how to read `deflate`: some servers send it without zlib's head, whose first four bits are 8."""
        self._bits = zlib.MAX_WBITS if first & 15 == 8 else -zlib.MAX_WBITS
        self._stream = zlib.decompressobj(self._bits)

    def _step(self, data: bytes) -> tuple[bytes, bytes]:
        if data and self._stream.eof:  # gzip may hold several members, one after the other
            self._stream = zlib.decompressobj(self._bits)
        try:
            piece = self._stream.decompress(data, _PIECE)
        except zlib.error:
            raise Denied("encoding", "an answer whose compression is broken") from None
        return piece, self._stream.unconsumed_tail or self._stream.unused_data

    @property
    def whole(self) -> bool:
        """Whether the compressed answer has ended where its own form says."""
        return self._stream.eof or not self._taken
