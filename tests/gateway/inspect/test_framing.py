"""A chunked body's frame: what is let through h11 reads in the same way, and nobody could read it in another."""

import contextlib

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.framing import ChunkGuard, end_to_end

REFUSED = [
    b"5;x=1\r\nhello\r\n0\r\n\r\n", b"5;\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello\r\n0\n\n",
    b"5\r\nhello\r\n0\r\n\n", b"5\rhello\r\n0\r\n\r\n", b"5\r\r\nhello\r\n0\r\n\r\n",
    b"000000005\r\nhello\r\n0\r\n\r\n", b"ffffffff0\r\nhello", b"4\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n",
    b"g\r\nhello\r\n0\r\n\r\n", b"\r\n5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n\r\n",
    b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\nTransfer-Encoding: x\r\n\r\n", b"0\r\nHost: evil\r\n\r\n",
    b"0\r\nAuthorization: Bearer x\r\n\r\n", b"0\r\nCookie: x\r\n\r\n", b"0\r\nConnection: x\r\n\r\n",
    b"0\r\nx : y\r\n\r\n", b"0\r\n y: z\r\n\r\n", b"0\r\nx: y\r\n z\r\n\r\n", b"0\r\nx: \0\r\n\r\n",
    b"0\r\nnothing\r\n\r\n", b"0\r\nx: y\n\r\n", b"1" * 5000, b"0\r\nx: " + b"y" * 5000,
]  # fmt: skip


def fed(body, size):
    """Return a guard that was fed the body in pieces."""
    guard = ChunkGuard()
    for at in range(0, len(body), size):
        guard.feed(body[at : at + size])
    return guard


@pytest.mark.parametrize("body", REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_what_two_servers_read_in_two_ways_is_refused(body, size):
    with pytest.raises(BadRequest) as caught:
        fed(body, size)
    assert caught.value.rule == "bad-chunk"


def test_what_is_plain_passes_and_what_follows_is_not_looked_at():
    guard = ChunkGuard()
    guard.feed(b"5\r\nhello\r\nA\r\n0123456789\r\n000\r\nX-Sum: \xe9 1\r\n\r\nGET / HTTP/1.1\n\n")
    assert guard.done


def read_by_h11(data):
    """Return (body, trailers, what follows) as h11 reads it, None if it does not."""
    connection, body = h11.Connection(h11.SERVER), b""
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.next_event()
    if data:
        connection.receive_data(data)
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    if not isinstance(event, h11.EndOfMessage):
        return None
    return body, [tuple(pair) for pair in event.headers], connection.trailing_data[0]


def plainly(body, trailers):
    """Return the one way in which these chunks and trailers may be written."""
    written = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in body)
    return written + b"0\r\n" + b"".join(b"%b: %b\r\n" % pair for pair in trailers) + b"\r\n"


BITS = st.sampled_from(
    [
        b"5",
        b"0",
        b"a",
        b"\r\n",
        b"\n",
        b"\r",
        b";",
        b" ",
        b"hello",
        b"+",
        b"x: y",
        b":",
        b"\t",
        b"00",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
    ]
)


@given(st.lists(BITS, max_size=14).map(b"".join), st.integers(1, 9))
def test_what_is_accepted_h11_reads_and_it_was_written_plainly(data, size):
    with contextlib.suppress(BadRequest):
        guard = fed(data, size)
        agreed(guard, data)


def agreed(guard, data):
    read = read_by_h11(data)
    assert guard.done == (read is not None)
    if read:
        assert data == data[: len(data) - len(read[2])] + read[2]
        assert b"\n" not in data[: len(data) - len(read[2])].replace(b"\r\n", b"")


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.lists(st.sampled_from([(b"x-sum", b"1"), (b"etag", b"y")]), max_size=3),
    st.integers(1, 50),
)
def test_whatever_is_written_plainly_is_accepted_and_read_the_same(body, trailers, size):
    data = plainly(body, trailers) + b"next"
    assert fed(data, size).done
    assert read_by_h11(data) == (b"".join(body), trailers, b"next")


def test_headers_of_one_connection_stay_on_it():
    headers = [
        (b"connection", b"close, X-Mine"),
        (b"x-mine", b"1"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"http2-settings", b"x"),
    ]
    headers += [
        (b"proxy-authorization", b"x"),
        (b"transfer-encoding", b"chunked"),
        (b"keep-alive", b"1"),
        (b"trailer", b"x"),
        (b"etag", b"1"),
    ]
    assert end_to_end(headers) == ((b"etag", b"1"),)


def test_a_chunk_that_goes_on_is_refused_at_its_first_octet_too_much_and_not_at_a_line_end_that_may_never_come():
    guard = ChunkGuard()
    guard.feed(b"5\r\n5hell")
    with pytest.raises(BadRequest, match="longer than its size says"):
        guard.feed(b"o")
