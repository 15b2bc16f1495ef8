"""An answer is waited for: not for ever, and not for an agent that has left."""

import asyncio
import contextlib
from typing import Self

from hostkit.gateway.inspect.body import Carried
from hostkit.gateway.inspect.patience import OutOfPatience, Wait
from hostkit.gateway.wire import SILENCE

LONG = 2.0
"""Seconds after which an answer is a long one."""
_CHUNK = 64 * 1024


class Watch:
    """Reads an answer, and notices an agent that leaves while it is long in coming: nobody else would."""

    def __init__(self, carried: Carried, upstream: asyncio.StreamReader) -> None:
        patience = carried.house.patience
        self._carried, self._upstream, self._answering = carried, upstream, asyncio.current_task()
        self._long = Wait(patience, LONG, self._watch)
        self._silence = Wait(patience, SILENCE, self._give_up)
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._long.__enter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the agent's stream before anybody reads the next request from it."""
        self._long.__exit__()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def read(self) -> bytes:
        """Return more of the answer, empty at its end; raise OutOfPatience after SILENCE seconds without a word."""
        with self._silence:
            return await self._upstream.read(_CHUNK)

    def _give_up(self) -> None:
        self._upstream.set_exception(OutOfPatience())

    def _watch(self) -> None:
        """Begin to watch, unless somebody reads the agent's stream still."""
        if self._watching is None and self._carried.frame.done:
            self._watching = asyncio.ensure_future(self._watched())

    async def _watched(self) -> None:
        here = False
        with contextlib.suppress(OSError):
            here = await self._carried.stream.begun()
        if not here and self._answering is not None:
            self._answering.cancel()
