"""The frame of a body: what is let through h11 reads in the same way, and nobody could read it in another."""

import contextlib

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.framing import Chunked, Sized, UntilClosed, Writer, frame_of_answer, frame_of_request
from hostkit.gateway.http import AnswerHead, BadMessage, end_to_end

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


def fed(body, size, *, strict=True):
    """Return (body, frame) after the frame was fed in pieces, up to its end."""
    frame, got = Chunked(strict=strict), b""
    for at in range(0, len(body), size):
        got += frame.feed(body[at : at + size])
        if frame.done:
            frame.rest += body[at + size :]
            break
    return got, frame


@pytest.mark.parametrize("body", REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_what_two_servers_read_in_two_ways_is_refused(body, size):
    with pytest.raises(BadMessage):
        fed(body, size)


def test_what_is_plain_passes_and_what_follows_is_not_looked_at():
    frame = Chunked(strict=True)
    body = frame.feed(b"5\r\nhello\r\nA\r\n0123456789\r\n000\r\nX-Sum: \xe9 1\r\n\r\nGET / HTTP/1.1\n\n")
    assert (body, frame.done, frame.rest) == (b"hello0123456789", True, b"GET / HTTP/1.1\n\n")
    assert frame.trailers == ((b"x-sum", b"\xe9 1"),)


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
    return body, tuple(tuple(pair) for pair in event.headers), connection.trailing_data[0]


def plainly(body, trailers):
    """Return the one way in which these chunks and trailers may be written."""
    writer = Writer(chunked=True)
    return b"".join(writer.piece(piece) for piece in body) + writer.last(trailers)


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
def test_what_is_accepted_h11_reads_the_same_and_it_was_written_plainly(data, size):
    with contextlib.suppress(BadMessage):
        body, frame = fed(data, size)
        read = read_by_h11(data)
        assert frame.done == (read is not None)
        if read:
            assert read == (body, frame.trailers, frame.rest)
            assert b"\n" not in data[: len(data) - len(frame.rest)].replace(b"\r\n", b"")


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.lists(st.sampled_from([(b"x-sum", b"1"), (b"etag", b"y")]), max_size=3).map(tuple),
    st.integers(1, 50),
)
def test_whatever_is_written_plainly_is_read_the_same(body, trailers, size):
    data = plainly(body, trailers) + b"next"
    got, frame = fed(data, size)
    assert (got, frame.trailers, frame.rest) == (b"".join(body), trailers, b"next") == read_by_h11(data)


@pytest.mark.parametrize(
    ("size", "strict"),
    [(b"5;name=value", False), (b"5  ", False), (b"000000005", False), (b"5", True), (b"5\t;x", False)],
)
@pytest.mark.parametrize("step", [1, 4, 99])
def test_an_answers_chunks_may_say_more_than_a_requests(size, strict, step):
    data = size + b"\r\nhello\r\n0\r\nHost: x\r\n\r\n"
    assert fed(data, step, strict=False)[0] == b"hello"
    if not strict:
        with pytest.raises(BadMessage, match="size"):
            fed(data, step)


@pytest.mark.parametrize("broken", [b"5\nhello", b"x\r\nhello", b"5\r\nhello\n0\r\n", b"-5\r\n", b"f" * 21 + b"\r\n"])
def test_an_answers_chunks_have_whole_line_ends_and_a_size(broken):
    with pytest.raises(BadMessage):
        fed(broken, 1, strict=False)


def test_trailers_have_an_end():
    with pytest.raises(BadMessage, match="too many"):
        fed(b"0\r\n" + b"x: y\r\n" * 1100, 64)


def test_a_body_of_a_length_takes_so_much_and_no_more():
    frame = Sized(5)
    assert (frame.feed(b"he"), frame.done) == (b"he", False)
    with pytest.raises(BadMessage, match="cut short"):
        frame.close()
    assert (frame.feed(b"lloGET"), frame.done, frame.rest) == (b"llo", True, b"GET")
    assert Sized(0).done


def test_what_ends_with_its_connection_is_whole_then():
    frame = UntilClosed()
    assert (frame.feed(b"x"), frame.done) == (b"x", False)
    frame.close()
    assert frame.done


def test_a_chunked_body_that_is_cut_short_is_not_whole():
    frame = fed(b"5\r\nhello\r\n", 99)[1]
    with pytest.raises(BadMessage, match="cut short"):
        frame.close()


@pytest.mark.parametrize(
    ("method", "status", "headers", "kind"),
    [
        ("GET", 200, ((b"content-length", b"5"),), Sized),
        ("GET", 200, ((b"transfer-encoding", b"chunked"),), Chunked),
        ("GET", 200, (), UntilClosed),
        ("HEAD", 200, ((b"transfer-encoding", b"chunked"),), Sized),
        ("GET", 204, (), Sized),
        ("GET", 304, ((b"content-length", b"5"),), Sized),
        ("GET", 101, (), Sized),
    ],
)
def test_an_answers_frame_follows_its_method_its_status_and_its_head(method, status, headers, kind):
    frame = frame_of_answer(method, AnswerHead(status, b"", headers))
    assert type(frame) is kind
    bodiless = method == "HEAD" or status != 200
    assert frame.done == bodiless


def test_a_request_without_a_length_has_no_body():
    assert frame_of_request({}).done
    assert not frame_of_request({b"content-length": b"1"}).done
    assert isinstance(frame_of_request({b"transfer-encoding": b"chunked"}), Chunked)


def test_without_chunks_a_body_is_written_as_it_is_and_an_empty_piece_is_no_last_chunk():
    assert Writer(chunked=False).piece(b"x") + Writer(chunked=False).last(((b"x", b"y"),)) == b"x"
    assert Writer(chunked=True).piece(b"") == b""


def test_headers_of_one_connection_stay_on_it():
    headers = (
        (b"connection", b"close, X-Mine"),
        (b"x-mine", b"1"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"http2-settings", b"x"),
        (b"proxy-authorization", b"x"),
        (b"transfer-encoding", b"chunked"),
        (b"keep-alive", b"1"),
        (b"trailer", b"x"),
        (b"etag", b"1"),
    )
    assert end_to_end(headers) == ((b"etag", b"1"),)


def test_a_chunk_that_goes_on_is_refused_at_its_first_octet_too_much_and_not_at_a_line_end_that_may_never_come():
    frame = Chunked(strict=True)
    frame.feed(b"5\r\n5hell")
    with pytest.raises(BadMessage, match="longer than its size says"):
        frame.feed(b"o")
