"""Addresses that a service issued to this client; where a route wants one, no other address is let through."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

LIFE = 3600
"""Seconds that an issued address is good for: Slack's own last minutes."""
MOST = 4096
"""Addresses that are remembered; the oldest is forgotten first."""


class Tickets:
    """Remembers issued addresses by their digest; an address is a key, so it is not kept."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._issued: OrderedDict[tuple[str, bytes], float] = OrderedDict()

    def issue(self, word: str, address: str) -> None:
        """Remember an address (`https` or `wss`) of an answer; anything else is passed over."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return
        if parts.scheme not in {"https", "wss"} or not parts.hostname:
            return
        place = f"{parts.hostname}{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        self._issued[word, _digest(place)] = self._now() + LIFE
        self._issued.move_to_end((word, _digest(place)))
        while len(self._issued) > MOST:
            self._issued.popitem(last=False)

    def issued(self, word: str, place: str) -> bool:
        """Return whether `host/path?query` was issued under the word, and is still good."""
        return self._issued.get((word, _digest(place)), 0.0) > self._now()


def _digest(place: str) -> bytes:
    return hashlib.sha256(place.encode("utf-8", "surrogatepass")).digest()
