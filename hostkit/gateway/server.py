"""The listeners of one gateway, each leading into the same pipeline."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from hostkit.gateway import wire
from hostkit.gateway.address import refusal
from hostkit.gateway.decide import Decision, decide, decide_forward
from hostkit.gateway.dns import answer
from hostkit.gateway.http import LIMIT as HEAD_LIMIT
from hostkit.gateway.http import BadMessage, BadRequest, RequestHead
from hostkit.gateway.inspect.house import House, own_service
from hostkit.gateway.inspect.session import Session
from hostkit.gateway.inspect.tls import Plain, Tls
from hostkit.gateway.plain import Wanted, wanted
from hostkit.gateway.relay import close, relay, reset
from hostkit.gateway.requests import Asked, Book, Denied, Resolver, Streams, dial
from hostkit.gateway.rules import Rules, RulesError

MOST = 160
"""Connections at one time; more are cut. One whose both ends do not read holds 0.7 MB: all of them take half of the
gateway's 256 MiB. One that is spliced both ways has ten descriptors: all of them 1,600 of the gateway's 4,096."""
_CUT = "the rules no longer allow it, or the gateway closed"


@dataclass(frozen=True)
class Ports:
    """Where to listen: None is nowhere, but for the proxy, whose port is then the rules' own.

    A client's gateway holds them all, for its agent is steered to it by name. A host's is a proxy and nothing else.
    """

    http: int | None = 80
    tls: int | None = 443
    dns: int | None = 53
    proxy: int | None = None


PROXY_ONLY = Ports(http=None, tls=None, dns=None)


@dataclass
class Live:
    """A connection of the agent: what it asks for, and the judgement that is made anew whenever the rules change."""

    asked: Asked
    judge: Callable[[], Decision]


Serve = Callable[[Streams, Live], Awaitable[None]]


class Gateway:
    """One client's gateway: `rules` is None whenever they are not usable, and then nothing leaves."""

    def __init__(self, book: Book, resolver: Resolver, ports: Ports, vault: Path = Path("/vault")) -> None:
        self.rules: Rules | None = None
        self._book, self._resolver, self._ports = book, resolver, ports
        self._live: dict[asyncio.Task[None], Live] = {}
        self._servers: dict[int, asyncio.Server] = {}
        self._datagrams: asyncio.DatagramTransport | None = None
        self._address = ""
        self.house = House(book, resolver, vault)

    async def listen(self, rules: Rules) -> None:
        """Listen on the rules' address only; raw ports come and go with the rules."""
        if self._address not in {"", rules.address}:
            raise RulesError(f"the address changed from {self._address} to {rules.address}")
        ports = self._ports
        named = ((ports.http, self._http), (ports.tls, self._tls), (ports.dns, self._dns))
        fixed: dict[int, Serve] = {port: serve for port, serve in named if port is not None}
        fixed[ports.proxy or rules.proxy_port] = self._proxy
        if self._datagrams is None and ports.dns is not None:
            loop = asyncio.get_running_loop()
            endpoint = (rules.address, ports.dns)
            self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=endpoint)
        self._address = rules.address
        for port, serve in fixed.items():
            await self._open(port, serve)
        for forward in rules.forwards:
            await self._open(forward.local_port, self._raw)
        for port in set(self._servers) - set(fixed) - {forward.local_port for forward in rules.forwards}:
            self._servers.pop(port).close()

    async def _open(self, port: int, serve: Serve) -> None:
        if port in self._servers:
            return

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._accepted((reader, writer), serve, port)

        self._servers[port] = await asyncio.start_server(accepted, self._address, port, limit=HEAD_LIMIT)

    def apply(self, rules: Rules | None) -> None:
        """Take new rules, or None; every live connection that they do not allow is cut now.

        Raise RulesError, with nothing changed, if what they need of the vault is not there.
        """
        opened = self.house.load(rules) if rules else None
        self.rules = rules
        self.house.apply(rules, opened)
        for task, live in list(self._live.items()):
            if not self._allowed(live):
                task.cancel()

    def cut(self) -> None:
        """Cut every connection that has reached an upstream: what it does could no longer be recorded."""
        for task, live in list(self._live.items()):
            if live.asked.address:
                task.cancel()

    def _allowed(self, live: Live) -> bool:
        """Return whether the rules of now allow a connection: its name, its port, and the address it reached."""
        decision = live.judge()
        if self.rules is None or not decision.allow:
            return False
        reached = live.asked.address
        return not reached or not refusal(ipaddress.ip_address(reached), decision.networks, self.rules.refuse)

    def dns_reply(self, query: bytes, peer: str) -> bytes | None:
        """Return the resolver's reply; a name that is not listed is recorded first."""
        reply, denied = answer(self.rules, query)
        if denied is not None:
            why = Denied("not-listed", f"{denied} is not listed for this client")
            closed = Denied("closed", "the gateway has no usable rules")
            self._book.denial(self._asked("dns", denied, 53, peer), why if self.rules else closed)
        return reply

    def _asked(self, kind: str, name: str, port: int, peer: str) -> Asked:
        return Asked(kind, name, port, peer, self.rules.generation if self.rules else 0)

    async def _accepted(self, agent: Streams, serve: Serve, port: int) -> None:
        task = asyncio.current_task()
        peer = agent[1].get_extra_info("peername")
        asked = self._asked("connect", "", port, str(peer[0]) if peer else "")
        if task is None or len(self._live) >= MOST:
            self._book.denial(asked, Denied("too-many", f"over {MOST} connections at one time"))
            reset(agent[1])
            return
        self._live[task] = live = Live(asked, self._open_at_all)
        try:
            await serve(agent, live)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError, BadMessage):
            reset(agent[1])
        except Exception as why:  # noqa: BLE001 - what nobody thought of is a denial too, on record
            self._book.denial(asked, Denied("internal", type(why).__name__))
            reset(agent[1])
        finally:
            await close(agent[1])
            self._live.pop(task, None)

    def _open_at_all(self) -> Decision:
        return Decision(self.rules is not None, "open", "asked nothing yet")

    async def _dns(self, agent: Streams, live: Live) -> None:
        reader, writer = agent
        async with asyncio.timeout(wire.PATIENCE):
            query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        reply = self.dns_reply(query, live.asked.peer)
        if reply is not None:
            writer.write(len(reply).to_bytes(2) + reply)
            await writer.drain()

    async def _raw(self, agent: Streams, live: Live) -> None:
        port = live.asked.port
        decision, forward = decide_forward(self.rules, port)
        live.asked.kind = "raw"
        if forward is not None:
            live.asked.name, live.asked.port = forward.name, forward.port

        def judge() -> Decision:
            now, leads_to = decide_forward(self.rules, port)
            same = (leads_to and (leads_to.name, leads_to.port)) == (forward and (forward.name, forward.port))
            return now if same else Decision(False, "not-listed", f"port {port} leads elsewhere now")

        live.judge = judge if decision.allow else lambda: decision
        await self._carry(agent, live, b"")

    async def _tls(self, agent: Streams, live: Live) -> None:
        asked = live.asked
        asked.kind = "tls"
        try:
            hello, asked.name = await wire.hello(agent[0])
        except Denied as why:
            self._book.denial(asked, why)
            return
        asked.port = 443
        live.judge = lambda: decide(self.rules, asked.name, 443)
        await self._onwards(agent, live, hello)

    async def _onwards(self, agent: Streams, live: Live, hello: bytes) -> None:
        """Open what belongs to a service, and pass anything else on as it is."""
        asked, vault = live.asked, self.house.vault
        service = self.house.service(asked.name)
        if service is None:
            live.judge = lambda: self._tunnelled(asked)
            await self._carry(agent, live, hello)
            return
        decision = live.judge()
        if not decision.allow or vault is None:
            self._book.denial(asked, Denied(decision.rule, decision.reason))
            return
        stream = Tls(*agent, vault.leaf(asked.name), hello)
        try:
            async with asyncio.timeout(wire.PATIENCE):
                await stream.handshake()
        except (TimeoutError, OSError) as why:
            reason = "the agent did not shake hands: does it trust /run/hostkit/ca.pem? " + (str(why) or "too slow")
            self._book.denial(asked, Denied("not-trusted", reason))
            return
        await Session(self.house, stream, asked, partial(_follow, live)).run()

    def _tunnelled(self, asked: Asked) -> Decision:
        """Judge a tunnel by the rules of now: a name that a service opens since is not passed on unopened any more."""
        if self.house.service(asked.name) is not None:
            return Decision(False, "rules-changed", "its requests are opened now")
        return decide(self.rules, asked.name, asked.port)

    async def _proxy(self, agent: Streams, live: Live) -> None:
        await self._request(agent, live, proxy=True)

    async def _http(self, agent: Streams, live: Live) -> None:
        live.asked.kind = "http"
        if (head := await self._by_base(agent, live)) is not None:
            await self._request(agent, live, proxy=False, head=head)

    async def _by_base(self, agent: Streams, live: Live) -> RequestHead | None:
        """Serve a request to this gateway's own address, a service by its base URL; return the head of any other."""
        try:
            raw, head = await wire.head(agent[0])
            found = own_service(self.rules, head)
        except (Denied, BadRequest) as why:
            denied = Denied(why.rule, str(why))
            self._book.denial(live.asked, denied)
            await wire.tell(agent, denied, wire.status_code(why.rule))
            return None
        if found is None:
            return head
        service, host, port = found
        live.asked.name, live.asked.port = host, port
        live.judge = lambda: decide(self.rules, host, port)
        stream = Plain(*agent, raw)
        await Session(self.house, stream, live.asked, partial(_follow, live), service.base).run()
        return None

    async def _request(self, agent: Streams, live: Live, *, proxy: bool, head: RequestHead | None = None) -> None:
        asked = live.asked
        try:
            request = await self._read(agent, asked, head, proxy=proxy)
            asked.kind, asked.name, asked.port = "connect" if request.connect else "http", request.name, request.port
            live.judge = lambda: self._named(asked)
            if request.connect:
                await self._tunnel(agent, live)
            else:
                await self._forward(agent, live, request)
        except Denied as why:
            await wire.tell(agent, why, wire.status_code(why.rule))
        except BadRequest as why:
            await wire.tell(agent, Denied(why.rule, str(why)), 400)

    def _named(self, asked: Asked) -> Decision:
        """Judge a name that a proxy's request asks for; in plain HTTP a service's requests would pass unopened."""
        decision = decide(self.rules, asked.name, asked.port)
        if decision.allow and asked.kind == "http" and self.house.service(asked.name) is not None:
            return Decision(False, "plain-http", f"{asked.name} is a service's, whose requests go inside TLS only")
        return decision

    async def _read(self, agent: Streams, asked: Asked, head: RequestHead | None, *, proxy: bool) -> Wanted:
        try:
            return wanted(head or (await wire.head(agent[0]))[1], proxy=proxy)
        except Denied as why:
            self._book.denial(asked, why)
            raise
        except BadRequest as why:
            self._book.denial(asked, Denied(why.rule, str(why)))
            raise

    async def _tunnel(self, agent: Streams, live: Live) -> None:
        """Open a tunnel for a listed name; only a hello that names it too goes on, and is judged again then."""
        asked, decision = live.asked, live.judge()
        if not decision.allow:
            self._refuse(asked, decision)
        agent[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await agent[1].drain()
        try:
            hello, name = await wire.hello(agent[0])
        except Denied as why:  # the tunnel is open: no status can be told any more
            self._book.denial(asked, why)
            return
        if name != asked.name:
            mismatch = f"the ClientHello names {name}, CONNECT named {asked.name}"
            self._book.denial(asked, Denied("sni-mismatch", mismatch))
            return
        await self._onwards(agent, live, hello)

    async def _forward(self, agent: Streams, live: Live, request: Wanted) -> None:
        async with self._upstream(live) as upstream:
            await wire.exchange(live.asked, request, agent, upstream)

    async def _carry(self, agent: Streams, live: Live, first: bytes) -> None:
        with contextlib.suppress(Denied):
            async with self._upstream(live) as upstream:
                upstream[1].write(first)
                live.asked.up += len(first)
                await relay(live.asked, agent, upstream)

    @contextlib.asynccontextmanager
    async def _upstream(self, live: Live) -> AsyncIterator[Streams]:
        """Yield a connection upstream, and write its outcome; what breaks inside resets both sides."""
        upstream = await self._reach(live)
        rule, reason = "cut", _CUT
        try:
            yield upstream
            rule, reason = "done", ""
        except (OSError, BadMessage) as why:
            reason = str(why) or type(why).__name__
            raise
        finally:
            self._book.outcome(live.asked, rule, reason)
            reset(upstream[1]) if rule == "cut" else await close(upstream[1])

    def _refuse(self, asked: Asked, decision: Decision) -> None:
        denied = Denied(decision.rule, decision.reason)
        self._book.denial(asked, denied)
        raise denied

    async def _reach(self, live: Live) -> Streams:
        """Return a connection upstream, its intent on record first; raise Denied, on record too."""
        asked, decision, rules = live.asked, live.judge(), self.rules
        if not decision.allow or rules is None:
            self._refuse(asked, decision)
        assert rules is not None  # noqa: S101 - `_refuse` raises
        try:
            self._book.intent(asked, decision)
            upstream = await dial(asked, decision, rules, self._resolver)
        except Denied as why:
            self._book.denial(asked, why)
            raise
        except asyncio.CancelledError:
            self._book.outcome(asked, "cut", _CUT)
            raise
        if not self._allowed(live):  # the rules of this moment, not of when it was asked
            reset(upstream[1])
            self._refuse(asked, Decision(False, "rules-changed", _CUT))
        return upstream


def _follow(live: Live, asked: Asked, judge: Callable[[], Decision]) -> None:
    """Have an opened connection judged by the request that it carries now."""
    live.asked, live.judge = asked, judge


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
