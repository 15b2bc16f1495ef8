"""The listeners of one gateway, each leading into the same pipeline."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

import h11

from hostkit.gateway.decide import Decision, decide, decide_forward
from hostkit.gateway.dns import answer
from hostkit.gateway.hello import LIMIT as HELLO_LIMIT
from hostkit.gateway.hello import BadHello, server_name
from hostkit.gateway.http import LIMIT as HEAD_LIMIT
from hostkit.gateway.http import BadRequest, Head, read_head, strict
from hostkit.gateway.names import BadName, canonical
from hostkit.gateway.relay import close, relay
from hostkit.gateway.requests import Asked, Book, Denied, Resolver, Streams, dial
from hostkit.gateway.rules import Rules

PATIENCE = 10.0
"""Seconds an agent has to say what it wants."""
MOST = 512
"""Connections at one time; the next is told `too-many`."""


@dataclass(frozen=True)
class Ports:
    """Where to listen; tests move them, the product never does."""

    http: int = 80
    tls: int = 443
    dns: int = 53
    proxy: int | None = None


class Gateway:
    """One client's gateway: `rules` is None whenever they are not usable, and then nothing leaves."""

    def __init__(self, book: Book, resolver: Resolver, ports: Ports) -> None:
        self.rules: Rules | None = None
        self._book, self._resolver, self._ports = book, resolver, ports
        self._live: dict[asyncio.Task[None], Callable[[], bool]] = {}
        self._servers: dict[int, asyncio.Server] = {}
        self._datagrams: asyncio.DatagramTransport | None = None

    async def listen(self, rules: Rules) -> None:
        """Listen on the rules' address only; raw ports come and go with the rules."""
        address = rules.address
        fixed: dict[int, Callable[[Streams, str], Awaitable[None]]] = {
            self._ports.proxy or rules.proxy_port: self._proxy,
            self._ports.http: self._http,
            self._ports.tls: self._tls,
            self._ports.dns: self._dns,
        }
        if self._datagrams is None:
            loop = asyncio.get_running_loop()
            endpoint = (address, self._ports.dns)
            self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=endpoint)
        for port, serve in fixed.items():
            await self._open(address, port, serve)
        for forward in rules.forwards:
            await self._open(address, forward.local_port, self._raw(forward.local_port))
        self._close_unlisted(rules, set(fixed))

    def _close_unlisted(self, rules: Rules, fixed: set[int]) -> None:
        for port in set(self._servers) - fixed - {forward.local_port for forward in rules.forwards}:
            self._servers.pop(port).close()

    async def _open(self, address: str, port: int, serve: Callable[[Streams, str], Awaitable[None]]) -> None:
        if port in self._servers:
            return

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._accepted((reader, writer), serve)

        self._servers[port] = await asyncio.start_server(accepted, address, port, limit=HEAD_LIMIT)

    def apply(self, rules: Rules | None) -> None:
        """Take new rules, or None; every live connection that they do not allow is cut now."""
        self.rules = rules
        for task, allowed in list(self._live.items()):
            if not allowed():
                task.cancel()

    def dns_reply(self, query: bytes, peer: str) -> bytes | None:
        """Return the resolver's reply; a name that is not listed is recorded first."""
        reply, denied = answer(self.rules, query)
        if denied is not None:
            asked = self._asked("dns", denied, 53, peer)
            self._book.denial(asked, Denied("not-listed", f"{denied} is not listed for this client"))
        return reply

    def _asked(self, kind: str, name: str, port: int, peer: str) -> Asked:
        return Asked(kind, name, port, peer, self.rules.generation if self.rules else 0)

    async def _accepted(self, agent: Streams, serve: Callable[[Streams, str], Awaitable[None]]) -> None:
        task = asyncio.current_task()
        if task is None or len(self._live) >= MOST:
            asked = self._asked("connect", "", 0, _peer(agent))
            self._book.denial(asked, Denied("too-many", f"over {MOST} connections at one time"))
            await close(agent[1])
            return
        self._live[task] = lambda: self.rules is not None
        try:
            await serve(agent, _peer(agent))
        except (TimeoutError, OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            agent[1].transport.abort()
        finally:
            self._live.pop(task, None)
            await close(agent[1])

    def _still(self, name: str, port: int) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._live[task] = lambda: decide(self.rules, name, port).allow

    async def _dns(self, agent: Streams, peer: str) -> None:
        reader, writer = agent
        size = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), PATIENCE))
        reply = self.dns_reply(await asyncio.wait_for(reader.readexactly(size), PATIENCE), peer)
        if reply is not None:
            writer.write(len(reply).to_bytes(2) + reply)
            await writer.drain()

    def _raw(self, port: int) -> Callable[[Streams, str], Awaitable[None]]:
        async def serve(agent: Streams, peer: str) -> None:
            decision, forward = decide_forward(self.rules, port)
            asked = self._asked("raw", forward.name if forward else "", forward.port if forward else port, peer)
            task = asyncio.current_task()
            if task is not None:
                self._live[task] = lambda: decide_forward(self.rules, port)[1] == forward
            with contextlib.suppress(Denied):
                await self._carry(asked, decision, agent, b"")

        return serve

    async def _tls(self, agent: Streams, peer: str) -> None:
        asked = self._asked("tls", "", 443, peer)
        try:
            hello, asked.name = await _hello(agent[0])
        except Denied as why:
            self._book.denial(asked, why)
            return
        self._still(asked.name, 443)
        with contextlib.suppress(Denied):
            await self._carry(asked, decide(self.rules, asked.name, 443), agent, hello)

    async def _proxy(self, agent: Streams, peer: str) -> None:
        await self._request(agent, peer, proxy=True)

    async def _http(self, agent: Streams, peer: str) -> None:
        await self._request(agent, peer, proxy=False)

    async def _request(self, agent: Streams, peer: str, *, proxy: bool) -> None:
        asked = self._asked("connect" if proxy else "http", "", 0, peer)
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        try:
            head = await _head(agent[0], connection, proxy=proxy)
            asked.kind, asked.name, asked.port = "connect" if head.connect else "http", head.name, head.port
            self._still(head.name, head.port)
            serve = self._tunnel if head.connect else self._forward
            await serve(asked, head, agent, connection)
        except BadRequest as why:
            denied = Denied(why.rule, str(why))
            self._book.denial(asked, denied)
            await _tell(agent[1], denied, 400)
        except Denied as why:
            await _tell(agent[1], why, 502 if why.rule in {"dial-failed", "no-address"} else 403)

    async def _tunnel(self, asked: Asked, head: Head, agent: Streams, connection: h11.Connection) -> None:
        decision = decide(self.rules, asked.name, asked.port)
        if not decision.allow:
            self._refuse(asked, decision)
        agent[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await agent[1].drain()
        try:
            hello, name = await _hello(agent[0], connection.trailing_data[0])
        except Denied as why:
            self._book.denial(asked, why)
            return
        if name != head.name:
            mismatch = f"the ClientHello names {name}, CONNECT named {head.name}"
            self._book.denial(asked, Denied("sni-mismatch", mismatch))
            return
        with contextlib.suppress(Denied):  # the tunnel is open: no status can be told any more
            await self._carry(asked, decision, agent, hello)

    async def _forward(self, asked: Asked, head: Head, agent: Streams, connection: h11.Connection) -> None:
        decision = decide(self.rules, asked.name, asked.port)
        upstream = await self._reach(asked, decision)
        sender = h11.Connection(h11.CLIENT)
        try:
            request = h11.Request(method=head.method, target=head.target, headers=list(head.headers))
            upstream[1].write(sender.send(request) or b"")
            body = _body(agent[0], connection, sender, upstream[1], asked)
            await asyncio.gather(body, _reply(upstream, agent, asked))
            self._book.outcome(asked, "done", "")
        except (OSError, h11.RemoteProtocolError, h11.LocalProtocolError, asyncio.CancelledError) as why:
            self._book.outcome(asked, "cut", str(why) or "cut")
            raise OSError(str(why)) from None
        finally:
            await close(upstream[1])

    def _refuse(self, asked: Asked, decision: Decision) -> None:
        denied = Denied(decision.rule, decision.reason)
        self._book.denial(asked, denied)
        raise denied

    async def _reach(self, asked: Asked, decision: Decision) -> Streams:
        """Return a connection upstream, its intent on record first; raise Denied, on record too."""
        if not decision.allow or self.rules is None:
            self._refuse(asked, decision)
        try:
            self._book.intent(asked, decision)
        except Denied as why:
            self._book.denial(asked, why)
            raise
        try:
            assert self.rules is not None  # noqa: S101 - decided above, and nothing awaited since
            return await dial(asked, decision, self.rules, self._resolver)
        except Denied as why:
            self._book.denial(asked, why)
            raise

    async def _carry(self, asked: Asked, decision: Decision, agent: Streams, first: bytes) -> None:
        upstream = await self._reach(asked, decision)
        rule, reason = "cut", "the rules no longer allow it, or the gateway stopped"
        try:
            upstream[1].write(first)
            asked.up += len(first)
            await relay(asked, agent, upstream)
            rule, reason = "done", ""
        finally:
            self._book.outcome(asked, rule, reason)
            upstream[1].transport.abort() if rule == "cut" else await close(upstream[1])


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is a DatagramTransport in all but its class.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        reply = self._gateway.dns_reply(data, peer[0])
        if reply is not None:
            self._transport.sendto(reply, peer)


def _peer(agent: Streams) -> str:
    peer = agent[1].get_extra_info("peername")
    return str(peer[0]) if peer else ""


async def _hello(reader: asyncio.StreamReader, data: bytes = b"") -> tuple[bytes, str]:
    """Return (the hello's bytes, its canonical name); raise Denied if there is none to be had."""
    try:
        while (name := server_name(data)) is None:
            more = await asyncio.wait_for(reader.read(HELLO_LIMIT), PATIENCE)
            if not more:
                raise Denied("not-tls", "closed before a ClientHello")
            data += more
        return data, canonical(name)
    except (BadHello, BadName) as why:
        raise Denied(why.rule, str(why)) from None


async def _head(reader: asyncio.StreamReader, connection: h11.Connection, *, proxy: bool) -> Head:
    """Return the request's head; the rest of what came with it stays in `connection`."""
    try:
        raw = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        strict(raw[:-4])
        connection.receive_data(raw)
        event = connection.next_event()
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        raise BadRequest("bad-request", "no head that ends") from None
    except h11.RemoteProtocolError as why:
        raise BadRequest("bad-request", str(why)) from None
    if not isinstance(event, h11.Request):
        raise BadRequest("bad-request", "no request")
    return read_head(event, proxy=proxy)


async def _body(
    reader: asyncio.StreamReader,
    connection: h11.Connection,
    sender: h11.Connection,
    writer: asyncio.StreamWriter,
    asked: Asked,
) -> None:
    """Send exactly one request's body upstream; what follows it is never read."""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
            continue
        if isinstance(event, h11.Data):
            asked.up += len(event.data)
        if isinstance(event, h11.Data | h11.EndOfMessage):
            writer.write(sender.send(event) or b"")
            await writer.drain()
        if not isinstance(event, h11.Data):
            return


async def _reply(upstream: Streams, agent: Streams, asked: Asked) -> None:
    while data := await upstream[0].read(65536):
        asked.down += len(data)
        agent[1].write(data)
        await agent[1].drain()


async def _tell(writer: asyncio.StreamWriter, why: Denied, code: int) -> None:
    ask = "ask the owner of this sandbox to list it in the policy"
    body = json.dumps({"rule": why.rule, "reason": why.reason, "ask": ask}).encode() + b"\n"
    phrase = {400: "Bad Request", 403: "Forbidden", 502: "Bad Gateway"}[code]
    head = f"HTTP/1.1 {code} {phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with contextlib.suppress(OSError):
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
