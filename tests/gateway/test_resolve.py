"""Resolvers that lie, stumble or stay silent: what counts is the answer to the question that was asked."""

import asyncio
from ipaddress import ip_address
from types import SimpleNamespace

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from hostkit.gateway import resolve as subject
from hostkit.gateway.decide import Decision
from hostkit.gateway.requests import Asked, Denied, dial
from hostkit.gateway.rules import Rules
from tests.gateway.test_server import LOOPBACK


class Resolver(asyncio.DatagramProtocol):
    """Answers each query with the records and changes that a test wants."""

    def __init__(self, *records, change=lambda reply: reply, raw=None, life=5):
        self.life, self.records, self.change, self.raw, self.queries = life, records, change, raw, []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        query = dns.message.from_wire(data)
        self.queries.append(query)
        reply = dns.message.make_response(query)
        for name, kind, value in self.records:
            reply.answer.append(dns.rrset.from_text(name, self.life, "IN", kind, *value.split()))
        self.transport.sendto(self.raw or self.change(reply).to_wire(), peer)


def asked(monkeypatch, *resolvers, known=subject.Known, times=1):
    """Return what the resolvers together say of a.example, asked so many times: its addresses, or `no address`."""
    known = known()
    monkeypatch.setattr(subject, "_WAIT", 0.3)
    ports = {}

    async def play():
        loop = asyncio.get_running_loop()
        for index, resolver in enumerate(resolvers):
            transport, _ = await loop.create_datagram_endpoint(
                lambda made=resolver: made, local_addr=(f"127.0.0.{index + 2}", 0)
            )
            ports[f"127.0.0.{index + 2}"] = transport.get_extra_info("sockname")[1]
        direct = dns.asyncquery.udp_with_fallback
        monkeypatch.setattr(
            "dns.asyncquery.udp_with_fallback",
            lambda query, where, timeout: direct(query, where, timeout, ports[where]),
        )
        try:
            found = [await known("a.example", tuple(ports)) for _ in range(times)]
            assert len(set(found)) == 1
            return sorted(str(address) for address in found[0])
        except subject.NoAddress:
            return "no address"
        finally:
            for resolver in resolvers:
                resolver.transport.close()
            await asyncio.sleep(0)

    import dns.asyncquery

    return asyncio.run(play())


def other_id(reply):
    reply.id ^= 1
    return reply


def other_question(reply):
    reply.question = dns.message.make_query("b.example", "A").question
    return reply


def failed(reply):
    reply.set_rcode(dns.rcode.SERVFAIL)
    return reply


GOOD = ("a.example.", "A", "192.0.2.7")


@pytest.mark.parametrize(
    ("resolver", "found"),
    [
        (Resolver(GOOD), ["192.0.2.7"]),
        (Resolver(("a.example.", "A", "192.0.2.7 10.0.0.1")), ["10.0.0.1", "192.0.2.7"]),
        (Resolver(("a.example.", "CNAME", "b.example."), ("b.example.", "A", "10.0.0.1")), ["10.0.0.1"]),
        (Resolver(("b.example.", "A", "192.0.2.7")), "no address"),
        (Resolver(("a.example.", "CNAME", "b.example."), ("c.example.", "A", "192.0.2.7")), "no address"),
        (Resolver(("a.example.", "CNAME", "b.example."), ("b.example.", "CNAME", "a.example.")), "no address"),
        (Resolver(("a.example.", "AAAA", "2001:db8::1")), "no address"),
        (Resolver(), "no address"),
        (Resolver(GOOD, change=other_id), "no address"),
        (Resolver(GOOD, change=other_question), "no address"),
        (Resolver(change=failed), "no address"),
        (Resolver(raw=b"\xff" * 40), "no address"),
        (Resolver(raw=b"x"), "no address"),
    ],
)
def test_only_the_addresses_of_the_question_are_taken(monkeypatch, resolver, found):
    assert asked(monkeypatch, resolver) == found
    assert len(resolver.queries) == 1


def test_the_next_resolver_is_asked_when_one_stumbles_and_the_first_answer_counts(monkeypatch):
    last = Resolver(("a.example.", "A", "192.0.2.9"))
    assert asked(monkeypatch, Resolver(raw=b"x"), Resolver(GOOD), last) == ["192.0.2.7"]
    assert last.queries == []


def test_with_no_resolver_there_is_no_address(monkeypatch):
    assert asked(monkeypatch) == "no address"


@pytest.mark.parametrize(("life", "queries"), [(5, 1), (0, 3)])
def test_an_answer_is_good_for_its_life_and_asked_for_again_after(monkeypatch, life, queries):
    resolver = Resolver(GOOD, life=life)
    assert asked(monkeypatch, resolver, times=3) == ["192.0.2.7"]
    assert len(resolver.queries) == queries


def test_the_shortest_life_of_a_chain_counts(monkeypatch):
    alias = Resolver(("a.example.", "CNAME", "b.example."), ("b.example.", "A", "192.0.2.7"), life=300)

    def short(reply):
        reply.answer[0].ttl = 0
        return reply

    alias.change = short
    assert asked(monkeypatch, alias, times=2) == ["192.0.2.7"]
    assert len(alias.queries) == 2


class Said:
    """What `resolve` says, and how often it was asked."""

    def __init__(self, life=5.0):
        self.asked, self.life, self.found = [], life, ("192.0.2.7",)

    async def __call__(self, name, resolvers):
        self.asked.append((name, resolvers))
        if not self.found:
            raise subject.NoAddress(name)
        return self.found, self.life


@pytest.fixture
def clock():
    return SimpleNamespace(now=1000.0)


def names(monkeypatch, said, clock, *asks):
    """Ask for names in turn, each `(name, resolvers, seconds later)`, and return what came of each."""
    monkeypatch.setattr(subject, "resolve", said)
    known = subject.Known(lambda: clock.now)

    async def play():
        got = []
        for name, resolvers, later in asks:
            clock.now += later
            try:
                got.append(await known(name, resolvers))
            except subject.NoAddress:
                got.append(None)
        return got

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("life", "later", "asked"),
    [(5.0, 4.9, 1), (5.0, 5.0, 2), (0.0, 0.0, 2), (86400.0, 59.9, 1), (86400.0, 60.0, 2)],
)
def test_a_life_is_a_minute_at_most(monkeypatch, clock, life, later, asked):
    said = Said(life)
    names(monkeypatch, said, clock, ("a.example", ("r",), 0), ("a.example", ("r",), later))
    assert len(said.asked) == asked


def test_another_name_and_other_resolvers_are_asked_for_themselves(monkeypatch, clock):
    said = Said()
    names(monkeypatch, said, clock, *[(name, (which,), 0) for which in "rs" for name in ("a.example", "b.example")])
    assert len(set(said.asked)) == 4


def test_that_there_is_no_address_is_not_kept(monkeypatch, clock):
    said = Said()
    said.found = ()
    assert names(monkeypatch, said, clock, ("a.example", ("r",), 0), ("a.example", ("r",), 0)) == [None, None]
    assert len(said.asked) == 2


def test_so_many_answers_are_kept_and_the_oldest_goes_first(monkeypatch, clock):
    said = Said()
    many = [(f"{number}.example", ("r",), 0) for number in range(subject.MOST + 1)]
    names(monkeypatch, said, clock, *many, many[-1], many[1], many[0])
    assert [name for name, _ in said.asked[len(many) :]] == ["0.example"]


class Moving:
    """A name with a server that listens where it is told to; `dial` it by a resolver that keeps answers."""

    def __init__(self, monkeypatch):
        self.said = Said()
        self.said.found = (ip_address("127.0.0.1"),)
        monkeypatch.setattr(subject, "resolve", self.said)
        self.known, self.server, self.port = subject.Known(), None, 0

    async def listen(self, address):
        if self.server:
            self.server.close()
        self.server = await asyncio.start_server(lambda _, writer: writer.close(), address, self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def dial(self):
        """Return where it was reached, or the rule by which it was not."""
        asked = Asked("connect", "a.example", self.port, "10.0.0.2")
        try:
            _, writer = await dial(
                asked, Decision(True, "", "", LOOPBACK), Rules("acme", 1, "127.0.0.1", ()), self.known
            )
        except Denied as why:
            return why.rule
        writer.close()
        return asked.address


def test_a_service_that_moved_is_found_at_once(monkeypatch):
    async def play():
        name = Moving(monkeypatch)
        await name.listen("127.0.0.1")
        assert [await name.dial(), await name.dial()] == ["127.0.0.1"] * 2
        await name.listen("127.0.0.2")
        name.said.found = (ip_address("127.0.0.2"),)
        assert [await name.dial(), await name.dial()] == ["127.0.0.2"] * 2
        assert len(name.said.asked) == 2
        name.server.close()

    asyncio.run(play())


def test_one_that_is_nowhere_any_more_has_no_address(monkeypatch):
    async def play():
        name = Moving(monkeypatch)
        await name.listen("127.0.0.1")
        await name.dial()
        name.server.close()
        name.said.found = ()
        assert await name.dial() == "no-address"

    asyncio.run(play())


def test_an_answer_that_was_just_given_is_not_asked_for_twice(monkeypatch):
    async def play():
        name = Moving(monkeypatch)
        await name.listen("127.0.0.1")
        name.server.close()
        assert [await name.dial(), await name.dial()] == ["dial-failed"] * 2
        assert len(name.said.asked) == 2

    asyncio.run(play())
