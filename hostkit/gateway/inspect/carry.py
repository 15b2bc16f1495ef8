"""One judged request carried upstream and its answer back, both framed anew, both as streams."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from hostkit.gateway.framing import Writer, writer_like
from hostkit.gateway.http import AnswerHead, BadRequest, Headers, write_answer
from hostkit.gateway.inspect.answer import Answer
from hostkit.gateway.inspect.body import Carried
from hostkit.gateway.inspect.incoming import Incoming
from hostkit.gateway.inspect.patience import OutOfPatience
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.inspect.usage import cost
from hostkit.gateway.inspect.vault import Vault
from hostkit.gateway.inspect.watch import Watch
from hostkit.gateway.requests import Denied, Streams
from hostkit.gateway.wire import SILENCE

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
    heard: bool = field(default=False)
    """Whether anything of the answer under way has come."""

    def usable(self, name: str, vault: Vault | None) -> bool:
        """Return whether it leads to this name under the rules of now, is open, and has said nothing unasked."""
        reader, writer = self.streams
        unasked = getattr(reader, "_buffer", b"")  # it would pass for the next answer
        return self.name == name and self.vault is vault and not (unasked or reader.at_eof() or writer.is_closing())


async def carry(carried: Carried, upstream: Upstream, body: bytes | None) -> bool:
    """Carry one request and its answer; return whether the agent's connection can take another.

    Raise Denied for an answer, or the rest of a body, that may not go on, OSError for a side that broke, and StaleError
    where the same request may be made on a new connection.
    """
    out, writer = writer_like(carried.frame), upstream.streams[1]
    again = upstream.served > 0 and body is not None and carried.method in _REPEATABLE
    upstream.served, upstream.heard = upstream.served + 1, False
    try:
        if body is not None:
            writer.write(carried.out + out.piece(body) + out.last(carried.trailers))
            kept = await _answer(carried, upstream)
        else:
            writer.write(carried.out)
            kept = await _both(carried, upstream, out)
    except _Silent:
        if again:
            raise StaleError from None
        raise
    carried.upstream_kept = kept
    return carried.keeps and carried.frame.done


async def _both(carried: Carried, upstream: Upstream, out: Writer) -> bool:
    """Send the body while the answer is awaited; an answer that is complete ends both, as servers refuse early."""
    sending = asyncio.ensure_future(_send(carried, upstream.streams[1], out))
    answering = asyncio.ensure_future(_answer(carried, upstream))
    try:
        done, _ = await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
        problem = sending.exception() if sending in done else None
        if problem and (answering not in done or isinstance(problem, Denied | BadRequest)):
            raise problem
        return await answering and carried.sent
    finally:
        sending.cancel()
        answering.cancel()
        await asyncio.gather(sending, answering, return_exceptions=True)


async def _send(carried: Carried, writer: asyncio.StreamWriter, out: Writer) -> None:
    while (piece := await carried.next_piece()) is not None:
        writer.write(out.piece(piece))
        await writer.drain()
    writer.write(out.last(carried.trailers))
    carried.sent = True
    await writer.drain()


async def _answer(carried: Carried, upstream: Upstream) -> bool:
    """Carry the answer; return whether the connection upstream can take another request."""
    answer = Answer(carried.allowed, carried.method, carried.vault, carried.house.tickets)
    out = _Out(carried, answer)
    try:
        async with Watch(carried, upstream.streams[0]) as watch:
            incoming = Incoming(carried.method, partial(_more, upstream, out, watch))
            head = await incoming.head()
            if head.status != 101:
                await _pass_on(incoming, head, out)
        if head.status == 101:  # from here on the bridge alone reads the agent's stream
            await _switch(carried, upstream, answer, head, incoming.rest)
    finally:  # an agent that hangs up early has had its tokens all the same
        _count(carried, answer)
    return incoming.kept


async def _pass_on(incoming: Incoming, head: AnswerHead, out: "_Out") -> None:
    out.head(head)
    while piece := await incoming.piece():
        await out.data(piece)
    await out.end(incoming.trailers)


async def _more(upstream: Upstream, out: "_Out", watch: Watch) -> bytes:
    """Return more of an answer, empty at its end; what was gathered so far is written before it is waited for."""
    await out.flush()
    try:
        data = await watch.read()
    except OutOfPatience:
        raise Denied("bad-answer", f"nothing more of an answer in {SILENCE:g} s") from None
    except OSError as why:
        problem = Denied("bad-answer", f"the connection broke in the middle of the answer: {why}")
        raise (problem if upstream.heard else _Silent("bad-answer", "the connection broke before the answer")) from None
    if not data and not upstream.heard:
        raise _Silent("bad-answer", "the connection was closed before the answer")
    upstream.heard = True
    return data


class _Out:
    """What goes to the agent of one answer, gathered until there is nothing more to gather."""

    def __init__(self, carried: Carried, answer: Answer) -> None:
        self._carried, self._answer = carried, answer
        self._ready = bytearray()
        self._writer = Writer(chunked=False)

    def head(self, head: AnswerHead) -> None:
        shown, agent = self._answer.head(head), self._carried.head
        self._carried.asked.status = head.status
        sized = head.status in {204, 304} or b"content-length" in dict(shown)
        if not sized and not agent.old:
            shown = (*shown, (b"transfer-encoding", b"chunked"))
            self._writer = Writer(chunked=self._carried.method != "HEAD")
        if not self._carried.keeps:
            shown = (*shown, (b"connection", b"close"))
        self._ready += write_answer(head.status, self._carried.vault.needles.clean(head.reason), shown)

    async def data(self, data: bytes) -> None:
        carried = self._carried
        carried.house.meter.take(carried.rules, carried.allowed.service.name, bytes_down=len(data))
        carried.asked.down += len(data)
        for piece in self._answer.piece(data):
            self._ready += self._writer.piece(piece)
            if len(self._ready) > _MUCH:
                await self.flush()

    async def end(self, trailers: Headers) -> None:
        rest = self._answer.last()
        self._ready += self._writer.piece(rest) + self._writer.last(self._answer.trailers(trailers) if trailers else ())
        self._answer.judged = True
        await self.flush()

    async def flush(self) -> None:
        if self._ready and self._answer.judged:
            self._carried.begun = True
            self._carried.stream.write(bytes(self._ready))
            self._ready.clear()
            await self._carried.stream.drain()


async def _switch(carried: Carried, upstream: Upstream, answer: Answer, head: AnswerHead, rest: bytes) -> None:
    """Carry a WebSocket from here on: the handshake is passed on, its messages are judged one by one."""
    if not carried.allowed.route.socket or b"sec-websocket-extensions" in dict(head.headers):
        raise Denied("bad-answer", "a switch of protocol that was not asked for")
    shown = (*answer.head(head), (b"connection", b"Upgrade"), (b"upgrade", b"websocket"))
    carried.asked.status, carried.begun, carried.keeps = 101, True, False
    carried.stream.write(write_answer(101, carried.vault.needles.clean(head.reason), shown))
    await carried.stream.drain()
    reader, writer = upstream.streams
    far = Plain(reader, writer, rest)
    from hostkit.gateway.inspect.socket import Bridge  # noqa: PLC0415 - a host's own gateway has no wsproto

    bridge = Bridge(carried.stream, far, carried.vault, carried.asked)
    await bridge.run(carried.rules, carried.allowed.service.name, carried.house.meter)


def _count(carried: Carried, answer: Answer) -> None:
    usage = answer.usage
    if usage is None or not (counts := usage.finish()):
        return
    service = carried.allowed.service
    spent = cost(service.prices, usage.model, counts)
    carried.house.meter.add(service.name, tokens=sum(counts.values()), cost=spent)
    carried.asked.tokens, carried.asked.cost = sum(counts.values()), spent
