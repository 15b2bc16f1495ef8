"""A WebSocket between two parsers: whole messages, each counted and judged; nothing passes that is not understood."""

import asyncio
from dataclasses import dataclass

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from hostkit.gateway.inspect.budgets import Meter
from hostkit.gateway.inspect.credentials import refuse_marks
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.inspect.vault import Vault
from hostkit.gateway.requests import Asked, Denied
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import LIMIT

_SILENCE = 900.0
"""Seconds without a frame in either direction after which a WebSocket is cut; services ping far more often."""


@dataclass
class Frames:
    """One side of a WebSocket: its bytes, and wsproto's reading of them."""

    wire: Plain
    frames: Connection


class Bridge:
    """Carries the messages of one WebSocket; a message that is refused closes it on both sides."""

    def __init__(self, agent: Plain, upstream: Plain, vault: Vault, asked: Asked) -> None:
        self._agent = Frames(agent, Connection(ConnectionType.SERVER))
        self._upstream = Frames(upstream, Connection(ConnectionType.CLIENT))
        self._vault, self._asked = vault, asked
        self.messages = 0

    async def run(self, rules: Rules, service: str, meter: Meter) -> None:
        """Carry messages until either side has closed; raise Denied for one that may not go on."""
        self._rules, self._service, self._meter = rules, service, meter
        out = asyncio.ensure_future(self._carry(self._agent, self._upstream, outwards=True))
        back = asyncio.ensure_future(self._carry(self._upstream, self._agent, outwards=False))
        try:
            done, pending = await asyncio.wait({out, back}, return_when=asyncio.FIRST_COMPLETED)
            if pending:  # whoever closes waits a moment for the other's goodbye
                more, _ = await asyncio.wait(pending, timeout=5)
                done |= more
            for ended in done:
                ended.result()
        finally:
            out.cancel()
            back.cancel()
            await asyncio.gather(out, back, return_exceptions=True)

    async def _carry(self, source: Frames, target: Frames, *, outwards: bool) -> None:
        parts: list[str | bytes] = []
        while True:
            data = await asyncio.wait_for(source.wire.read(), _SILENCE)
            if not data:
                return
            try:
                source.frames.receive_data(data)
                for event in source.frames.events():
                    if await self._one(event, source, target, parts, outwards=outwards):
                        return
            except (RemoteProtocolError, LocalProtocolError) as why:
                raise Denied("bad-frame", str(why)) from None

    async def _one(
        self, event: Event, source: Frames, target: Frames, parts: list[str | bytes], *, outwards: bool
    ) -> bool:
        """Carry one event; return whether it was the last."""
        if isinstance(event, TextMessage | BytesMessage):
            self._gather(event, parts)
            if event.message_finished:
                await self._send(target, self._judged(parts, outwards=outwards))
                parts.clear()
        elif isinstance(event, Ping | Pong):
            await self._send(target, event)
        elif isinstance(event, CloseConnection):
            await self._send(target, CloseConnection(event.code, event.reason))
            await self._send(source, event.response())
            return True
        return False

    def _gather(self, event: TextMessage | BytesMessage, parts: list[str | bytes]) -> None:
        parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
        if sum(map(len, parts)) > LIMIT:
            raise Denied("too-large", f"a message of over {LIMIT} bytes")

    def _judged(self, parts: list[str | bytes], *, outwards: bool) -> Event:
        """Return a whole message as it goes on: counted, within the budgets, no key and no foreign mark in it."""
        text = all(isinstance(part, str) for part in parts)
        data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
        self.messages += 1
        if outwards:
            self._meter.refuse(self._rules, self._service, messages=1, bytes_up=len(data))
            refuse_marks(data, self._vault.mark)
            self._meter.add(self._service, messages=1, bytes_up=len(data))
            self._asked.up += len(data)
        else:
            self._meter.refuse(self._rules, self._service, bytes_down=len(data))
            self._meter.add(self._service, bytes_down=len(data))
            self._asked.down += len(data)
            data = self._vault.needles.clean(data)
        return TextMessage(data.decode()) if text else BytesMessage(data)

    async def _send(self, target: Frames, event: Event) -> None:
        try:
            target.wire.write(target.frames.send(event))
        except LocalProtocolError:
            return  # that side has closed already
        await target.wire.drain()
