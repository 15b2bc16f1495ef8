"""An answer as it comes from upstream, in whatever pieces: whole, or refused by `bad-answer`."""

import asyncio

import pytest

from hostkit.gateway.http import ANSWER_LIMIT
from hostkit.gateway.inspect.incoming import Incoming
from hostkit.gateway.requests import Denied


def read(*pieces, method="GET"):
    """Return (head, body, the reader) of an answer that comes in these pieces, and then the connection's end."""
    coming = iter(pieces)

    async def more():
        return next(coming, b"")

    async def story():
        incoming, body = Incoming(method, more), b""
        head = await incoming.head()
        while piece := await incoming.piece():
            body += piece
        return head, body, incoming

    return asyncio.run(story())


def refused(*pieces):
    with pytest.raises(Denied) as caught:
        read(*pieces)
    assert caught.value.rule == "bad-answer"
    return str(caught.value)


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"


@pytest.mark.parametrize("step", [1, 2, 7, 500])
@pytest.mark.parametrize("data", [WHOLE, CHUNKS])
def test_an_answer_is_the_same_in_whatever_pieces_it_comes_and_its_connection_can_be_used_again(data, step):
    head, body, incoming = read(*[data[at : at + step] for at in range(0, len(data), step)])
    assert (head.status, body, incoming.kept, incoming.rest) == (200, b"hello", True, b"")
    assert incoming.trailers == (((b"x-sum", b"1"),) if data is CHUNKS else ())


def test_interim_answers_are_left_out_but_for_the_switch_of_protocols():
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert read(interim + WHOLE)[1] == b"hello"
    assert read(b"HTTP/1.1 102 Processing\r\n\r\n" * 100 + WHOLE)[1] == b"hello"
    head, _, incoming = read(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframes")
    assert (head.status, incoming.rest) == (101, b"frames")


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        ((WHOLE + b"HTTP/1.1 200 OK\r\n",), False),
        ((CHUNKS + b"x",), False),
        ((b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",), False),
        ((b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 5\r\n\r\nhello",), False),
        ((b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo"), False),
        ((WHOLE,), True),
    ],
)
def test_a_connection_is_used_again_only_after_an_answer_that_says_where_it_ended_and_nothing_behind_it(pieces, kept):
    _, body, incoming = read(*pieces)
    assert (body, incoming.kept) == (b"hello", kept)


def test_an_answer_to_head_has_no_body_whatever_it_says():
    _, body, incoming = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method="HEAD")
    assert (body, incoming.kept) == (b"", True)


@pytest.mark.parametrize(
    ("pieces", "what"),
    [
        ((), "closed before the answer"),
        ((b"HTTP/1.1 200 OK\r\nConte",), "closed before the answer"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",), "cut short"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",), "cut short"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n" * 101 + WHOLE,), "over 100 interim"),
        ((b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"never"), "a bare line end"),
        ((b"SSH-2.0-x\r\n\r\n",), "no status line"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",), "a repeated"),
        ((b"HTTP/1.1 200 OK\r\nX: " + b"y" * ANSWER_LIMIT, b"y\r\n\r\n"), "no head of an answer that ends within"),
        (
            (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (ANSWER_LIMIT // 6) + b"\r\n",),
            "no head of an answer that ends within",
        ),
    ],
)
def test_what_is_no_whole_answer_is_refused(pieces, what):
    assert what in refused(*pieces)
