"""One request on its way: its body read as it comes, counted, looked through, and judged where a pin wants it."""

import asyncio
import contextlib

from hostkit.gateway.framing import Sized, frame_of_request
from hostkit.gateway.http import BadMessage, BadRequest, Headers, write_answer
from hostkit.gateway.inspect.credentials import carries, refuse_marks
from hostkit.gateway.inspect.fields import parse_body
from hostkit.gateway.inspect.house import House
from hostkit.gateway.inspect.judge import judge_body
from hostkit.gateway.inspect.judged import Judged
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.marks import LENGTH
from hostkit.gateway.requests import Asked, Denied

_SMALL = 64 * 1024
"""Octets of a body that is read before its request leaves, judged or not: one write instead of two tasks."""
_AT_ONCE = 0.05
"""Seconds that a chunked body is waited for before its head leaves without it."""
BODY_WAIT = 60.0
"""Seconds that an agent may be silent in the middle of a body."""


class Carried:
    """One request under way: the agent's side of it, what is judged while it passes, and what it came to."""

    def __init__(self, stream: Plain, house: House, judged: Judged, asked: Asked) -> None:
        self.stream, self.house, self.asked = stream, house, asked
        self.rules, self.vault, self.allowed = judged.rules, judged.vault, judged.allowed
        self.head, self.method, self.out = judged.head, judged.head.method, judged.out
        self.upstream_kept, self.sent, self.begun, self.held = False, False, False, 0
        self.frame = frame_of_request(judged.named)
        self.keeps, self._headers = judged.keeps, judged.named
        self.trailers: Headers = ()
        self._goes_on = not judged.waits
        self._tail = self._ahead = b""

    async def read_whole(self) -> bytes | None:
        """Return a body that is judged, or is small, whole; None for one that is streamed after its head.

        Raise Denied or BadRequest for a body that is too large, unclear, or not as a pin wants it.
        """
        size = self._announced()
        limit = self.allowed.limit
        if size is not None and limit and size > limit:
            raise Denied("too-large", f"a body of {size} bytes, {limit} are let through here")
        if size is None and not self.allowed.reads_body:
            return await self._read_ahead()
        if size is not None and size > _SMALL and not self.allowed.reads_body:
            return None
        body = bytearray()
        while (piece := await self.next_piece()) is not None:
            body += piece
            self.held += self.house.hold(len(piece))
            if len(body) > (limit or _SMALL):
                raise Denied("too-large", f"a body of over {limit or _SMALL} bytes")
        if self.allowed.reads_body:
            self._judge(bytes(body))
        return bytes(body)

    async def _read_ahead(self) -> bytes | None:
        """Return a chunked body that comes at once; None for one that is streamed, and what came of it is kept.

        What is small and broken is refused so before any of it leaves.
        """
        ahead = bytearray()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AT_ONCE):
                while len(ahead) <= _SMALL:
                    piece = await self.next_piece()
                    if piece is None:
                        return bytes(ahead)
                    ahead += piece
        self._ahead = bytes(ahead)
        return None

    def _judge(self, body: bytes) -> None:
        coding = self.request_header(b"content-encoding").strip().lower()
        if coding not in {"", "identity"}:
            raise BadRequest("body-unclear", "a compressed body cannot be judged; send it as it is")
        judge_body(
            self.allowed, parse_body(body, self.request_header(b"content-type"), nested=self.allowed.service.nested)
        )

    def request_header(self, name: bytes) -> str:
        """Return a header of the agent's request."""
        return self._headers.get(name, b"").decode("latin-1")

    def _announced(self) -> int | None:
        return int(self.request_header(b"content-length") or 0) if isinstance(self.frame, Sized) else None

    async def next_piece(self) -> bytes | None:
        """Return more of the body, counted and looked through for marks; None at its end."""
        if self._ahead:
            piece, self._ahead = self._ahead, b""
            return piece
        while not self.frame.done:
            if piece := await self._receive():
                return self._looked_through(piece)
        return None

    async def _receive(self) -> bytes:
        """Return what of the next data is the body's, what follows it put back at the body's end."""
        data = await self._read()
        try:
            piece = self.frame.feed(data)
        except BadMessage as why:
            raise BadRequest("bad-chunk", str(why)) from None
        if self.frame.done:
            self.stream.unread(self.frame.rest)
            self.trailers = self._judged_trailers(self.frame.trailers)
        return piece

    async def _read(self) -> bytes:
        if not self._goes_on and not self.stream.holds():
            self.stream.write(write_answer(100, b"Continue", ()))
            await self.stream.drain()
        self._goes_on = True
        if self.stream.holds():
            return await self.stream.read()
        try:
            async with asyncio.timeout(BODY_WAIT):
                data = await self.stream.read()
        except TimeoutError:
            raise Denied("too-slow", f"nothing more of a body in {BODY_WAIT:g} s") from None
        if not data:
            raise ConnectionResetError("the agent left in the middle of a body")
        return data

    def _looked_through(self, data: bytes) -> bytes:
        refuse_marks(self._tail + data, self.vault.mark)
        self._tail = (self._tail + data[-LENGTH:])[-LENGTH + 1 :]
        self.house.meter.take(self.rules, self.allowed.service.name, bytes_up=len(data))
        self.asked.up += len(data)
        if self.allowed.limit and self.asked.up > self.allowed.limit:
            raise Denied("too-large", f"a body of over {self.allowed.limit} bytes")
        return data

    def _judged_trailers(self, trailers: Headers) -> Headers:
        """Return the trailers; raise BadRequest for one that a server might take for a header that was judged."""
        service, pins = self.allowed.service, self.allowed.route.pins
        held = {pin.field.lower().encode() for pin in pins if pin.place == "header"}
        held |= {entry.partition(":")[0].lower().encode() for entry in (*service.sets, *service.drops)}
        for name, value in trailers:
            refuse_marks(name + b" " + value, self.vault.mark)
            if name in held or b"_" in name or carries(service, "header", name.decode("ascii")):
                raise BadRequest("bad-chunk", "a trailer that belongs before the body")
        return trailers
