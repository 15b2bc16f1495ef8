"""What all opened connections of one gateway share: rules and vault of now, meter, tickets, and the way upstream."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from hostkit.gateway.decide import Decision, decide
from hostkit.gateway.http import BadRequest, RequestHead
from hostkit.gateway.inspect.budgets import Meter
from hostkit.gateway.inspect.judge import Allowed, Request, judge, service_of
from hostkit.gateway.inspect.patience import Patience
from hostkit.gateway.inspect.shape import Shape
from hostkit.gateway.inspect.tickets import Tickets
from hostkit.gateway.inspect.vault import Vault, open_vault
from hostkit.gateway.names import canonical
from hostkit.gateway.requests import Asked, Book, Denied, Resolver, Streams, dial
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import Service

HELD = 48 * 1024 * 1024
"""Octets of bodies that may be in memory whole at one time: a fifth of what the gateway has."""


@dataclass
class House:
    """The inspecting part of one gateway; `rules` and `vault` are None while nothing may be opened."""

    book: Book
    resolver: Resolver
    directory: Path = Path("/vault")
    rules: Rules | None = None
    vault: Vault | None = None
    meter: Meter = field(default_factory=Meter)
    tickets: Tickets = field(default_factory=Tickets)
    shape: Shape = field(default_factory=Shape)
    patience: Patience = field(default_factory=Patience)
    accounts: dict[str, str] = field(default_factory=dict)
    """Services whose account was asked for since the rules came, and what was wrong with it (empty: nothing)."""
    held: int = 0
    """Octets of bodies that are in memory whole, over all connections."""
    _of: Callable[[str], Service | None] = field(default=lambda _: None)
    _asking: dict[str, asyncio.Lock] = field(default_factory=dict)

    def hold(self, size: int) -> int:
        """Take room for so much more of a body, and return it; raise Denied `too-many` if there is none."""
        if self.held + size > HELD:
            raise Denied("too-many", f"over {HELD} bytes of bodies at one time; send fewer at once")
        self.held += size
        return size

    def load(self, rules: Rules) -> Vault | None:
        """Return the vault that these rules need, None if they open nothing; raise RulesError if it is not whole."""
        return open_vault(self.directory, rules) if rules.services else None

    def apply(self, rules: Rules | None, vault: Vault | None) -> None:
        """Go by these rules from now on; accounts are asked for again, for a key may be another's now."""
        self.rules, self.vault = rules, vault
        self._of = lru_cache(maxsize=256)(partial(service_of, rules))
        self.accounts, self._asking = {}, {}  # new ones: who asks just now answers to the old

    def service(self, name: str) -> Service | None:
        """Return the service that opens a name, None for a name that is tunnelled or not listed."""
        return self._of(name)

    def still(self, request: Request, port: int, allowed: Allowed) -> Decision:
        """Judge a request under way by the rules of now; of its body, which has passed, they must want the same."""
        decision = decide(self.rules, request.host, port)
        service = self.service(request.host)
        if not decision.allow or service is None or self.vault is None:
            return decision if not decision.allow else Decision(False, "not-listed", "no service opens it any more")
        try:
            now = judge(service, request, self.vault.mark, lambda *_: True)
        except (Denied, BadRequest) as why:
            return Decision(False, why.rule, str(why))
        if now.route.body_pins != allowed.route.body_pins:
            return Decision(False, "rules-changed", "its body was judged by other rules")
        return decision

    async def connect(self, asked: Asked, decision: Decision, service: Service) -> Streams:
        """Return a verified TLS connection to the name that was asked for; raise Denied if there is none to be had."""
        if self.rules is None or self.vault is None:
            raise Denied("closed", "the gateway has no usable rules")
        return await dial(asked, decision, self.rules, self.resolver, self.vault.upstream[service.name])

    async def verify(self, service: Service, ask: Callable[[Service], Any]) -> None:
        """Have a service's account asked for once before its first request; raise Denied if it is another's.

        `ask` returns nothing, and raises Denied. What could not be asked at all is asked again at the next request.
        """
        if not service.verify:
            return
        accounts = self.accounts
        async with self._asking.setdefault(service.name, asyncio.Lock()):
            if service.name not in accounts:
                try:
                    await ask(service)
                except Denied as why:
                    if why.rule != "answer-pin":
                        raise
                    accounts[service.name] = why.reason
                else:
                    accounts[service.name] = ""
        if problem := accounts[service.name]:
            raise Denied("wrong-account", f"the key of {service.name} is of another account: {problem}")


def own_service(rules: Rules | None, head: RequestHead) -> tuple[Service, str, int] | None:
    """Return (service, its first host, port) that a plain request to the gateway's own address means, None for another.

    The first word of its path is a service's `base`.
    """
    host = dict(head.headers).get(b"host", b"").decode("latin-1")
    if rules is None or host.removesuffix(":80") != rules.address:
        return None
    word = re.split("[/?]", head.target[1:], maxsplit=1)[0]
    for service in rules.services:
        if service.base and service.base == word:
            return service, service.hosts[0], _port(rules, service.hosts[0])
    return None


def _port(rules: Rules, host: str) -> int:
    ports = [port for grant in rules.grants if grant.name == host for port in grant.ports]
    return 443 if 443 in ports or not ports else ports[0]


def verify_place(service: Service) -> tuple[str, str, str, str]:
    """Return (method, host, path, header line or nothing) of the request that asks whose a service's key is."""
    method, host, path, *header = service.verify.split(" ", 3)
    return method, canonical(host), path, "".join(header)
