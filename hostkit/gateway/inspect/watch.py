"""An agent that leaves in the middle of a long answer is noticed, and with it goes the connection upstream."""

import asyncio
import contextlib
from typing import Self

from hostkit.gateway.inspect.body import Carried
from hostkit.gateway.wire import SILENCE

LONG = 2.0
"""Seconds after which an answer is a long one."""
_CHUNK = 64 * 1024


class Watch:
    """Reads an answer, and notices an agent that leaves while it is long in coming: nobody else would."""

    def __init__(self, carried: Carried) -> None:
        self._carried, self._loop, self._answering = carried, asyncio.get_running_loop(), asyncio.current_task()
        self._since = self._loop.time()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the agent's stream before anybody reads the next request from it."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def read(self, upstream: asyncio.StreamReader) -> bytes:
        """Return more of the answer, empty at its end; raise TimeoutError after SILENCE seconds without a word."""
        silent = 0.0
        while silent < SILENCE:
            wait = SILENCE - silent if self._watches() else LONG
            try:
                async with asyncio.timeout(wait) as limit:
                    return await upstream.read(_CHUNK)
            except TimeoutError as why:
                if not limit.expired():  # the kernel's own: the other side is gone
                    raise ConnectionResetError(str(why)) from None
                silent += wait
        raise TimeoutError

    def _watches(self) -> bool:
        """Begin to watch once the answer is long, unless somebody reads the agent's stream still."""
        if self._watching is None and self._carried.frame.done and self._loop.time() >= self._since + LONG:
            self._watching = self._loop.create_task(self._watch())
        return self._watching is not None

    async def _watch(self) -> None:
        here = False
        with contextlib.suppress(OSError):
            here = await self._carried.stream.begun()
        if not here and self._answering is not None:
            self._answering.cancel()
