"""Keys taken out of a stream however it is cut: nothing of them stays, nothing else changes, nothing gets longer."""

import base64
import html
import itertools
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.inspect.scrub import Needles, Scrubber

KEYS = (
    b"sk-real-0123456789abcdef/+x",
    b"xoxb-7-Zz&<q>\"x'y\\z",
    b"sk-real-0123456789abcdef/+xLONGER",
    b"shortkey",
    b"aaaaaaaaaaaaaaaa",
)
NEEDLES = Needles(KEYS)
LONG = Needles(KEYS[:3])


def spellings(key):
    text = key.decode()
    coded = quote(text, safe="")
    yield from (text, coded, json.dumps(text)[1:-1], json.dumps(text)[1:-1].replace("/", "\\/"), html.escape(text))
    yield "".join(
        letter.lower() if at and "%" in coded[max(0, at - 2) : at] else letter for at, letter in enumerate(coded)
    )
    yield (
        text.replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace('"', '\\"')
        .replace("\\z", "\\\\z")
    )


@pytest.mark.parametrize("key", KEYS[:3])
def test_every_spelling_is_found(key):
    for spelling in spellings(key):
        assert LONG.clean(f"<{spelling}>".encode()) == b"<" + b"*" * len(spelling.encode()) + b">", spelling


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
def test_the_key_is_found_in_base64_wherever_it_begins(before, alphabet):
    key = KEYS[0]
    coded = alphabet(b"u" * before + key + b"tail")
    clean = LONG.clean(coded)
    assert len(clean) == len(coded)
    assert b"*" * (len(key) * 4 // 3 - 2) in clean
    kept = base64.urlsafe_b64decode(clean.replace(b"*", b"A").replace(b"+", b"-").replace(b"/", b"_"))
    assert not any(key[at : at + 4] in kept for at in range(len(key) - 3))


PIECES = st.one_of(
    st.sampled_from([*KEYS, *(key[:size] for key in KEYS for size in (1, 3, 7, 8, 15))]),
    st.sampled_from([spelling.encode() for key in KEYS for spelling in spellings(key)]),
    st.binary(max_size=9),
    st.sampled_from([b"a" * 7, b"key", b"x", b"\n\n", b" " * 40]),
)


@given(
    st.lists(PIECES, max_size=8).map(b"".join),
    st.lists(st.integers(0, 200), max_size=8),
    st.sampled_from([NEEDLES, LONG]),
)
def test_any_cut_of_a_stream_gives_what_the_whole_gives(data, cuts, needles):
    scrubber, places = Scrubber(needles), sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [scrubber.feed(data[start:end]) for start, end in itertools.pairwise(places)]
    clean = b"".join([*pieces, scrubber.finish()])
    assert clean == needles.clean(data)
    assert len(clean) == len(data)
    assert not any(key in clean for key in (KEYS if needles is NEEDLES else KEYS[:3]))


@given(st.binary(max_size=300), st.integers(0, 30))
def test_what_holds_no_key_passes_as_it_is_and_at_once(data, tail):
    scrubber = Scrubber(LONG)
    assert scrubber.feed(data + b"\n" * tail) + scrubber.finish() == data + b"\n" * tail


def test_only_what_may_begin_a_key_is_held_back():
    scrubber = Scrubber(LONG)
    assert scrubber.feed(b"data: hello\n\n") == b"data: hello\n\n"
    assert scrubber.feed(b"data: sk-re") == b"data: "
    assert scrubber.feed(b"ason") == b"sk-reason"
    assert scrubber.feed(b"sk-real-0123456789abcdef/+") == b""
    assert scrubber.feed(b"x, ") == b"*" * 27 + b", "
    assert scrubber.finish() == b""


def test_a_key_that_turns_out_to_be_a_longer_one_is_covered_whole():
    scrubber = Scrubber(LONG)
    assert scrubber.feed(b"[" + KEYS[0]) == b"["
    assert scrubber.feed(b"LONGER]") == b"*" * 33 + b"]"
    assert scrubber.feed(KEYS[0]) + scrubber.finish() == b"*" * 27


def test_no_keys_nothing_is_looked_for_and_a_short_one_is_none():
    assert Scrubber(Needles([])).feed(b"anything") == b"anything"
    assert Needles([b"short"]).clean(b"short") == b"short"
