import asyncio
import contextlib
import socket

import pytest

from hostkit.gateway import relay as subject
from hostkit.gateway.requests import Asked


async def pair():
    """Return the streams of an agent, of the gateway's two sides, and of an upstream, in this order."""
    ends = []
    for _ in range(2):
        left, right = socket.socketpair()
        left.setblocking(False)
        right.setblocking(False)
        ends += [await asyncio.open_connection(sock=left), await asyncio.open_connection(sock=right)]
    return ends


def play(scene):
    async def played():
        agent, inner, outer, upstream = await pair()
        asked = Asked("raw", "a.example", 1, "")
        task = asyncio.ensure_future(subject.relay(asked, inner, outer))
        try:
            await asyncio.wait_for(scene(agent, upstream, task, asked), 10)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await task
            for _, writer in (agent, inner, outer, upstream):
                writer.transport.abort()

    asyncio.run(played())


def test_each_half_is_closed_by_itself_and_the_other_goes_on():
    async def scene(agent, upstream, task, asked):
        agent[1].write(b"question")
        agent[1].write_eof()
        assert await upstream[0].read() == b"question"
        upstream[1].write(b"answer" * 100_000)
        upstream[1].write_eof()
        assert len(await agent[0].read()) == 600_000
        await task
        assert (asked.up, asked.down) == (8, 600_000)

    play(scene)


@pytest.mark.parametrize("who", ["agent", "upstream"])
def test_what_is_lost_on_one_side_cuts_the_other_and_never_looks_like_its_end(who, monkeypatch):
    async def scene(agent, upstream, task, asked):
        broken, kept = (agent, upstream) if who == "agent" else (upstream, agent)
        broken[1].transport.abort()
        kept[1].write(b"x" * 1_000_000)
        with pytest.raises(OSError, match=r"Connection reset|Broken pipe|Connection lost"):
            await task

    play(scene)


def test_a_connection_that_one_side_has_ended_is_not_held_by_the_others_silence(monkeypatch):
    monkeypatch.setattr(subject, "HALF_OPEN", 0.2)

    async def scene(agent, upstream, task, asked):
        agent[1].write_eof()
        for _ in range(3):
            await asyncio.sleep(0.1)
            upstream[1].write(b"still here")
        assert not task.done()
        with pytest.raises(TimeoutError, match="the other was silent"):
            await task

    play(scene)


def test_whoever_does_not_read_is_cut_when_the_connection_closes(monkeypatch):
    monkeypatch.setattr(subject, "_FLUSH", 0.2)

    async def scene(agent, upstream, task, asked):
        left, right = socket.socketpair()
        left.setblocking(False)
        _, writer = await asyncio.open_connection(sock=left)
        writer.write(b"x" * 10_000_000)
        await subject.close(writer)
        await asyncio.sleep(0.05)
        assert left.fileno() == -1
        right.close()

    play(scene)


def test_a_cut_is_a_reset_that_nobody_takes_for_the_end_of_what_was_sent():
    async def scene():
        server = await asyncio.start_server(lambda _, writer: subject.reset(writer), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        server.close()

    asyncio.run(scene())
