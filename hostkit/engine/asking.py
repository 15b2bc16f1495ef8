"""Asking again until something is so."""

import time
from collections.abc import Iterator

_PAUSE = 0.05


def tries(patience: float) -> Iterator[None]:
    """Yield at once and then again and again, for the last time when `patience` seconds are over.

    Between two the pause is as long as the asking was, 50 ms at least: on a slow machine, where an answer of the engine
    takes half a second, whoever asks takes no more than half of the processor from what is waited for.
    """
    end = time.monotonic() + patience
    while True:
        asked = time.monotonic()
        yield
        if (now := time.monotonic()) > end:
            return
        time.sleep(max(_PAUSE, now - asked))
