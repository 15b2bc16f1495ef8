import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostkit.gateway.decide import is_listed
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


QUERY = dns.message.make_query("slack.com", "A").to_wire()
QUESTION = QUERY[12:]


def header(**counts):
    names = ("questions", "answers", "authority", "additional")
    return b"\x12\x34\x01\x00" + b"".join(counts.get(name, 0).to_bytes(2) for name in names)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        QUERY[:11],
        header(),
        header(questions=2) + QUESTION * 2,
        header(questions=65535) + QUESTION,
        header(questions=1) + b"\xc0\x0c\0\1\0\1",
        header(questions=1) + b"\x3f" + b"a" * 63 + b"\xc0\x0c\0\1\0\1",
        header(questions=1) + QUESTION + b"more",
        header(questions=1) + (b"\x3f" + b"a" * 63) * 5 + b"\0\0\1\0\1",
        header(questions=1) + b"\x40" + QUESTION,
        b"\x12\x34\x29\x00" + QUERY[4:],
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_what_is_no_single_whole_query_is_dropped(data):
    assert answer(RULES, data) == (None, None)


@pytest.mark.parametrize("kind", ["AXFR", "IXFR", "TXT", "ANY"])
def test_a_transfer_or_text_of_a_listed_name_is_refused_and_of_another_denied(kind):
    assert asked("slack.com", kind)[0].rcode() == dns.rcode.REFUSED
    reply, denied = asked("evil.example", kind)
    assert (reply.rcode(), denied) == (dns.rcode.NXDOMAIN, "evil.example")


def test_the_question_comes_back_in_the_letters_it_was_asked_in():
    reply, _ = asked("sLaCk.CoM")
    assert reply.question[0].name.to_text() == "sLaCk.CoM."
    assert reply.answer[0].name.to_text() == "sLaCk.CoM."


def test_another_class_is_denied_though_the_name_is_listed():
    reply, denied = answer(RULES, dns.message.make_query("slack.com", "A", "CH").to_wire())
    assert (dns.message.from_wire(reply).rcode(), denied) == (dns.rcode.NXDOMAIN, "slack.com")


def test_extensions_of_the_query_change_nothing_and_grow_nothing():
    query = dns.message.make_query("slack.com", "A", use_edns=0, payload=65535, want_dnssec=True).to_wire()
    reply, denied = answer(RULES, query)
    assert denied is None
    assert len(reply) < 100


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_or_dropped(data):
    reply, _ = answer(RULES, data)
    assert reply is None or isinstance(reply, bytes)


names = st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=3)
"""Labels may hold anything, dots, spaces and control characters too."""


@settings(max_examples=300)
@given(names, st.integers(0, 65535), st.sampled_from([1, 3, 255]))
def test_only_the_listed_names_own_letters_are_ever_answered(labels, kind, rdclass):
    name = b"".join(len(label).to_bytes(1) + label for label in labels) + b"\0"
    reply, denied = answer(RULES, header(questions=1) + name + kind.to_bytes(2) + rdclass.to_bytes(2))
    if reply is None:
        return
    assert denied is not None
    assert dns.message.from_wire(reply).answer == []


@settings(max_examples=300)
@given(st.integers(0, len(QUERY) - 1), st.integers(0, 255), st.integers(0, 3), st.binary(max_size=3))
def test_a_query_with_a_piece_changed_is_answered_for_a_listed_name_or_not_at_all(at, value, width, piece):
    data = QUERY[:at] + bytes([value]) + piece + QUERY[at + width :]
    reply, denied = answer(RULES, data)
    if reply is None or denied is not None:
        return
    question = dns.message.from_wire(reply).question[0].name.to_text(omit_final_dot=True)
    assert is_listed(RULES, question.lower())
