"""An agent that leaves in the middle of a long answer is noticed, and with it goes the connection upstream."""

import asyncio
import contextlib

from hostkit.gateway.inspect.body import Carried

LONG = 2.0
"""Seconds after which an answer is a long one."""


class Watch:
    """Notices an agent that leaves while a long answer is passed on, or awaited: nobody else would."""

    def __init__(self, carried: Carried) -> None:
        self._carried, self._loop, self._answering = carried, asyncio.get_running_loop(), asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._later = self._loop.call_later(LONG, self._look)

    async def __aexit__(self, *_: object) -> None:
        """Let go of the agent's stream before anybody reads the next request from it."""
        self._later.cancel()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def _look(self) -> None:
        if not self._carried.frame.done:  # somebody else reads it still
            self._later = self._loop.call_later(LONG, self._look)
        else:
            self._watching = self._loop.create_task(self._watch())

    async def _watch(self) -> None:
        here = False
        with contextlib.suppress(OSError):
            here = await self._carried.stream.begun()
        if not here and self._answering is not None:
            self._answering.cancel()
