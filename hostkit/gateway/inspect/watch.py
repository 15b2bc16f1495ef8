"""An answer is waited for: not for ever, and not for an agent that has left."""

import asyncio
import contextlib
import time
from typing import Self

from hostkit.gateway.inspect.body import Carried
from hostkit.gateway.inspect.patience import Limit
from hostkit.gateway.wire import SILENCE

LONG = 2.0
"""Seconds after which an answer is a long one."""
_CHUNK = 64 * 1024


class Watch:
    """Reads an answer, and notices an agent that leaves while it is long in coming: nobody else would."""

    def __init__(self, carried: Carried, upstream: asyncio.StreamReader) -> None:
        self._carried, self._upstream, self._answering = carried, upstream, asyncio.current_task()
        self._patience = carried.house.patience
        self._silence = Limit(self._patience, SILENCE)
        self._watching: asyncio.Task[None] | None = None
        self.until = time.monotonic() + LONG

    async def __aenter__(self) -> Self:
        self._patience.begin(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the agent's stream before anybody reads the next request from it."""
        self._patience.end(self)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def read(self) -> bytes:
        """Return more of the answer, empty at its end; raise OutOfPatience after SILENCE seconds without a word."""
        with self._silence:
            return await self._upstream.read(_CHUNK)

    def over(self) -> None:
        """Begin to watch, now that the answer is a long one, unless somebody reads the agent's stream still."""
        if self._watching is None and self._carried.frame.done:
            self._watching = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        here = False
        with contextlib.suppress(OSError):
            here = await self._carried.stream.begun()
        if not here and self._answering is not None:
            self._answering.cancel()
