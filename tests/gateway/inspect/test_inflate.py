"""Compressed answers opened piece by piece; a bomb, a broken and a cut one end, each by its rule."""

import gzip
import random
import zlib

import pytest

from hostkit.gateway.inspect.inflate import Inflater
from hostkit.gateway.requests import Denied

TEXT = b"".join(b"line %d of an answer\n" % number for number in range(20_000))
RAW = zlib.compressobj(wbits=-15)
RAW_TEXT = RAW.compress(TEXT) + RAW.flush()


def opened(coding, data, size=1000):
    inflater = Inflater(coding)
    pieces = [piece for at in range(0, len(data), size) for piece in inflater.feed(data[at : at + size])]
    assert all(len(piece) <= 256 * 1024 for piece in pieces)
    return b"".join(pieces), inflater.whole


@pytest.mark.parametrize("size", [1, 7, 1000, 10**7])
@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT, 0)),
        ("deflate", RAW_TEXT),
    ],
    ids=["gzip", "x-gzip", "members", "deflate", "stored", "raw"],
)
def test_what_servers_send_is_opened_whole(coding, data, size):
    assert opened(coding, data, size) == (TEXT, True)


def test_nothing_is_left_inside_when_a_piece_is_just_full():
    for size in range(256 * 1024 - 300, 256 * 1024 + 300, 7):
        text = bytes(size)
        assert opened("gzip", gzip.compress(text), 10**7) == (text, True)


@pytest.mark.parametrize("cut", [1, 5, 100, 1000])
def test_one_that_is_cut_short_is_not_whole(cut):
    assert not opened("gzip", gzip.compress(TEXT)[:-cut])[1]
    assert not opened("deflate", RAW_TEXT[:-cut])[1]
    assert opened("gzip", b"") == (b"", True)


def test_a_bomb_is_given_up_early():
    bomb = gzip.compress(bytes(100_000_000))
    inflater, given = Inflater("gzip"), 0

    def take():
        nonlocal given
        for piece in inflater.feed(bomb):
            given += len(piece)

    with pytest.raises(Denied) as caught:
        take()
    assert caught.value.rule == "bomb"
    assert given < 21_000_000


def test_many_members_that_grow_together_are_a_bomb_too():
    with pytest.raises(Denied) as caught:
        opened("gzip", gzip.compress(bytes(200_000)) * 60)
    assert caught.value.rule == "bomb"


@pytest.mark.parametrize(
    "data", [b"no gzip at all", gzip.compress(TEXT)[:50] + b"\xff" * 50, gzip.compress(b"x") + b"tail"]
)
def test_a_broken_one_is_refused(data):
    with pytest.raises(Denied) as caught:
        opened("gzip", data)
    assert caught.value.rule == "encoding"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress", ""])
def test_an_encoding_that_was_not_asked_for_is_refused(coding):
    with pytest.raises(Denied) as caught:
        Inflater(coding)
    assert caught.value.rule == "encoding"


def test_any_cut_opens_to_the_same():
    drawn = random.Random(1)
    text = bytes(drawn.choice(b"abc") for _ in range(30_000))
    for data, coding in ((gzip.compress(text), "gzip"), (zlib.compress(text), "deflate")):
        at, inflater, got = 0, Inflater(coding), b""
        while at < len(data):
            size = drawn.randrange(1, 900)
            got += b"".join(inflater.feed(data[at : at + size]))
            at += size
        assert got == text
