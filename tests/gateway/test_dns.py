import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.dns import answer
from tests.gateway.test_decide import RULES


def asked(name, kind="A"):
    reply, denied = answer(RULES, dns.message.make_query(name, kind).to_wire())
    return dns.message.from_wire(reply), denied


def test_a_listed_name_is_the_gateway_itself():
    reply, denied = asked("SLACK.com")
    assert [record.address for record in reply.answer[0]] == ["10.231.0.2"]
    assert denied is None


@pytest.mark.parametrize("kind", ["AAAA", "HTTPS", "SVCB"])
def test_a_listed_name_has_no_other_address(kind):
    reply, denied = asked("slack.com", kind)
    assert (reply.rcode(), reply.answer, denied) == (dns.rcode.NOERROR, [], None)


@pytest.mark.parametrize("kind", ["TXT", "ANY", "NULL", "MX", "NS"])
def test_other_types_carry_nothing_out(kind):
    assert asked("slack.com", kind)[0].rcode() == dns.rcode.REFUSED


def test_a_name_that_is_not_listed_is_denied_here_and_named():
    reply, denied = asked("secret.evil.example")
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert reply.flags & dns.flags.AA
    assert denied == "secret.evil.example"


def test_without_rules_nothing_is_listed():
    reply, denied = answer(None, dns.message.make_query("slack.com", "A").to_wire())
    assert dns.message.from_wire(reply).rcode() == dns.rcode.NXDOMAIN
    assert denied == "slack.com"


def test_a_reply_is_not_replied_to():
    reply, _ = answer(RULES, dns.message.make_query("slack.com", "A").to_wire())
    assert answer(RULES, reply) == (None, None)


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_or_dropped(data):
    reply, _ = answer(RULES, data)
    assert reply is None or isinstance(reply, bytes)
