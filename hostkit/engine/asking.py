"""Asking again until something is so."""

import time
from collections.abc import Iterator


def tries(patience: float, pause: float = 0.05) -> Iterator[None]:
    """Yield at once and then again and again, for the last time when `patience` seconds are over.

    Between two is a pause as long as the asking was, `pause` seconds at least: on a slow machine, where an answer of
    the engine takes half a second, whoever asks takes half of the processor at most from what is waited for.
    """
    end = time.monotonic() + patience
    while True:
        asked = time.monotonic()
        yield
        if (now := time.monotonic()) > end:
            return
        time.sleep(max(pause, now - asked))
