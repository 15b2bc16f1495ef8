"""Where a body ends: by its length, by its chunks, or with its connection (RFC 9112 sections 6 and 7); and anew."""

import re
from collections.abc import Callable
from typing import Protocol

from hostkit.gateway.http import HOP, AnswerHead, BadMessage, Headers, read_field

_STRICT = re.compile(rb"([0-9a-fA-F]{1,8})")
_LENIENT = re.compile(rb"([0-9a-fA-F]{1,20})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_Line = Callable[[bytes], None]
_LONGEST = 4096
"""Octets of a line of a chunked body, and of all its trailers."""
_NO_TRAILERS = HOP | frozenset(
    b"host content-length content-encoding content-type content-range authorization cookie expect range".split()
)


class Frame(Protocol):
    """Takes a body out of what comes on a connection; `done` at its end, with what follows it in `rest`."""

    done: bool
    rest: bytes
    trailers: Headers

    def feed(self, data: bytes) -> bytes:
        """Return the octets of the body in more of what came; raise BadMessage where the frame is broken."""

    def close(self) -> None:
        """Take the end of the connection; raise BadMessage if the body was not whole."""


class _Bounded:
    """A body that says itself where it ends."""

    trailers: Headers = ()

    def close(self) -> None:
        """Raise BadMessage: a body that is whole is not asked."""
        raise BadMessage("a body that was cut short")


class Sized(_Bounded):
    """A body of so many octets."""

    def __init__(self, size: int) -> None:
        self._left, self.done, self.rest = size, not size, b""

    def feed(self, data: bytes) -> bytes:
        """Return what of the data is the body's."""
        if len(data) < self._left:
            self._left -= len(data)
            return data
        piece, self.rest, self.done = data[: self._left], data[self._left :], True
        return piece


class UntilClosed:
    """A body that ends with its connection: HTTP/1.0 has no other way where the length is not known before."""

    trailers: Headers = ()
    rest = b""

    def __init__(self) -> None:
        self.done = False

    def feed(self, data: bytes) -> bytes:
        """Return all of it."""
        return data

    def close(self) -> None:
        """Take the end."""
        self.done = True


class Chunked(_Bounded):
    """A chunked body (RFC 9112 section 7.1).

    `strict`, for requests, refuses what two servers read in two ways: extensions, sizes with a space or over eight
    digits, and trailers that would change what the request is. Bare line ends are refused always.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict, self._line, self._left, self._told = strict, b"", 0, 0
        self._next: _Line = self._size
        self.done, self.rest = False, b""

    def feed(self, data: bytes) -> bytes:
        """Return the octets of the body in the data; raise BadMessage for a frame that is broken or unclear."""
        pieces, at = [], 0
        while at < len(data) and not self.done:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at, self._left = at + len(piece), self._left - len(piece)
                continue
            end = data.find(b"\n", at) + 1
            self._begun(data[at : end or len(data)])
            at = end or len(data)
            if end:
                self._whole()
        self.rest = data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _begun(self, more: bytes) -> None:
        """Take more of a line, refused at its first octet too much and not at a line end that may never come."""
        self._line += more
        if self._next == self._end and not b"\r\n".startswith(self._line):
            raise BadMessage("a chunk is longer than its size says")
        if len(self._line) > _LONGEST:
            raise BadMessage("a line of a chunked body is too long")

    def _whole(self) -> None:
        line, self._line = self._line, b""
        text = line.removesuffix(b"\r\n")
        if text == line or b"\r" in text:
            raise BadMessage("a bare line end in a chunked body")
        self._next(text)

    def _size(self, text: bytes) -> None:
        found = (_STRICT if self._strict else _LENIENT).fullmatch(text)
        if not found:
            raise BadMessage("a chunk's size is not one to eight hexadecimal digits, and nothing more")
        self._left = int(found[1], 16)
        self._next = self._end if self._left else self._trailer

    def _end(self, _: bytes) -> None:
        self._next = self._size

    def _trailer(self, text: bytes) -> None:
        if not text:
            self.done = True
            return
        name, value = read_field(text)
        self._told += len(text)
        if (self._strict and name in _NO_TRAILERS) or self._told > _LONGEST:
            raise BadMessage("a trailer that belongs before the body, or too many of them")
        self.trailers = (*self.trailers, (name, value))


def frame_of_request(told: dict[bytes, bytes]) -> Frame:
    """Return the frame of a request's body by its headers, the head read strictly."""
    return Chunked(strict=True) if b"transfer-encoding" in told else Sized(int(told.get(b"content-length", b"0")))


def frame_of_answer(method: str, head: AnswerHead) -> Frame:
    """Return the frame of the body of an answer to a request of this method."""
    told = dict(head.headers)
    if method == "HEAD" or head.status in {204, 304} or head.status < 200:
        return Sized(0)
    if b"transfer-encoding" in told:
        return Chunked(strict=False)
    return Sized(int(told[b"content-length"])) if b"content-length" in told else UntilClosed()


class Writer:
    """Writes a body: in chunks, or as it is."""

    def __init__(self, *, chunked: bool) -> None:
        self._chunked = chunked

    def piece(self, data: bytes) -> bytes:
        """Return how a piece of the body is written."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked and data else data

    def last(self, trailers: Headers = ()) -> bytes:
        """Return how the body's end is written; trailers are lost where there are no chunks."""
        if not self._chunked:
            return b""
        return b"0\r\n" + b"".join(b"%b: %b\r\n" % pair for pair in trailers) + b"\r\n"


def writer_like(frame: Frame) -> Writer:
    """Return what writes a body in the form that it came in."""
    return Writer(chunked=isinstance(frame, Chunked))
