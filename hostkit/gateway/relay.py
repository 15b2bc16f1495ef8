"""Bytes both ways, each half closed by itself; whatever breaks one half cuts both."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import cast

from hostkit.gateway.requests import Asked, Streams
from hostkit.gateway.splice import POSSIBLE, refuse_closed, splice

HALF_OPEN = 120.0
"""Seconds of silence after which a connection that one side has ended is cut."""
_FLUSH = 5.0
"""Seconds that whoever does not read has to take the rest before he is cut."""
BULK = 64 * 1024
"""Octets after which a direction is worth a pipe: setting it up takes as long as copying about so much."""
_CHUNK = 256 * 1024


async def relay(asked: Asked, agent: Streams, upstream: Streams) -> None:
    """Move bytes until both directions have ended; count them in `asked`.

    Raise OSError if either side was reset, or fell silent for HALF_OPEN seconds after the other had ended.
    """
    told: set[asyncio.StreamWriter] = set()
    up = asyncio.ensure_future(_pump(agent, upstream[1], lambda size: _count(asked, up=size), told))
    down = asyncio.ensure_future(_pump(upstream, agent[1], lambda size: _count(asked, down=size), told))
    try:
        await _until_ended(asked, {up, down})
    finally:
        up.cancel()
        down.cancel()
        await asyncio.wait({up, down})  # a socket is not closed as long as a pump holds it


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


async def _pump(
    source: Streams, target: asyncio.StreamWriter, count: Callable[[int], None], told: set[asyncio.StreamWriter]
) -> None:
    """Move bytes one way until they end: copied at first, as most connections are short, then by the kernel.

    `told` holds the sides that know that nothing more goes to them.
    """
    ended = await _copied(source[0], target, count, BULK if POSSIBLE else None)
    if not ended and not await _emptied(source, target, count):
        await splice(source[1].transport, target.transport, count, lambda: source[1] in told)
    if target.can_write_eof():
        target.write_eof()
        told.add(target)


async def _copied(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None], most: int | None
) -> bool:
    """Copy bytes to their end, or until `most` have passed; return whether they ended."""
    passed = 0
    while data := await reader.read(_CHUNK):
        writer.write(data)
        count(len(data))
        await writer.drain()
        passed += len(data)
        if most is not None and passed >= most:
            return False
    return True


async def _emptied(source: Streams, target: asyncio.StreamWriter, count: Callable[[int], None]) -> bool:
    """Stop asyncio's own reading, and write what it has read and not written yet; return whether that was the end."""
    reader, transport = source[0], cast("asyncio.Transport", source[1].transport)
    while True:
        refuse_closed(transport, target.transport)
        transport.pause_reading()  # again each time: the reader lets it go on as its buffer empties
        if not (data := await _at_hand(reader)):
            break
        target.write(data)
        count(len(data))
    await _flush(target)
    return reader.at_eof()


async def _flush(writer: asyncio.StreamWriter) -> None:
    """Wait until all that was written is with the kernel."""
    while True:
        refuse_closed(writer.transport)
        writer.transport.set_write_buffer_limits(0)
        if not writer.transport.get_write_buffer_size():
            return
        await writer.drain()
        await asyncio.sleep(0)


async def _at_hand(reader: asyncio.StreamReader) -> bytes:
    """Return what the reader holds, empty if it holds nothing."""
    reading = asyncio.ensure_future(reader.read(_CHUNK))
    await asyncio.sleep(0)  # which is enough for what need not be waited for
    reading.cancel()
    await asyncio.wait({reading})
    return b"" if reading.cancelled() else reading.result()


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
        if wire is not None:  # TLS that has ended knows its socket no more
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
