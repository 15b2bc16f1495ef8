"""One judged request carried upstream and its answer back, both framed anew, both as streams."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import h11

from hostkit.gateway.inspect.answer import Answer
from hostkit.gateway.inspect.body import Carried
from hostkit.gateway.inspect.judge import Request
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.inspect.usage import cost
from hostkit.gateway.inspect.vault import Vault
from hostkit.gateway.inspect.watch import Watch
from hostkit.gateway.requests import Denied, Streams
from hostkit.gateway.wire import SILENCE

_CHUNK = 64 * 1024
_MUCH = 256 * 1024
"""Octets of an answer that are gathered before they are written, where they came all at once."""
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that do the same a second time (RFC 9110 section 9.2.2)."""


class StaleError(Exception):
    """A kept connection was closed by the other end, and the same request may be made on a new one."""


class _Silent(Denied):
    """An upstream that closed before anything of an answer came."""


@dataclass
class Upstream:
    """A verified connection to one name, and the generation's vault that it was made under."""

    streams: Streams
    name: str
    address: str
    vault: Vault | None
    served: int = field(default=0)
    """Requests that it has carried."""

    def usable(self, name: str, vault: Vault | None) -> bool:
        """Return whether it leads to this name under the rules of now, is open, and has said nothing unasked."""
        reader, writer = self.streams
        unasked = getattr(reader, "_buffer", b"")  # it would pass for the next answer
        return self.name == name and self.vault is vault and not (unasked or reader.at_eof() or writer.is_closing())


async def carry(carried: Carried, upstream: Upstream, head: h11.Request, body: bytes | None, request: Request) -> bool:
    """Carry one request and its answer; return whether the agent's connection can take another.

    Raise Denied for an answer, or the rest of a body, that may not go on, OSError for a side that broke, and StaleError
    where the same request may be made on a new connection.
    """
    sender, writer = h11.Connection(h11.CLIENT, max_incomplete_event_size=_CHUNK), upstream.streams[1]
    again = upstream.served > 0 and body is not None and request.method in _REPEATABLE
    upstream.served += 1
    try:
        first = sender.send(head) or b""
        if body is not None:
            first += (sender.send(h11.Data(data=body)) or b"") if body else b""
            writer.write(first + (sender.send(h11.EndOfMessage(headers=carried.trailers)) or b""))
            await _answer(carried, upstream, sender, request)
        else:
            writer.write(first)
            await _both(carried, upstream, sender, request)
    except _Silent:
        if again:
            raise StaleError from None
        raise
    carried.upstream_kept = sender.our_state is h11.DONE is sender.their_state and not sender.trailing_data[0]
    return carried.connection.our_state is h11.DONE is carried.connection.their_state


async def _both(carried: Carried, upstream: Upstream, sender: h11.Connection, request: Request) -> None:
    """Send the body while the answer is awaited; an answer that is complete ends both, as servers refuse early."""
    sending = asyncio.ensure_future(_send(carried, upstream.streams[1], sender))
    answering = asyncio.ensure_future(_answer(carried, upstream, sender, request))
    try:
        done, _ = await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
        if answering not in done:
            sending.result()
        await answering
    finally:
        sending.cancel()
        answering.cancel()
        await asyncio.gather(sending, answering, return_exceptions=True)


async def _send(carried: Carried, writer: asyncio.StreamWriter, sender: h11.Connection) -> None:
    while (piece := await carried.next_piece()) is not None:
        writer.write(sender.send(h11.Data(data=piece)) or b"")
        await writer.drain()
    writer.write(sender.send(h11.EndOfMessage(headers=carried.trailers)) or b"")
    await writer.drain()


async def _answer(carried: Carried, upstream: Upstream, sender: h11.Connection, request: Request) -> None:
    answer = Answer(carried.allowed, request.method, carried.vault, carried.house.tickets)
    out = _Out(carried, answer)
    try:
        async with Watch(carried):
            async for event in _events(upstream.streams[0], sender, out):
                if isinstance(event, h11.InformationalResponse):
                    if event.status_code == 101:
                        await _switch(carried, upstream, sender, answer, event)
                        return
                elif isinstance(event, h11.Response):
                    out.head(event)
                elif isinstance(event, h11.Data):
                    await out.data(bytes(event.data))
                else:
                    await out.end(event)
    finally:  # an agent that hangs up early has had its tokens all the same
        _count(carried, answer)


async def _events(reader: asyncio.StreamReader, sender: h11.Connection, out: "_Out") -> AsyncIterator[h11.Event]:
    """Yield the events of one answer up to its end; what was gathered is written whenever there is nothing more yet."""
    heard = False
    while True:
        try:
            event = sender.next_event()
            if event is h11.NEED_DATA:
                await out.flush()
                data = await _more(reader, heard=heard)
                heard = True
                sender.receive_data(data)
                continue
        except h11.RemoteProtocolError as why:
            raise Denied("bad-answer", str(why)) from None
        if isinstance(event, h11.ConnectionClosed) or not isinstance(event, h11.Event):
            raise Denied("bad-answer", "the connection was closed before the answer")
        yield event
        if isinstance(event, h11.EndOfMessage):
            return


async def _more(reader: asyncio.StreamReader, *, heard: bool) -> bytes:
    """Return more of an answer, empty at its end."""
    try:
        async with asyncio.timeout(SILENCE):
            data = await reader.read(_CHUNK)
    except TimeoutError:
        raise Denied("bad-answer", f"nothing more of an answer in {SILENCE:g} s") from None
    except OSError as why:
        problem = Denied("bad-answer", f"the connection broke in the middle of the answer: {why}")
        raise (problem if heard else _Silent("bad-answer", "the connection broke before the answer")) from None
    if not data and not heard:
        raise _Silent("bad-answer", "the connection was closed before the answer")
    return data


class _Out:
    """What goes to the agent of one answer, gathered until there is nothing more to gather."""

    def __init__(self, carried: Carried, answer: Answer) -> None:
        self._carried, self._answer, self._ready = carried, answer, bytearray()

    def head(self, event: h11.Response) -> None:
        names = [name for name, _ in event.headers]
        if names.count(b"content-length") > 1 or {b"content-length", b"transfer-encoding"} <= set(names):
            raise Denied("bad-answer", "an answer that says in two ways where it ends")
        shown = self._answer.head(event)
        self._carried.asked.status = event.status_code
        self._put(h11.Response(status_code=event.status_code, reason=event.reason, headers=list(shown)))

    async def data(self, data: bytes) -> None:
        carried = self._carried
        carried.house.meter.take(carried.rules, carried.allowed.service.name, bytes_down=len(data))
        carried.asked.down += len(data)
        for piece in self._answer.piece(data):
            self._put(h11.Data(data=piece))
            if len(self._ready) > _MUCH:
                await self.flush()

    async def end(self, event: h11.Event) -> None:
        if rest := self._answer.last():
            self._put(h11.Data(data=rest))
        trailers = event.headers if isinstance(event, h11.EndOfMessage) else []
        shown = self._answer.trailers(tuple(trailers)) if trailers and self._carried.takes_trailers else []
        self._put(h11.EndOfMessage(headers=shown))
        self._answer.judged = True
        await self.flush()

    def _put(self, event: h11.Event) -> None:
        self._ready += self._carried.connection.send(event) or b""

    async def flush(self) -> None:
        if self._ready and self._answer.judged:
            self._carried.begun = True
            self._carried.stream.write(bytes(self._ready))
            self._ready.clear()
            await self._carried.stream.drain()


async def _switch(
    carried: Carried, upstream: Upstream, sender: h11.Connection, answer: Answer, event: h11.InformationalResponse
) -> None:
    """Carry a WebSocket from here on: the handshake is passed on, its messages are judged one by one."""
    headers = dict(event.headers)
    if not carried.allowed.route.socket or b"sec-websocket-extensions" in headers:
        raise Denied("bad-answer", "a switch of protocol that was not asked for")
    head = (*answer.head(event), (b"connection", b"Upgrade"), (b"upgrade", b"websocket"))
    carried.asked.status, carried.begun = 101, True
    shown = h11.InformationalResponse(status_code=101, reason=event.reason, headers=list(head))
    carried.stream.write(carried.connection.send(shown) or b"")
    await carried.stream.drain()
    reader, writer = upstream.streams
    far = Plain(reader, writer, sender.trailing_data[0])
    from hostkit.gateway.inspect.socket import Bridge  # noqa: PLC0415 - a host's own gateway has no wsproto

    bridge = Bridge(carried.stream, far, carried.vault, carried.asked)
    await bridge.run(carried.rules, carried.allowed.service.name, carried.house.meter)


def _count(carried: Carried, answer: Answer) -> None:
    counts = answer.usage.finish()
    if not counts:
        return
    service = carried.allowed.service
    spent = cost(service.prices, answer.usage.model, counts)
    carried.house.meter.add(service.name, tokens=sum(counts.values()), cost=spent)
    carried.asked.tokens, carried.asked.cost = sum(counts.values()), spent
