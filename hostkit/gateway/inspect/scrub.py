"""Real keys taken out of what comes back, at the same length, so that no framing changes.

A server that echoes what it got (an error page, a debug host, a redirect) would hand the agent the key that the gateway
put in. What is found is the key as it is, percent-encoded, escaped for JSON, and in base64 wherever it begins. A
server that works with the agent could spell it in a hundred other ways: the allow-list, not this, is what keeps keys
from such a server.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

SHORTEST = 8
"""Octets that a key has at least: a shorter one would be found in honest text."""


class Scrubber:
    """Scrubs one stream, however it is cut into pieces; only what may be the beginning of a key is held back."""

    def __init__(self, needles: "Needles") -> None:
        self._needles, self._held = needles, b""

    def feed(self, data: bytes) -> bytes:
        """Return what may go on of all that was fed so far."""
        if self._needles.pattern is None:
            return data
        clean = self._needles.clean(self._held + data)
        cut = len(clean) - self._needles.begun(clean)
        self._held = clean[cut:]
        return clean[:cut]

    def finish(self) -> bytes:
        """Return what was held back: the stream has ended, so it begins no key."""
        rest, self._held = self._held, b""
        return rest


class Needles:
    """The keys of one generation in every spelling that is looked for; made once, used by all streams."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        spelled = {spelling for key in keys if len(key) >= SHORTEST for spelling in _spellings(key)}
        ordered = sorted(spelled, key=len, reverse=True)
        self.pattern = re.compile(b"|".join(map(re.escape, ordered))) if ordered else None
        self._beginnings = frozenset(needle[:size] for needle in ordered for size in range(1, len(needle)))
        self._longest = max(map(len, ordered), default=0)

    def clean(self, data: bytes) -> bytes:
        """Return the data with each key replaced by asterisks, as many as it has octets."""
        if self.pattern is None:
            return data
        return self.pattern.sub(lambda match: b"*" * len(match[0]), data)

    def begun(self, data: bytes) -> int:
        """Return how many octets at the end of the data may be the beginning of a key."""
        for size in range(min(len(data), self._longest - 1), 0, -1):
            if data[-size:] in self._beginnings:
                return size
        return 0


def _spellings(key: bytes) -> set[bytes]:
    text = key.decode("latin-1")
    escaped = json.dumps(text)[1:-1]
    plain = {text, escaped, escaped.replace("/", "\\/"), quote(text, safe=""), quote(text, safe="").lower()}
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
