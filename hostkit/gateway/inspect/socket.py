"""A WebSocket between two parsers: whole messages, each counted and judged; nothing passes that is not understood."""

import asyncio
from dataclasses import dataclass, field

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from hostkit.gateway.inspect.budgets import Meter
from hostkit.gateway.inspect.credentials import refuse_marks
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.inspect.vault import Vault
from hostkit.gateway.requests import Asked, Denied
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import LIMIT

SILENCE = 900.0
"""Seconds without a frame in either direction after which a WebSocket is cut; services ping far more often."""
_GOODBYE = 5.0
"""Seconds that whoever closes waits for the other side's goodbye."""


@dataclass
class Frames:
    """One side of a WebSocket: its bytes, wsproto's reading of them, and the message that it is in the middle of."""

    wire: Plain
    frames: Connection
    message: bytearray = field(default_factory=bytearray)


class Bridge:
    """Carries the messages of one WebSocket; a message that is refused closes it on both sides."""

    def __init__(self, agent: Plain, upstream: Plain, vault: Vault, asked: Asked) -> None:
        self._agent = Frames(agent, Connection(ConnectionType.SERVER))
        self._upstream = Frames(upstream, Connection(ConnectionType.CLIENT))
        self._vault, self._asked = vault, asked
        self._heard = 0.0

    async def run(self, rules: Rules, service: str, meter: Meter) -> None:
        """Carry messages until either side has closed; raise Denied for one that may not go on, told to the agent."""
        self._rules, self._service, self._meter = rules, service, meter
        out = asyncio.ensure_future(self._carry(self._agent, self._upstream, outwards=True))
        back = asyncio.ensure_future(self._carry(self._upstream, self._agent, outwards=False))
        try:
            done, pending = await asyncio.wait({out, back}, return_when=asyncio.FIRST_COMPLETED)
            if pending and not any(ended.exception() for ended in done):
                more, _ = await asyncio.wait(pending, timeout=_GOODBYE)
                done |= more
            for ended in done:
                ended.result()
        except Denied as why:
            await self._send(self._agent, CloseConnection(CloseReason.POLICY_VIOLATION, f"{why.rule}: {why}"[:120]))
            raise
        finally:
            out.cancel()
            back.cancel()
            await asyncio.gather(out, back, return_exceptions=True)

    async def _carry(self, source: Frames, target: Frames, *, outwards: bool) -> None:
        while data := await self._read(source):
            try:
                source.frames.receive_data(data)
                for event in source.frames.events():
                    if await self._one(event, source, target, outwards=outwards):
                        return
            except (RemoteProtocolError, LocalProtocolError) as why:
                raise Denied("bad-frame", str(why)) from None
        if source.frames.state is ConnectionState.OPEN:
            raise ConnectionResetError("one side left without a goodbye")

    async def _read(self, source: Frames) -> bytes:
        """Return what a side says next, empty at its end; one may be silent for as long as the other is heard."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(SILENCE) as limit:
                    data = await source.wire.read()
            except TimeoutError:
                if not limit.expired() or loop.time() - self._heard >= SILENCE:
                    raise  # the kernel's own would be raised again and again: the other side is gone
                continue
            self._heard = loop.time()
            return data

    async def _one(self, event: Event, source: Frames, target: Frames, *, outwards: bool) -> bool:
        """Carry one event; return whether it was the last."""
        if isinstance(event, TextMessage | BytesMessage):
            self._gather(event, source.message)
            if event.message_finished:
                data = self._judged(bytes(source.message), outwards=outwards, messages=1)
                source.message.clear()
                await self._send(target, TextMessage(data.decode()) if _is_text(event) else BytesMessage(data))
        elif isinstance(event, Ping | Pong):
            await self._send(target, type(event)(self._judged(bytes(event.payload), outwards=outwards)))
        elif isinstance(event, CloseConnection):
            if source.frames.state is ConnectionState.OPEN:  # so wsproto tells of a frame that it cannot read
                raise Denied("bad-frame", event.reason or "a frame that breaks the protocol")
            reason = self._judged((event.reason or "").encode(), outwards=outwards).decode()
            await self._send(target, CloseConnection(event.code, reason or None))
            await self._send(source, event.response())
            return True
        return False

    def _gather(self, event: TextMessage | BytesMessage, message: bytearray) -> None:
        message += event.data.encode() if isinstance(event.data, str) else event.data
        if len(message) > LIMIT:
            raise Denied("too-large", f"a message of over {LIMIT} bytes")

    def _judged(self, data: bytes, *, outwards: bool, messages: int = 0) -> bytes:
        """Return what one frame or message says as it goes on: counted, no foreign mark and no key in it."""
        if outwards:
            refuse_marks(data, self._vault.mark)
            more = {"messages": messages} if messages else {}
            self._meter.take(self._rules, self._service, bytes_up=len(data), **more)
            self._asked.up += len(data)
            return data
        self._meter.take(self._rules, self._service, bytes_down=len(data))
        self._asked.down += len(data)
        return self._vault.needles.clean(data)

    async def _send(self, target: Frames, event: Event) -> None:
        try:
            target.wire.write(target.frames.send(event))
        except LocalProtocolError:
            return  # that side has closed already
        await target.wire.drain()


def _is_text(event: TextMessage | BytesMessage) -> bool:
    return isinstance(event, TextMessage)
