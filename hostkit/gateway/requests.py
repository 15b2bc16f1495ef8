"""One request from its decision to its outcome: record, resolve once, class the address, dial that address."""

import asyncio
import contextlib
import itertools
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hostkit.gateway.address import Address, refusal
from hostkit.gateway.decide import Decision
from hostkit.gateway.records import Records, RecordsFull
from hostkit.gateway.resolve import Known, NoAddress
from hostkit.gateway.rules import Rules

DIAL_WAIT = 10.0
"""Seconds until a dial counts as failed."""
_SAID = ("service", "method", "path", "status", "tokens", "cost")
"""What a record says of an opened request, where there is something to say."""
_RUN = f"{time.time_ns() // 1_000_000:x}"
"""Tells the requests of this run from those of another: a container's first process has the same number each time."""
_numbers = itertools.count(1)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Resolver = Callable[[str, tuple[str, ...]], Awaitable[tuple[Address, ...]]]


class Denied(Exception):  # noqa: N818 - it is an answer
    """A request that will not leave, or that could not; `rule` is one of the typed reasons."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


@dataclass
class Asked:
    """A request under way: what it asks for, and what came of it so far."""

    kind: str
    name: str
    port: int
    peer: str
    generation: int = 0
    address: str = ""
    up: int = 0
    down: int = 0
    number: str = ""
    service: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    tokens: int = 0
    cost: int = 0

    def __post_init__(self) -> None:
        self.number = f"{_RUN}-{next(_numbers)}"


class Book:
    """Writes the records of requests; counts what was allowed and denied."""

    def __init__(self, records: Records, client: str) -> None:
        self.records, self.client = records, client
        self.allowed = self.denied = 0

    def intent(self, asked: Asked, decision: Decision) -> None:
        """Write the intent; raise Denied if there is no room for it."""
        try:
            self._write("intent", asked, rule=decision.rule)
        except RecordsFull as why:
            raise Denied("records-full", str(why)) from None
        self.allowed += 1

    def denial(self, asked: Asked, why: Denied) -> None:
        """Write a denial; with no room for it the request is denied all the same."""
        self.denied += 1
        with contextlib.suppress(RecordsFull):
            self._write("denied", asked, rule=why.rule, reason=why.reason)

    def alarm(self, asked: Asked, rule: str, reason: str) -> None:
        """Write that somebody should look, of a request that goes on."""
        with contextlib.suppress(RecordsFull):
            self._write("alarm", asked, rule=rule, reason=reason)

    def outcome(self, asked: Asked, rule: str, reason: str) -> None:
        """Write how a request that left ended."""
        facts = {"address": asked.address, "bytes_up": asked.up, "bytes_down": asked.down}
        with contextlib.suppress(RecordsFull):
            self._write("outcome", asked, last=True, rule=rule, reason=reason, **facts)

    def _write(self, event: str, asked: Asked, **fields: Any) -> None:
        told = vars(asked)
        facts: dict[str, Any] = {
            "client": self.client,
            "generation": asked.generation,
            "kind": asked.kind,
            "from": asked.peer,
            **{key: told[key] for key in _SAID if told[key]},
        }
        self.records.write(id=asked.number, event=event, name=asked.name, port=asked.port, **facts, **fields)


async def dial(
    asked: Asked, decision: Decision, rules: Rules, resolver: Resolver, tls: ssl.SSLContext | None = None
) -> Streams:
    """Return a connection to an address that was checked; raise Denied if the answer holds one that is refused.

    With `tls` it is verified for the name that was asked for; raise Denied `upstream-tls` if it cannot be. Where
    nobody, or somebody else, is at an address that was known from before, the name is asked for anew.
    """
    try:
        return await _dial(asked, decision, rules, resolver, tls)
    except Denied as why:
        if why.rule not in {"dial-failed", "upstream-tls"} or not isinstance(resolver, Known):
            raise
        if not resolver.forget(asked.name, rules.resolvers):
            raise
    return await _dial(asked, decision, rules, resolver, tls)


async def _dial(
    asked: Asked, decision: Decision, rules: Rules, resolver: Resolver, tls: ssl.SSLContext | None
) -> Streams:
    try:
        addresses = await resolver(asked.name, rules.resolvers)
    except NoAddress as why:
        raise Denied("no-address", str(why)) from None
    for address in addresses:
        refused = refusal(address, decision.networks, rules.refuse)
        if refused:
            raise Denied(*refused)
    return await _first_that_answers(asked, addresses, tls)


async def _first_that_answers(asked: Asked, addresses: tuple[Address, ...], tls: ssl.SSLContext | None) -> Streams:
    problem = "no address"
    named: dict[str, Any] = {"ssl": tls, "server_hostname": asked.name} if tls else {}
    for address in addresses[:4]:
        try:
            streams = await asyncio.wait_for(asyncio.open_connection(str(address), asked.port, **named), DIAL_WAIT)
        except ssl.SSLError as why:
            raise Denied("upstream-tls", f"{asked.name}: {why.reason or why}") from None
        except (TimeoutError, OSError) as why:
            problem = f"{address}: {str(why) or 'no answer'}"
            continue
        asked.address = str(address)
        _keep_alive(streams[1])
        return streams
    raise Denied("dial-failed", problem)


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the kernel notice, after two minutes, an upstream that went away without a word."""
    wire = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 3)):
        wire.setsockopt(socket.IPPROTO_TCP, option, value)
