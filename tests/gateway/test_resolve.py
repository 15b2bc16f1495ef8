"""Resolvers that lie, stumble or stay silent: what counts is the answer to the question that was asked."""

import asyncio

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from hostkit.gateway import resolve as subject


class Resolver(asyncio.DatagramProtocol):
    """Answers each query with the records and changes that a test wants."""

    def __init__(self, *records, change=lambda reply: reply, raw=None):
        self.records, self.change, self.raw, self.queries = records, change, raw, []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        query = dns.message.from_wire(data)
        self.queries.append(query)
        reply = dns.message.make_response(query)
        for name, kind, value in self.records:
            reply.answer.append(dns.rrset.from_text(name, 5, "IN", kind, *value.split()))
        self.transport.sendto(self.raw or self.change(reply).to_wire(), peer)


def asked(monkeypatch, *resolvers):
    """Return what the resolvers together say of a.example: its addresses, or `no address`."""
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
            return sorted(str(address) for address in await subject.resolve("a.example", tuple(ports)))
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
