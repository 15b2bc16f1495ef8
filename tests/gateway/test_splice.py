import asyncio
import contextlib
import hashlib
import os
import random
import socket
from pathlib import Path

import pytest

from hostkit.gateway import relay as subject
from hostkit.gateway import splice
from hostkit.gateway.requests import Asked

pytestmark = pytest.mark.skipif(not splice.POSSIBLE, reason="splice is Linux's")
MUCH = random.Random(6).randbytes(3_000_000)


async def pair():
    """Return an agent's socket, the gateway's two streams, and an upstream's socket, over TCP as in a gateway."""
    ends = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(2):
            outer = socket.create_connection(server.getsockname())
            inner, _ = server.accept()
            for one in (outer, inner):
                one.setblocking(False)
            ends += [outer, await asyncio.open_connection(sock=inner)]
    return ends[0], ends[1], ends[3], ends[2]


def loops():
    yield pytest.param(asyncio.new_event_loop, id="asyncio")
    with contextlib.suppress(ImportError):
        import uvloop

        yield pytest.param(uvloop.new_event_loop, id="uvloop")


@pytest.fixture(params=loops())
def play(request):
    def play(scene):
        async def played():
            before = open_files()
            agent, inner, outer, upstream = await pair()
            asked = Asked("raw", "a.example", 1, "")
            task = asyncio.ensure_future(subject.relay(asked, inner, outer))
            try:
                await asyncio.wait_for(scene(agent, upstream, task, asked), 20)
            finally:
                task.cancel()
                await asyncio.wait({task})
                for _, writer in (inner, outer):
                    writer.transport.abort()
                agent.close()
                upstream.close()
            await asyncio.sleep(0.05)
            assert open_files() == before

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(played())

    return play


def open_files():
    """Return how many sockets and pipes are open; a loop may open more of its own kind."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the folder's own
            found += str(one.readlink()).startswith(("socket:", "pipe:"))
    return found


@pytest.fixture
def spliced(monkeypatch):
    """Return a list of what was spliced, so that a test knows that it was."""
    found, real = [], os.splice

    def counted(*words, **more):
        moved = real(*words, **more)
        found.append(moved)
        return moved

    monkeypatch.setattr(os, "splice", counted)
    return found


async def send(wire, data):
    await asyncio.get_running_loop().sock_sendall(wire, data)


async def receive(wire, size=None, most=65536):
    """Return so many octets, or all to the end."""
    loop, got = asyncio.get_running_loop(), bytearray()
    while size is None or len(got) < size:
        data = await loop.sock_recv(wire, most if size is None else min(most, size - len(got)))
        if not data:
            break
        got += data
    return bytes(got)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def test_both_directions_arrive_whole_in_order_and_counted(play, spliced):
    async def scene(agent, upstream, task, asked):
        other = MUCH[::-1]
        sent = asyncio.gather(send(agent, MUCH), send(upstream, other))
        up, down = await asyncio.gather(receive(upstream, len(MUCH)), receive(agent, len(MUCH)))
        await sent
        assert (digest(up), digest(down)) == (digest(MUCH), digest(other))
        assert (asked.up, asked.down) == (len(MUCH), len(MUCH))
        assert sum(spliced) > len(MUCH)

    play(scene)


def test_each_half_is_closed_by_itself_and_small_messages_go_on(play, spliced):
    async def scene(agent, upstream, task, asked):
        sent = asyncio.ensure_future(send(upstream, MUCH))
        assert digest(await receive(agent, len(MUCH))) == digest(MUCH)
        await sent
        for word in (b"one", b"two"):
            await send(upstream, word)
            assert await receive(agent, 3) == word
        upstream.shutdown(socket.SHUT_WR)
        assert await receive(agent) == b""
        await send(agent, b"still here")
        assert await receive(upstream, 10) == b"still here"
        agent.shutdown(socket.SHUT_WR)
        assert await receive(upstream) == b""
        await task
        assert (asked.up, asked.down) == (10, len(MUCH) + 6)
        assert spliced

    play(scene)


@pytest.mark.parametrize("who", ["agent", "upstream"])
def test_a_side_that_breaks_while_bytes_are_spliced_ends_the_relay_with_its_error(play, spliced, who):
    async def scene(agent, upstream, task, asked):
        sent = asyncio.ensure_future(send(upstream, MUCH))
        await receive(agent, len(MUCH) // 2)
        broken = agent if who == "agent" else upstream
        if who == "upstream":
            sent.cancel()
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        broken.close()
        with pytest.raises(OSError, match=r"reset|Broken pipe|Connection lost"):
            await task
        sent.cancel()
        await asyncio.wait({sent})
        assert spliced

    play(scene)


def test_a_side_whose_reset_was_told_to_whoever_wrote_to_it_does_not_look_like_its_end(play):
    async def scene(agent, upstream, task, asked):
        task.cancel()
        far, near, other, beyond = await pair()
        with contextlib.ExitStack() as held:
            for end in (near[1].transport.abort, other[1].transport.abort, beyond.close):
                held.callback(end)
            near[1].transport.pause_reading()
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            far.close()
            await asyncio.sleep(0.05)
            with pytest.raises(OSError, match=r"reset|Broken pipe"):
                os.write(near[1].get_extra_info("socket").fileno(), b"x")
            with pytest.raises(ConnectionResetError, match="while it was written to"):
                await splice.splice(near[1].transport, other[1].transport, print, lambda: False)

    play(scene)


def test_whoever_does_not_read_holds_his_sender_back_and_loses_nothing(play, spliced):
    async def scene(agent, upstream, task, asked):
        upstream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sent = asyncio.ensure_future(send(upstream, MUCH * 10))
        await asyncio.sleep(0.5)
        held = asked.down
        await asyncio.sleep(0.2)
        assert asked.down == held < len(MUCH) * 10
        assert not sent.done()
        assert digest(await receive(agent, len(MUCH) * 10)) == digest(MUCH * 10)
        await sent

    play(scene)


def test_a_relay_that_is_cancelled_holds_no_socket_and_no_pipe(play, spliced):
    async def scene(agent, upstream, task, asked):
        sent = asyncio.ensure_future(send(upstream, MUCH))
        await receive(agent, len(MUCH) // 2)
        among = open_files()
        task.cancel()
        await asyncio.wait({task})
        assert open_files() == among - 4
        sent.cancel()
        await asyncio.wait({sent})

    play(scene)


@pytest.mark.parametrize("who", [0, 1])
def test_a_descriptor_that_may_be_another_connections_by_now_is_not_touched(play, spliced, who):
    async def scene(agent, upstream, task, asked):
        near = socket.socketpair()
        streams = [await asyncio.open_connection(sock=one) for one in near]
        streams[who][1].transport.abort()
        with pytest.raises(ConnectionResetError, match="Connection lost"):
            await splice.splice(streams[0][1].transport, streams[1][1].transport, print, lambda: False)
        assert not spliced
        for _, writer in streams:
            writer.transport.abort()

    play(scene)


def test_where_there_is_no_pipe_to_be_had_the_connection_breaks_and_does_not_hang(play, monkeypatch):
    def none(_flags):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe2", none)

    async def scene(agent, upstream, task, asked):
        sent = asyncio.ensure_future(send(upstream, MUCH))
        with pytest.raises(OSError, match="Too many open files"):
            await task
        sent.cancel()
        await asyncio.wait({sent})

    play(scene)


@pytest.mark.parametrize("size", [1, subject.BULK - 1, subject.BULK, subject.BULK + 1, 200_000])
def test_around_the_change_no_byte_is_lost_or_repeated(play, size):
    async def scene(agent, upstream, task, asked):
        sent = asyncio.ensure_future(send(upstream, MUCH[:size]))
        assert digest(await receive(agent, size)) == digest(MUCH[:size])
        await sent
        await asyncio.sleep(0.01)
        await send(upstream, MUCH[:500_000])
        assert digest(await receive(agent, 500_000)) == digest(MUCH[:500_000])
        upstream.shutdown(socket.SHUT_WR)
        agent.shutdown(socket.SHUT_WR)
        await task
        assert asked.down == size + 500_000

    play(scene)
