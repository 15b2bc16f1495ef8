"""Bytes both ways, each half closed by itself."""

import asyncio
import contextlib

from hostkit.gateway.requests import Asked, Streams

_CHUNK = 256 * 1024


async def relay(asked: Asked, agent: Streams, upstream: Streams) -> None:
    """Move bytes until both directions have ended; count them in `asked`."""

    async def up() -> None:
        async for size in _pump(agent[0], upstream[1]):
            asked.up += size

    async def down() -> None:
        async for size in _pump(upstream[0], agent[1]):
            asked.down += size

    await asyncio.gather(up(), down())


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):  # type: ignore[no-untyped-def]  # noqa: ANN202
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            yield len(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def close(*writers: asyncio.StreamWriter) -> None:
    """Close connections whatever state they are in."""
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
