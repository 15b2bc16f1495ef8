"""What is kept beside the stream: odd words, issued addresses, tokens and what they cost."""

import json
import random

import pytest

from hostkit.gateway.inspect.shape import MANY, SPAN, Shape
from hostkit.gateway.inspect.tickets import LIFE, MOST, Tickets
from hostkit.gateway.inspect.usage import Usage, cost
from hostkit.gateway.marks import ALPHABET
from hostkit.gateway.services import Price, Service

USES = ("input=usage.input_tokens", "output=usage.output_tokens", "input=message.usage.input_tokens")
LLM = Service("llm", ("llm.example",), (), usage=USES)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def odd_words(count):
    drawn = random.Random(7)
    return ["".join(drawn.choices(ALPHABET, k=32)) for _ in range(count)]


def test_many_different_odd_words_are_an_alarm_once_a_span():
    clock = Clock()
    shape = Shape(clock)
    said = [shape.odd([word]) for word in odd_words(MANY + 5)]
    assert said[: MANY - 1] == [""] * (MANY - 1)
    assert said[MANY - 1].startswith(f"{MANY} different odd words")
    assert said[MANY:] == [""] * 5
    clock.now += SPAN + 1
    assert shape.odd(odd_words(1)) == ""
    assert shape.odd(odd_words(MANY)) != ""


def test_the_same_words_over_and_over_are_none_and_nothing_grows():
    shape = Shape(Clock())
    words = ["chat.postMessage", "conversations.history", "a-short-one", "claude-sonnet-4-5-20250929"]
    assert not any(shape.odd(words) for _ in range(3000))
    assert len(shape._seen) <= 50 * MANY + len(words)
    assert sum(shape._often.values()) == len(shape._seen)


def test_an_issued_address_is_good_under_its_word_for_a_while():
    clock = Clock()
    tickets = Tickets(clock)
    tickets.issue("upload", "https://files.example/up/a?x=1")
    assert tickets.issued("upload", "files.example/up/a?x=1")
    for word, place in (
        ("socket", "files.example/up/a?x=1"),
        ("upload", "files.example/up/a"),
        ("upload", "evil.example/up/a?x=1"),
    ):
        assert not tickets.issued(word, place)
    clock.now += LIFE
    assert not tickets.issued("upload", "files.example/up/a?x=1")


@pytest.mark.parametrize(
    "address", ["http://x.example/a", "ftp://x", "https://", "https://[", "x", "javascript:1", "https://[::1"]
)
def test_what_is_no_address_is_passed_over(address):
    tickets = Tickets()
    tickets.issue("upload", address)
    assert not tickets._issued


def test_the_oldest_addresses_are_forgotten_and_one_without_a_path_has_the_root():
    tickets = Tickets()
    for number in range(MOST + 10):
        tickets.issue("a", f"wss://x.example/{number}")
    assert len(tickets._issued) == MOST
    tickets.issue("a", "wss://x.example?t=1")
    assert tickets.issued("a", "x.example/?t=1")


def test_tokens_of_a_json_answer_are_read_at_its_end():
    usage = Usage(LLM, "application/json; charset=utf-8")
    text = json.dumps({"model": "m-1", "usage": {"input_tokens": 7, "output_tokens": 3}}).encode()
    usage.feed(text[:20])
    usage.feed(text[20:])
    assert usage.finish() == {"input": 7, "output": 3}
    assert usage.model == "m-1"


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_tokens_of_a_stream_are_the_highest_of_each_kind(size):
    usage = Usage(LLM, "text/event-stream")
    events = [
        {"message": {"model": "m-1", "usage": {"input_tokens": 9}}},
        {"delta": "usage of words"},
        {"usage": {"output_tokens": 2}},
        {"usage": {"output_tokens": 8}},
        {"usage": {"output_tokens": True}},
        {"usage": None},
    ]
    stream = (
        b"".join(b"event: x\r\ndata: %b\r\n\r\n" % json.dumps(event).encode() for event in events)
        + b"data: [DONE] usage\n\n"
    )
    for at in range(0, len(stream), size):
        usage.feed(stream[at : at + size])
    assert usage.counts == usage.finish() == {"input": 9, "output": 8}
    assert usage.model == "m-1"


@pytest.mark.parametrize(
    ("kind", "text", "counts"),
    [
        ("text/plain", b"{}", {}),
        ("application/json", b"{", {}),
        ("application/json", b"x" * 2_000_000, {"output": 500_000}),
        ("text/event-stream", b'data: {"delta": "a"}\n\n' * 7, {"output": 7}),
    ],
)
def test_what_an_answer_should_have_told_and_did_not_is_estimated(kind, text, counts):
    usage = Usage(LLM, kind)
    usage.feed(text)
    assert usage.finish() == counts
    assert len(usage._held) <= 2


def test_the_longest_price_that_fits_is_taken_and_the_dearest_for_a_model_without_one():
    prices = (Price("m-*", 1000, 2000), Price("m-large", 5000, 9000), Price("m-l*", 10, 10))
    assert cost(prices, "m-large", {"input": 10, "output": 1}) == 59
    assert cost(prices, "m-little", {"input": 1000}) == 10
    assert cost(prices, "unheard", {"output": 1}) == 9
    assert cost((), "m-large", {"output": 1}) == 0
