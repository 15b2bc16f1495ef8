"""Heads as they are read here: h11 reads what is accepted in the same way, and so does the most forgiving reader."""

import re

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostkit.gateway import http
from hostkit.gateway.http import (
    BadMessage,
    BadRequest,
    RequestHead,
    read_answer,
    read_request,
    words,
    write_answer,
    write_request,
)
from hostkit.gateway.names import split_authority
from hostkit.gateway.plain import wanted


@st.composite
def mutated_heads(draw, valid=()):
    """Return a valid head with up to four pieces put in, taken out or doubled where parsers are known to differ."""
    text = draw(st.sampled_from(valid or VALID))
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


def by_h11(role, raw):
    """Return a head as h11 reads it; raise h11.RemoteProtocolError if it does not."""
    connection = h11.Connection(role)
    if role is h11.CLIENT:
        connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a.com")]))
        connection.send(h11.EndOfMessage())
    connection.receive_data(raw)
    return connection.next_event()


def by_both(raw, read, refusal, role):
    """Return a head as it is read here and by h11, what both call the same compared; None where it is refused here."""
    start = raw[: raw.index(b"\r\n\r\n") + 4]
    try:
        found = read(start)
    except refusal:
        return None
    event = by_h11(role, start)
    assert found.old == (event.http_version == b"1.0")
    return found, event


@settings(max_examples=400)
@given(mutated_heads())
def test_whatever_is_accepted_h11_reads_the_same(raw):
    if both := by_both(raw, read_request, BadRequest, h11.SERVER):
        found, event = both
        assert (found.method, found.target) == (event.method.decode(), event.target.decode())
        assert found.headers == tuple(event.headers)


ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nServer: x",
    b"HTTP/1.1 204\r\nEtag: y",
    b"HTTP/1.0 404 Not Found\r\nContent-Type: text/plain",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close",
)


@settings(max_examples=400)
@given(mutated_heads(ANSWERS))
def test_whatever_answer_is_accepted_h11_reads_the_same(raw):
    if both := by_both(raw, read_answer, BadMessage, h11.CLIENT):
        found, event = both
        assert (found.status, found.reason) == (event.status_code, bytes(event.reason))
        assert sorted(found.headers) == sorted(event.headers)


REFUSED = {
    "no request line": [
        b"GET  / HTTP/1.1", b"GET / HTTP/1.2", b"GET / HTTP/2.0", b"GET /", b"GET / http/1.1", b" GET / HTTP/1.1",
        b"GET / HTTP/1.1 ", b"GET\t/ HTTP/1.1", b"G(T / HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET /\x7f HTTP/1.1", b"",
    ],
    "that is no header": [
        b"A : b", b" a: b", b"\ta: b", b": b", b"a b: c", b"a", b"", b"a: \0", b"a: b\rc", b"a: b\nc", b"a: \x7f",
        b"a\xe9: b", b"a: \x0b",
    ],
    "a repeated Host": [b"Host: a.com", b"HOST: b.com", b"host:"],
    "plain number": [
        b"Content-Length: +1", b"Content-Length: 0x1", b"Content-Length: 1, 1", b"Content-Length: -1",
        b"Content-Length: 1 1", b"Content-Length: \xb2", b"Content-Length: " + b"1" * 19, b"Content-Length:",
    ],
    "other than chunked": [
        b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity", b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding:", b"Transfer-Encoding: chunked,", b"Transfer-Encoding: chunked, chunked",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "line"),
    [(what, line) for what, lines in REFUSED.items() for line in lines],
    ids=lambda one: repr(one)[:40],
)
def test_what_two_parsers_read_in_two_ways_is_refused_and_told(what, line):
    first, more = (line, b"") if what == "no request line" else (b"GET / HTTP/1.1", line + b"\r\n")
    with pytest.raises(BadRequest, match=what) as caught:
        read_request(first + b"\r\nHost: a.com\r\n" + more + b"\r\n")
    assert caught.value.rule == "bad-request"


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (b"Content-Length: 1\r\nTransfer-Encoding: chunked", "beside Content-Length"),
        (b"Content-Length: 1\r\nContent-Length: 2", "a repeated"),
        (b"Content-Length: 1\r\nContent-Length: 01", "a repeated"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "a repeated"),
    ],
)
def test_where_a_body_ends_is_said_once_in_a_request_and_in_an_answer(lines, what):
    with pytest.raises(BadRequest, match=what):
        read_request(b"POST / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n\r\n")
    with pytest.raises(BadMessage, match=what):
        read_answer(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n\r\n")


def test_a_length_that_a_server_says_twice_is_one_and_what_a_client_says_twice_is_refused():
    lines = b"Content-Length: 1\r\nServer: x\r\nContent-Length: 1\r\n\r\n"
    assert read_answer(b"HTTP/1.1 200 OK\r\n" + lines).headers == ((b"server", b"x"), (b"content-length", b"1"))
    with pytest.raises(BadRequest, match="a repeated"):
        read_request(b"POST / HTTP/1.1\r\nHost: a\r\n" + lines)


def test_http_1_0_has_no_chunks_and_may_have_no_host():
    assert read_request(b"GET / HTTP/1.0\r\n\r\n").old
    with pytest.raises(BadRequest, match=r"HTTP/1\.0"):
        read_request(b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(BadRequest, match="no Host"):
        read_request(b"GET / HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 99 x",
        b"HTTP/1.1 099 x",
        b"HTTP/2 200",
        b"HTTP/1.1  200 OK",
        b"200 OK",
        b"HTTP/1.1 200 \0",
    ],
)
def test_a_status_line_has_one_form(line):
    with pytest.raises(BadMessage, match="status line"):
        read_answer(line + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("old", "value", "keeps"),
    [(False, b"", True), (False, b"x, CLOSE ", False), (False, b"keep-alive", True), (True, b"keep-alive", False)],
)
def test_a_connection_is_kept_unless_it_says_otherwise_or_is_of_http_1_0(old, value, keeps):
    assert http.keeps(RequestHead("GET", "/", ((b"connection", value),), old)) is keeps


@pytest.mark.parametrize("header", [(b"x", b"a\r\nevil: y"), (b"x", b"a\n"), (b"x\r", b"a"), (b"x", b"\0")])
def test_no_header_is_written_that_would_end_its_line(header):
    for write in (lambda: write_request("GET", "/", [header]), lambda: write_answer(200, b"OK", [header])):
        with pytest.raises(BadMessage, match="end its line"):
            write()


def test_a_reason_cannot_end_the_status_line_either():
    with pytest.raises(BadMessage, match="end its line"):
        write_answer(200, b"OK\r\nevil: y", ())


def test_long_lines_are_read_like_short_ones_and_not_remembered():
    http._field.cache_clear()
    long = b"X-Long: " + b"y" * 5000
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + long + b"\r\n\r\n"
    assert read_request(head).headers[1] == (b"x-long", b"y" * 5000) == read_request(head).headers[1]
    assert (http._field.cache_info().currsize, http._field.cache_info().hits) == (1, 1)


def test_a_list_is_read_word_by_word():
    assert words(b"Close ,\tTE,") == [b"close", b"te", b""]


@settings(max_examples=400)
@given(mutated_heads())
def test_whatever_is_accepted_says_the_same_to_the_most_forgiving_reader(raw):
    start = raw[: raw.index(b"\r\n\r\n") + 4]
    try:
        found = wanted(read_request(start), proxy=True)
    except BadRequest:
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
        found = wanted(read_request(start), proxy=True)
    except BadRequest:
        return
    if found.connect:
        return
    sent = write_request(found.method, found.target, found.headers)
    again = wanted(read_request(sent), proxy=False)
    assert (again.method, again.name, again.port, again.target) == (found.method, found.name, found.port, found.target)
