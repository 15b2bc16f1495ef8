"""Waits that may not last for ever, without a timer each: one clock looks at all of them.

A timer for each wait was a twentieth of what a small request costs.
"""

import asyncio
import time
from typing import Protocol, Self

TICK = 0.5
"""Seconds between two looks, and how much longer a wait may last than it may."""


class OutOfPatience(TimeoutError):  # noqa: N818 - it is an answer
    """Raised by a block that lasted too long; the kernel's own TimeoutError is another one."""


class LookedAt(Protocol):
    """What a clock looks at: from `until` on (of time.monotonic) it calls `over`, at each look."""

    until: float

    def over(self) -> None:
        """Do what is to be done; it must not raise, and may be called again."""


class Patience:
    """The clock of one gateway; it stands while there is nothing to look at."""

    def __init__(self) -> None:
        self._seen: set[LookedAt] = set()
        self._goes = False

    def begin(self, one: LookedAt) -> None:
        """Look at it from now on."""
        self._seen.add(one)
        if not self._goes:
            self._goes = True
            asyncio.get_running_loop().call_later(TICK, self._look)

    def end(self, one: LookedAt) -> None:
        """Look at it no more."""
        self._seen.discard(one)

    def _look(self) -> None:
        now, self._goes = time.monotonic(), bool(self._seen)
        if self._goes:
            asyncio.get_running_loop().call_later(TICK, self._look)
        for one in [one for one in self._seen if one.until <= now]:
            one.over()


class Limit:
    """A `with` block that may last for `most` seconds: what it awaits then is cancelled, and it raises OutOfPatience.

    It does what asyncio.timeout does: what came in the very turn of the loop in which the block was over has come too
    late, and stays where it is. A limit may be used again, by one block at a time.
    """

    def __init__(self, patience: Patience, most: float) -> None:
        self._patience, self._most, self.until = patience, most, 0.0
        self._task: asyncio.Task[object] | None = None
        self._cancelled_before, self._is_over = 0, False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._cancelled_before, self._is_over = self._task.cancelling() if self._task else 0, False
        self.until = time.monotonic() + self._most
        self._patience.begin(self)
        return self

    def over(self) -> None:
        """Cancel what the block awaits, once."""
        if self._task is not None and not self._is_over:
            self._is_over = True
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._patience.end(self)
        task, self._task = self._task, None
        ours = self._is_over and task is not None and task.uncancel() <= self._cancelled_before
        if ours and kind is asyncio.CancelledError:
            raise OutOfPatience
