"""Bytes both ways, each half closed by itself; whatever breaks one half cuts both."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from hostkit.gateway.requests import Asked, Streams

HALF_OPEN = 120.0
"""Seconds of silence after which a connection that one side has ended is cut."""
_FLUSH = 5.0
"""Seconds that whoever does not read has to take the rest before he is cut."""
_CHUNK = 256 * 1024


async def relay(asked: Asked, agent: Streams, upstream: Streams) -> None:
    """Move bytes until both directions have ended; count them in `asked`.

    Raise OSError if either side was reset, or fell silent for HALF_OPEN seconds after the other had ended.
    """
    up = asyncio.ensure_future(_pump(agent[0], upstream[1], lambda size: _count(asked, up=size)))
    down = asyncio.ensure_future(_pump(upstream[0], agent[1], lambda size: _count(asked, down=size)))
    try:
        await _until_ended(asked, {up, down})
    finally:
        up.cancel()
        down.cancel()


async def _until_ended(asked: Asked, pumps: set[asyncio.Future[None]]) -> None:
    done, pending = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    while True:
        for ended in done:
            ended.result()
        if not pending:
            return
        before = asked.up, asked.down
        done, pending = await asyncio.wait(pending, timeout=HALF_OPEN)
        if not done and before == (asked.up, asked.down):
            raise TimeoutError("one side had ended, the other was silent")


def _count(asked: Asked, up: int = 0, down: int = 0) -> None:
    asked.up += up
    asked.down += down


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None]) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        count(len(data))
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection whatever state it is in; one whose other end does not read is cut."""
    writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), _FLUSH)
    except (OSError, asyncio.CancelledError):
        reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection at once, by a reset: what was cut short must not look like what has ended."""
    wire = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
