"""One request on its way: its body read as it comes, counted, looked through, and judged where a pin wants it."""

import asyncio
import contextlib
from dataclasses import dataclass

import h11

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.credentials import carries, refuse_marks
from hostkit.gateway.inspect.fields import parse_body
from hostkit.gateway.inspect.framing import ChunkGuard
from hostkit.gateway.inspect.house import House
from hostkit.gateway.inspect.judge import Allowed, judge_body
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.inspect.vault import Vault
from hostkit.gateway.marks import LENGTH
from hostkit.gateway.requests import Asked, Denied
from hostkit.gateway.rules import Rules

_SMALL = 64 * 1024
"""Octets of a body that is read before its request leaves, judged or not: one write instead of two tasks."""
_AT_ONCE = 0.05
"""Seconds that a chunked body is waited for before its head leaves without it."""
BODY_WAIT = 60.0
"""Seconds that an agent may be silent in the middle of a body."""


@dataclass(frozen=True)
class Terms:
    """On what terms a request goes on: the rules and the vault of the moment it was judged, and the judgement."""

    house: House
    rules: Rules
    vault: Vault
    allowed: Allowed


class Carried:
    """One request under way: the agent's side of it, what is judged while it passes, and what it came to."""

    def __init__(
        self, stream: Plain, connection: h11.Connection, event: h11.Request, terms: Terms, asked: Asked
    ) -> None:
        self.stream, self.connection, self.asked = stream, connection, asked
        self.house, self.rules, self.vault, self.allowed = terms.house, terms.rules, terms.vault, terms.allowed
        self.upstream_kept, self.begun, self.held = False, False, 0
        self.trailers: list[tuple[bytes, bytes]] = []
        self._headers, self._version = dict(event.headers), event.http_version
        self._guard = ChunkGuard() if b"transfer-encoding" in self._headers else None
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

    @property
    def takes_trailers(self) -> bool:
        """Whether trailers may follow an answer: HTTP/1.0 has none."""
        return self._version != b"1.0"

    def request_header(self, name: bytes) -> str:
        """Return a header of the agent's request."""
        return self._headers.get(name, b"").decode("latin-1")

    def _announced(self) -> int | None:
        text = self.request_header(b"content-length")
        if self._guard is None:
            return int(text or 0)
        return None

    async def next_piece(self) -> bytes | None:
        """Return more of the body, counted and looked through for marks; None at its end."""
        if self._ahead:
            piece, self._ahead = self._ahead, b""
            return piece
        while True:
            try:
                event = self.connection.next_event()
            except h11.RemoteProtocolError as why:
                raise BadRequest("bad-chunk", str(why)) from None
            if event is h11.NEED_DATA:
                await self._receive()
            elif isinstance(event, h11.Data):
                return self._looked_through(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self.stream.unread(self.connection.trailing_data[0])
                self.trailers = self._judged_trailers(list(event.headers))
                return None
            else:
                raise ConnectionResetError("the agent left in the middle of a body")

    async def _receive(self) -> None:
        if self.connection.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self.stream.write(self.connection.send(go_on) or b"")
            await self.stream.drain()
        try:
            async with asyncio.timeout(BODY_WAIT):
                data = await self.stream.read()
        except TimeoutError:
            raise Denied("too-slow", f"nothing more of a body in {BODY_WAIT:g} s") from None
        if not data:
            raise ConnectionResetError("the agent left in the middle of a body")
        if self._guard is not None:
            self._guard.feed(data)
        try:
            self.connection.receive_data(data)
        except h11.RemoteProtocolError as why:
            raise BadRequest("bad-request", str(why)) from None

    def _looked_through(self, data: bytes) -> bytes:
        refuse_marks(self._tail + data, self.vault.mark)
        self._tail = (self._tail + data[-LENGTH:])[-LENGTH + 1 :]
        self.house.meter.take(self.rules, self.allowed.service.name, bytes_up=len(data))
        self.asked.up += len(data)
        if self.allowed.limit and self.asked.up > self.allowed.limit:
            raise Denied("too-large", f"a body of over {self.allowed.limit} bytes")
        return data

    def _judged_trailers(self, trailers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return the trailers; raise BadRequest for one that a server might take for a header that was judged."""
        service, pins = self.allowed.service, self.allowed.route.pins
        held = {pin.field.lower().encode() for pin in pins if pin.place == "header"}
        held |= {entry.partition(":")[0].lower().encode() for entry in (*service.sets, *service.drops)}
        for name, value in trailers:
            refuse_marks(name + b" " + value, self.vault.mark)
            if name in held or b"_" in name or carries(service, "header", name.decode("ascii")):
                raise BadRequest("bad-chunk", "a trailer that belongs before the body")
        return trailers
