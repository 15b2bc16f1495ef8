"""Real keys taken out of what comes back, at the same length, so that no framing changes.

A server that echoes what it got (an error page, a debug host, a redirect) would hand the agent the key that the gateway
put in. What is found is the key as it is, percent-encoded, escaped for JSON or HTML, and in base64 wherever it begins.
A server that works with the agent could spell it in a hundred other ways: the allow-list, not this, is what keeps keys
from such a server.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

SHORTEST = 8
"""Octets that a key has at least: a shorter one would be found in honest text."""

_START = 4
"""Octets of a needle's beginning that are looked for at once at the end of a piece."""


class Scrubber:
    """Scrubs one stream, however it is cut into pieces; only what may be the beginning of a key is held back."""

    def __init__(self, needles: "Needles") -> None:
        self._needles, self._held = needles, b""

    def feed(self, data: bytes) -> bytes:
        """Return what may go on of all that was fed so far; with `finish` it is what `clean` makes of the whole."""
        raw = self._held + data if self._held else data
        clean, cut = self._needles.open_ended(raw)
        self._held = raw[cut:]
        return clean[:cut] if self._held else clean

    def finish(self) -> bytes:
        """Return what was held back: the stream has ended, so it begins no key."""
        rest, self._held = self._needles.clean(self._held), b""
        return rest


class Needles:
    """The keys of one generation in every spelling that is looked for; made once, used by all streams.

    Most of what passes holds no key, so that is found out first: wherever a needle stands it covers a whole sample, a
    few octets at a multiple of `stride`, and those are looked up in the set of all that the needles could show there.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        spelled = {spelling for key in keys if len(key) >= SHORTEST for spelling in _spellings(key)}
        ordered = sorted(spelled, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, ordered))) if ordered else None
        self._beginnings = frozenset(needle[:size] for needle in ordered for size in range(1, len(needle)))
        self._starts = re.compile(b"|".join(sorted({re.escape(needle[:_START]) for needle in ordered}) or [b"(?!)"]))
        self._longest = max(map(len, ordered), default=1)
        shortest = min(map(len, ordered), default=SHORTEST)
        self._width = 8 if shortest >= 15 else 4
        self._stride = max(1, (shortest - self._width + 1) // self._width)
        self._samples = frozenset(sample for needle in ordered for sample in self._all_samples(needle))

    def _all_samples(self, needle: bytes) -> Iterator[int]:
        for at in range(len(needle) - self._width + 1):
            yield from self._numbers(needle[at : at + self._width])

    def clean(self, data: bytes) -> bytes:
        """Return the data with each key replaced by asterisks, as many as it has octets."""
        if self._pattern is None or self._nowhere(data):
            return data
        return self._pattern.sub(lambda match: b"*" * len(match[0]), data)

    def open_ended(self, data: bytes) -> tuple[bytes, int]:
        """Return the data cleaned as far as it has come, and how much of that stands whatever follows."""
        cut = len(data) - self._begun(data)
        if self._pattern is None or self._nowhere(data):
            return data, cut
        spans = [found.span() for found in self._pattern.finditer(data)]
        cut = next((start for start, end in spans if start < cut < end), cut)  # a key that may turn out a longer one
        return self._pattern.sub(lambda match: b"*" * len(match[0]), data), cut

    def _nowhere(self, data: bytes) -> bool:
        return self._samples.isdisjoint(self._numbers(data)[:: self._stride].tolist())

    def _numbers(self, data: bytes) -> "memoryview[int]":
        whole = memoryview(data)[: len(data) // self._width * self._width]
        return whole.cast("Q") if self._width == 8 else whole.cast("I")

    def _begun(self, data: bytes) -> int:
        """Return how many octets at the end of the data may be the beginning of a key."""
        tail = data[max(0, len(data) - self._longest + 1) :]
        at = 0
        while started := self._starts.search(tail, at):
            if tail[started.start() :] in self._beginnings:
                return len(tail) - started.start()
            at = started.start() + 1
        short = (size for size in range(min(len(tail), _START - 1), 0, -1) if tail[-size:] in self._beginnings)
        return next(short, 0)


def _spellings(key: bytes) -> set[bytes]:
    text = key.decode("latin-1")
    escaped = json.dumps(text)[1:-1]
    coded = quote(text, safe="", encoding="latin-1")
    small = re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), coded)
    for_go = re.sub("[&<>]", lambda found: f"\\u{ord(found[0]):04x}", escaped)
    plain = {text, escaped, for_go, escaped.replace("/", "\\/"), coded, small, html.escape(text)}
    return {word.encode("latin-1") for word in plain} | _in_base64(key)


def _in_base64(key: bytes) -> set[bytes]:
    """Return the part of the key's base64 that does not hang on what stands before or after it, for each beginning."""
    found = set()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + key)
        first = (before * 8 + 5) // 6
        last = (before + len(key)) * 8 // 6
        found |= {coded[first:last], coded[first:last].replace(b"+", b"-").replace(b"/", b"_")}
    return {piece for piece in found if len(piece) >= SHORTEST}
