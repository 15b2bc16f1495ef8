"""One request on its way: its body read as it comes, counted, looked through, and judged where a pin wants it."""

import asyncio
from dataclasses import dataclass

import h11

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.credentials import refuse_marks
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
_BODY_WAIT = 60.0
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
        self.upstream_kept = self.begun = False
        self.trailers: list[tuple[bytes, bytes]] = []
        self._headers = dict(event.headers)
        self._guard = ChunkGuard() if b"transfer-encoding" in self._headers else None
        self._tail = b""

    async def read_whole(self) -> bytes | None:
        """Return a body that is judged, or is small, whole; None for one that is streamed after its head.

        Raise Denied or BadRequest for a body that is too large, unclear, or not as a pin wants it.
        """
        size = self._announced()
        limit = self.allowed.limit
        if size is not None and limit and size > limit:
            raise Denied("too-large", f"a body of {size} bytes, {limit} are let through here")
        if not self.allowed.reads_body and (size is None or size > _SMALL):
            return None
        body = bytearray()
        while (piece := await self.next_piece()) is not None:
            body += piece
            if len(body) > (limit or _SMALL):
                raise Denied("too-large", f"a body of over {limit or _SMALL} bytes")
        if self.allowed.reads_body:
            judge_body(self.allowed, parse_body(bytes(body), self.request_header(b"content-type")))
        return bytes(body)

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
        while True:
            event = self.connection.next_event()
            if event is h11.NEED_DATA:
                await self._receive()
            elif isinstance(event, h11.Data):
                return self._looked_through(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self.stream.unread(self.connection.trailing_data[0])
                self.trailers = list(event.headers)
                return None
            else:
                raise ConnectionResetError("the agent left in the middle of a body")

    async def _receive(self) -> None:
        if self.connection.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self.stream.write(self.connection.send(go_on) or b"")
            await self.stream.drain()
        try:
            async with asyncio.timeout(_BODY_WAIT):
                data = await self.stream.read()
        except TimeoutError:
            raise Denied("too-slow", f"nothing more of a body in {_BODY_WAIT:g} s") from None
        if self._guard is not None:
            self._guard.feed(data)
        try:
            self.connection.receive_data(data)
        except h11.RemoteProtocolError as why:
            raise BadRequest("bad-request", str(why)) from None

    def _looked_through(self, data: bytes) -> bytes:
        refuse_marks(self._tail + data, self.vault.mark)
        self._tail = (self._tail + data)[-LENGTH + 1 :]
        name = self.allowed.service.name
        self.house.meter.refuse(self.rules, name, bytes_up=len(data))
        self.house.meter.add(name, bytes_up=len(data))
        self.asked.up += len(data)
        if self.allowed.limit and self.asked.up > self.allowed.limit:
            raise Denied("too-large", f"a body of over {self.allowed.limit} bytes")
        return data
