"""Waits that may not last for ever, without a timer each: one clock looks at all of them.

A timer for each wait was a twentieth of what a small request costs.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Self

TICK = 0.5
"""Seconds between two looks, and how much longer a wait may last than it may."""


class OutOfPatience(TimeoutError):  # noqa: N818 - it is an answer
    """Raised by a stream that was waited for too long; the kernel's own TimeoutError is another one."""


class Patience:
    """The clock of one gateway."""

    def __init__(self) -> None:
        self._waits: set[Wait] = set()
        self._ticks = False

    def begin(self, wait: "Wait") -> None:
        """Look at a wait from now on."""
        self._waits.add(wait)
        if not self._ticks:
            self._ticks = True
            asyncio.get_running_loop().call_later(TICK, self._look)

    def end(self, wait: "Wait") -> None:
        """Look at it no more."""
        self._waits.discard(wait)

    def _look(self) -> None:
        now, self._ticks = time.monotonic(), bool(self._waits)
        for wait in [one for one in self._waits if one.until <= now]:
            wait.over()
        if self._ticks:
            asyncio.get_running_loop().call_later(TICK, self._look)


class Wait:
    """A `with` block that is known to take long; `over` is called at each look after `most` seconds, until its end."""

    def __init__(self, patience: Patience, most: float, over: Callable[[], None]) -> None:
        self._patience, self._most, self.over = patience, most, over
        self.until = 0.0

    def __enter__(self) -> Self:
        self.until = time.monotonic() + self._most
        self._patience.begin(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._patience.end(self)
