"""What h11 is lenient about in a chunked body, refused; and which headers belong to one connection only."""

import re
from collections.abc import Iterable

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.credentials import Headers

_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
_LONGEST = 4096
_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authorization proxy-authenticate te trailer upgrade http2-settings "
    b"transfer-encoding".split()
)
_NO_TRAILERS = _HOP | frozenset(
    b"host content-length content-encoding content-type content-range authorization cookie expect range".split()
)


class ChunkGuard:
    """Reads a chunked body's frame beside h11 (RFC 9112 section 7.1), and refuses what two servers read in two ways.

    Refused: chunk extensions, sizes with a sign, a space or over eight digits, bare line ends, and trailers that would
    change what the request is. What follows the body is not looked at.
    """

    def __init__(self) -> None:
        self._line, self._left, self.done = b"", 0, False
        self._state = "size"

    def feed(self, data: bytes) -> None:
        """Follow more of the body; raise BadRequest `bad-chunk`."""
        while data and not self.done:
            if self._state == "data":
                taken = min(self._left, len(data))
                self._left, data = self._left - taken, data[taken:]
                self._state = "data" if self._left else "end"
                continue
            line, feed, data = data.partition(b"\n")
            self._line += line + feed
            if self._state == "end" and not b"\r\n".startswith(self._line):
                raise BadRequest("bad-chunk", "a chunk is longer than its size says")
            if len(self._line) > _LONGEST:
                raise BadRequest("bad-chunk", "a line of a chunked body is too long")
            if feed:
                self._whole(self._line)
                self._line = b""

    def _whole(self, line: bytes) -> None:
        text = line.removesuffix(b"\r\n")
        if text == line or b"\r" in text:
            raise BadRequest("bad-chunk", "a bare line end in a chunked body")
        if self._state == "size":
            if not _SIZE.fullmatch(text):
                raise BadRequest("bad-chunk", "a chunk's size is not one to eight hexadecimal digits, and nothing more")
            self._left = int(text, 16)
            self._state = "data" if self._left else "trailers"
        elif self._state == "end":
            self._state = "size"
        else:
            self._trailer(text)

    def _trailer(self, text: bytes) -> None:
        if not text:
            self.done = True
        elif not _TRAILER.fullmatch(text) or text.partition(b":")[0].lower() in _NO_TRAILERS:
            raise BadRequest("bad-chunk", "a trailer that is no header, or one that belongs before the body")


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers but for those of one connection: the known ones, and what `Connection` names."""
    told = tuple(headers)
    named = {
        word.strip().lower() for name, value in told if name == b"connection" for word in value.split(b",") if word
    }
    return tuple((name, value) for name, value in told if name not in _HOP and name not in named)
