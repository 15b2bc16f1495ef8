"""One opened connection of an agent: request after request, each judged, recorded, carried and recorded again."""

import contextlib
import re
from collections.abc import Callable
from functools import partial

from hostkit.gateway.decide import Decision, decide
from hostkit.gateway.http import BadMessage, BadRequest, RequestHead, read_request
from hostkit.gateway.inspect.body import Carried
from hostkit.gateway.inspect.carry import StaleError, Upstream, carry
from hostkit.gateway.inspect.house import House, verify_place
from hostkit.gateway.inspect.judge import Allowed, judge
from hostkit.gateway.inspect.judged import Judged
from hostkit.gateway.inspect.patience import Limit
from hostkit.gateway.inspect.request import IDLE, next_head, opened, outgoing
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.inspect.vault import Vault
from hostkit.gateway.inspect.verify import verify
from hostkit.gateway.relay import reset
from hostkit.gateway.requests import Asked, Denied
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import Service
from hostkit.gateway.wire import refusal, status_code

_CUT = "the connection broke, or the rules no longer allow it"
_LONGEST_PATH = 200
_MARK = re.compile("(hk[0-9a-f]{8})[0-9a-z]{24}")
Watch = Callable[[Asked, Callable[[], Decision]], None]
"""Told of each request under way: what it asks for, and how it is judged anew when the rules change."""


class Session:
    """Serves one opened connection to `name`; `base` is the path's first word where it came in plain, by base URL."""

    def __init__(self, house: House, stream: Plain, asked: Asked, watch: Watch, base: str = "") -> None:
        self._house, self._stream, self._asked, self._watch, self._base = house, stream, asked, watch, base
        self._upstream: Upstream | None = None
        self._judged: Judged | None = None
        self._idle = Limit(house.patience, IDLE)

    async def run(self) -> None:
        """Serve requests until the agent or a refusal ends the connection."""
        try:
            while await self._one():
                pass
            self._drop()
            await self._stream.end()
        finally:
            self._drop()

    def _drop(self) -> None:
        if self._upstream is not None:
            reset(self._upstream.streams[1])
            self._upstream = None

    async def _one(self) -> bool:
        """Serve one request; return whether another may follow."""
        asked = None
        try:
            raw = await next_head(self._stream, self._idle)
            if not raw:
                return False
            asked = self._next()
            return await self._serve(raw, asked)
        except Denied as why:
            await self._refuse(asked or self._next(), why)
        except BadRequest as why:
            await self._refuse(asked or self._next(), Denied(why.rule, str(why)))
        return False

    def _clean(self, text: str) -> str:
        """Return text for a record: no key in it, and of a placeholder only whose it is."""
        vault = self._house.vault
        clean = vault.needles.clean(text.encode("utf-8", "replace")).decode() if vault else text
        return _MARK.sub(lambda found: found[1] + "*" * (len(found[0]) - len(found[1])), clean)

    def _next(self) -> Asked:
        first = self._asked
        generation = self._house.rules.generation if self._house.rules else 0
        kind = "base" if self._base else "request"
        return Asked(kind, first.name, first.port, first.peer, generation)

    async def _refuse(self, asked: Asked, why: Denied) -> None:
        """Put a refusal on record and tell the agent."""
        why = Denied(why.rule, self._clean(why.reason))
        self._house.book.denial(asked, why)
        await self._say(refusal(why, status_code(why.rule)))

    async def _say(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(data)
            await self._stream.drain()

    async def _serve(self, raw: bytes, asked: Asked) -> bool:
        rules, vault = self._house.rules, self._house.vault
        service = self._house.service(asked.name)
        if rules is None or vault is None or service is None:
            raise Denied("closed", "the gateway has no usable rules for this name")
        judged, self._judged = self._judged, None
        if judged is None or not judged.is_of(raw, rules, vault):
            judged = self._judge(raw, asked, service, (rules, vault))
        asked.service, asked.method, asked.path = service.name, judged.request.method, judged.shown
        self._house.meter.admit(rules, service.name, requests=1, **_counted(judged.allowed))
        await self._house.verify(service, partial(self._verify, rules))
        self._notice(judged, asked)
        self._watch(asked, partial(self._house.still, judged.request, asked.port, judged.allowed))
        carried = Carried(self._stream, self._house, judged, asked)
        try:
            again = await self._carry(carried)
        finally:
            self._house.held -= carried.held
        self._judged = judged if judged.may_be_kept else None
        return again

    def _judge(self, raw: bytes, asked: Asked, service: Service, by: tuple[Rules, Vault]) -> Judged:
        """Return a head with what is judged of it; raise Denied or BadRequest, `asked` told what it asks for."""
        rules, vault = by
        head = self._based(read_request(raw))
        request = opened(head, asked.name, asked.port, secure=not self._base)
        asked.service, asked.method = service.name, request.method
        asked.path = self._clean(request.target.partition("?")[0])[:_LONGEST_PATH]
        if service.login and not request.header(b"authorization"):
            raise Denied("login", "git asks first without a password; it is told to send its placeholder")
        allowed = judge(service, request, vault.mark, self._house.tickets.issued)
        used = allowed.found.credential
        out = outgoing(request, allowed, vault.keys[used.secret] if used else None, asked.port)
        return Judged(raw, rules, vault, head, request, allowed, asked.path, out)

    def _based(self, head: RequestHead) -> RequestHead:
        """Return the head with the base's word taken off its path."""
        if not self._base:
            return head
        path, mark, query = head.target.partition("?")
        word, slash, rest = path[1:].partition("/")
        if word != self._base:
            raise Denied("not-listed", f"{head.target[:80]} is no base of a service")
        return head._replace(target=f"{slash or '/'}{rest}{mark}{query}")

    def _notice(self, judged: Judged, asked: Asked) -> None:
        if alarm := self._house.shape.odd(judged.words):
            self._house.book.alarm(asked, "odd-requests", alarm)

    async def _carry(self, carried: Carried) -> bool:
        """Carry a request that was judged, its intent on record before it leaves and its outcome after."""
        asked, book = carried.asked, self._house.book
        body = await carried.read_whole()
        self._admit(carried)
        rule, reason = "cut", _CUT
        try:
            again = await self._exchange(carried, body)
            rule, reason = "done", ""
        except (Denied, BadRequest) as why:
            rule, reason = why.rule, self._clean(str(why))
            await self._stopped(carried, Denied(rule, reason))
            return False
        except (OSError, BadMessage) as why:
            reason = str(why) or type(why).__name__
            raise
        finally:
            book.outcome(asked, rule, reason)
        if not carried.upstream_kept:
            self._drop()
        return again

    def _admit(self, carried: Carried) -> None:
        """Put the intent on record and count it, after a last look: reading the body may have taken a minute."""
        name, counted = carried.allowed.service.name, _counted(carried.allowed)
        if self._house.rules is not carried.rules:
            raise Denied("rules-changed", "the rules changed while this request was read")
        self._house.meter.admit(carried.rules, name, requests=1, **counted)
        self._house.book.intent(carried.asked, Decision(True, f"service:{name}", "listed"))
        self._house.meter.add(name, requests=1, **counted)

    async def _exchange(self, carried: Carried, body: bytes | None) -> bool:
        asked, service = carried.asked, carried.allowed.service
        self._upstream = await self._reach(asked, service)
        try:
            return await carry(carried, self._upstream, body)
        except StaleError:
            self._drop()
        self._upstream = await self._reach(asked, service)
        return await carry(carried, self._upstream, body)

    async def _stopped(self, carried: Carried, why: Denied) -> None:
        """End a request that had left: told to the agent if nothing of the answer was, cut short otherwise."""
        self._drop()
        self._house.book.denied += 1
        if carried.begun:
            raise ConnectionResetError(why.reason)
        await self._say(refusal(why, status_code(why.rule)))

    async def _reach(self, asked: Asked, service: Service) -> Upstream:
        """Return the kept connection upstream if it is still good, else a new one."""
        kept = self._upstream
        if kept is not None and kept.usable(asked.name, self._house.vault):
            asked.address = kept.address
            return kept
        self._drop()
        decision = decide(self._house.rules, asked.name, asked.port)
        if not decision.allow:
            raise Denied(decision.rule, decision.reason)
        vault = self._house.vault
        streams = await self._house.connect(asked, decision, service)
        if self._house.vault is not vault:
            reset(streams[1])
            raise Denied("rules-changed", "the rules changed while this request was under way")
        return Upstream(streams, asked.name, asked.address, vault)

    async def _verify(self, rules: Rules, service: Service) -> None:
        """Ask the service whose its key is; raise Denied `answer-pin` if it is not the one that the policy names."""
        method, host, path, header = verify_place(service)
        asked = Asked("verify", host, self._asked.port, self._asked.peer, rules.generation, service=service.name)
        asked.method, asked.path = method, path
        await verify(self._house, service, asked, header)


def _counted(allowed: Allowed) -> dict[str, int]:
    return {allowed.route.counts: 1} if allowed.route.counts else {}
