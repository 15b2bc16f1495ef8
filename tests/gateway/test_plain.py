"""What a plain request asks for, its head read as it is on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.http import BadRequest, RequestHead, read_request
from hostkit.gateway.plain import wanted


def head(text, proxy=True):
    return wanted(read_request(text.encode("latin-1")), proxy=proxy)


def refusal(text, proxy=True):
    with pytest.raises(BadRequest) as caught:
        head(text, proxy)
    return caught.value.rule


def test_the_three_forms_ask_for_the_same():
    connect = head("CONNECT API.slack.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
    absolute = head("GET http://api.slack.com/a?b HTTP/1.1\r\nHost: api.slack.com\r\n\r\n")
    origin = head("GET /a?b HTTP/1.1\r\nHost: api.slack.com.\r\n\r\n", proxy=False)
    assert (connect.name, connect.port, connect.connect) == ("api.slack.com", 443, True)
    assert (absolute.name, absolute.port, absolute.target) == ("api.slack.com", 80, "/a?b")
    assert (origin.name, origin.port, origin.target) == ("api.slack.com", 80, "/a?b")


def test_what_goes_upstream_names_the_judged_host_and_closes():
    headers = dict(head("GET http://A.com/ HTTP/1.1\r\nHost: a.com\r\nProxy-Authorization: x\r\n\r\n").headers)
    assert headers == {b"host": b"a.com", b"connection": b"close"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("GET http://a.com/ HTTP/1.1\r\nHost: b.com\r\n\r\n", "host-mismatch"),
        ("GET http://a.com/ HTTP/1.1\r\nHost: a.com:81\r\n\r\n", "host-mismatch"),
        ("GET http://a.com@b.com/ HTTP/1.1\r\nHost: b.com\r\n\r\n", "bad-name"),
        ("GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "ip-literal"),
        ("CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n", "ip-literal"),
        ("GET ftp://a.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n", "bad-request"),
        ("OPTIONS * HTTP/1.1\r\nHost: a.com\r\n\r\n", "bad-request"),
        ("GET / HTTP/1.1\r\nHost: a.com\r\nHost: b.com\r\n\r\n", "bad-request"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "bad-request"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "bad-request"),
        ("GET / HTTP/1.1\nHost: a.com\r\n\r\n", "bad-request"),
        ("GET / HTTP/1.1\r\nX: a\r\n b\r\nHost: a.com\r\n\r\n", "bad-request"),
        ("GET / HTTP/1.1\r\nX: a\x00\r\nHost: a.com\r\n\r\n", "bad-request"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_rule(text, rule):
    assert refusal(text) == rule


def test_connect_is_for_the_proxys_port():
    assert refusal("CONNECT a.com:443 HTTP/1.1\r\nHost: a.com\r\n\r\n", proxy=False) == "bad-request"


def test_a_wish_for_a_tunnel_has_no_body_and_zero_is_none():
    assert head("CONNECT a.com:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").connect
    assert refusal("CONNECT a.com:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n") == "bad-request"


@given(st.binary(max_size=200))
def test_any_target_is_wanted_or_the_typed_refusal(target):
    try:
        found = wanted(RequestHead("GET", target.decode("latin-1"), ((b"host", b"a.com"),)), proxy=True)
    except BadRequest as why:
        found = why
    assert getattr(found, "rule", "") in {"", "bad-request", "bad-name", "ip-literal", "host-mismatch"}
