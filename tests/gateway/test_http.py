import re

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostkit.gateway.http import BadRequest, read_head, strict
from hostkit.gateway.names import split_authority


def head(text, proxy=True):
    raw = text.encode("latin-1")
    strict(raw.removesuffix(b"\r\n\r\n"))
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    return read_head(connection.next_event(), proxy=proxy)


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
def test_any_target_is_a_head_or_the_typed_refusal(target):
    request = h11.Request(method="GET", target=b"/", headers=[("Host", "a.com")])
    object.__setattr__(request, "target", target)
    try:
        found = read_head(request, proxy=True)
    except BadRequest as why:
        found = why
    assert getattr(found, "rule", "") in {"", "bad-request", "bad-name", "ip-literal", "host-mismatch"}


@st.composite
def mutated_heads(draw):
    """Return a valid head with up to four pieces put in, taken out or doubled where parsers are known to differ."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(0, 4))):
        at, width = draw(st.integers(0, len(text))), draw(st.integers(0, 3))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + width :]
    return text + b"\r\n\r\n"


VALID = (
    b"GET http://a.com/x HTTP/1.1\r\nHost: a.com\r\nAccept: */*",
    b"POST http://a.com:8080/ HTTP/1.1\r\nHost: a.com:8080\r\nContent-Length: 3",
    b"POST / HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: chunked",
    b"CONNECT a.com:443 HTTP/1.1\r\nHost: a.com:443",
    b"GET / HTTP/1.0\r\nHost: a.com",
)
PIECES = (
    *(
        b"",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n ",
        b"\0",
        b"\x0b",
        b"\x0c",
        b"\x85",
        b"\xa0",
        b"\xff",
        b":",
        b",",
    ),
    *(b"@", b"/", b"\\", b"#", b"?", b"%2e", b"b.com", b"\r\nHost: b.com", b"\nHost: b.com", b"\r\nhost:b.com"),
    *(
        b"\r\nContent-Length: 4",
        b"\r\nContent-Length : 4",
        b"\r\nTransfer-Encoding: chunked",
        b"chunked, ",
        b"0x",
        b"+",
    ),
    *(b"\r\nTransfer-Encoding:\x0bchunked", b" HTTP/1.1\r\n", b"HTTP/1.0", b"http://b.com/", b"//", b"[::1]", b"127.1"),
)


def lenient(raw):
    """Read a head as the most forgiving server would: any line end, any white space, any order."""
    lines = [line.strip() for line in re.split(rb"\r\n|\n|\r", raw) if line.strip()]
    method, target, *_ = [*lines[0].split(), b"", b""]
    fields = [line.split(b":", 1) for line in lines[1:] if b":" in line]
    told = [(name.strip(b" \t\0\x0b\x0c").lower(), value.strip(b" \t\0\x0b\x0c")) for name, value in fields]
    return method, target, told


@settings(max_examples=400)
@given(mutated_heads())
def test_whatever_is_accepted_says_the_same_to_the_most_forgiving_reader(raw):
    start = raw[: raw.index(b"\r\n\r\n") + 4]
    try:
        found = head(start.decode("latin-1"))
    except (BadRequest, h11.RemoteProtocolError):
        return
    method, target, told = lenient(start)
    hosts = [value for name, value in told if name == b"host"]
    authority = target if found.connect else re.sub(rb"(?i)^http://([^/?]*).*", rb"\1", target)
    if target.startswith(b"/"):
        authority = hosts[0]
    assert (method.decode(), len(hosts) <= 1) == (found.method, True)
    assert split_authority(authority.decode("latin-1"), 80) == (found.name, found.port)
    framings = [value.lower() for name, value in told if name in {b"content-length", b"transfer-encoding"}]
    assert len(framings) <= 1
    assert all(value == b"chunked" or value.isdigit() for value in framings)
    if hosts and not found.connect:
        assert split_authority(hosts[0].decode("latin-1"), 80) == (found.name, found.port)


@settings(max_examples=200)
@given(mutated_heads())
def test_what_goes_upstream_is_read_there_as_it_was_judged_here(raw):
    start = raw[: raw.index(b"\r\n\r\n") + 4]
    try:
        found = head(start.decode("latin-1"))
    except (BadRequest, h11.RemoteProtocolError):
        return
    if found.connect:
        return
    out = h11.Connection(h11.CLIENT)
    sent = out.send(h11.Request(method=found.method, target=found.target, headers=list(found.headers)))
    again = head(sent.decode("latin-1"), proxy=False)
    assert (again.method, again.name, again.port, again.target) == (found.method, found.name, found.port, found.target)
