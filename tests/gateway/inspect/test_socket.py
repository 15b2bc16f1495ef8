"""A WebSocket through the gateway: whole messages, counted and judged; one that is refused closes it on both sides."""

import asyncio
import contextlib
import errno

import pytest
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from hostkit.gateway.inspect import socket as socket_module
from tests.gateway.inspect.lab import KEY, Lab, impatient, run, until, whole
from tests.gateway.inspect.sockets import ASKS, SOCKET, Far, opened


def test_messages_of_both_kinds_and_in_fragments_come_back_whole(tmp_path):
    async def story():
        async with opened(tmp_path) as (lab, _, agent):
            await agent.say(
                TextMessage("héllo"),
                BytesMessage(b"\0\xff"),
                TextMessage("a", message_finished=False),
                TextMessage("b"),
            )
            assert [await agent.message() for _ in range(3)] == ["héllo", b"\0\xff", "ab"]
            await agent.say(BytesMessage(b"x" * 300_000))
            assert await agent.message() == b"x" * 300_000
            await agent.say(CloseConnection(1000, "bye"))
            assert (await agent.hear()).code == 1000
            await until(lab.outcomes)
            outcome = lab.lines("outcome")[0]
            assert (outcome["rule"], outcome["status"], outcome["bytes_down"]) == ("done", 101, 300_000 + 6 + 2 + 2 + 3)
            assert len(lab.lines()) == 2

    run(story())


def test_a_character_cut_over_fragments_stays_one(tmp_path):
    async def story():
        async with opened(tmp_path) as (_, far, agent):
            frame = agent.frames.send(TextMessage("é"))
            agent.writer.write(frame)
            assert await agent.message() == "é"
            raw = bytes([0x01, 0x81, 0, 0, 0, 0, 0xC3, 0x80, 0x81, 0, 0, 0, 0, 0xA9])
            agent.writer.write(raw)
            assert await agent.message() == "é"
            assert far.heard[-1].data == "é"

    run(story())


def test_pings_go_through_to_the_other_end_both_ways(tmp_path):
    async def story():
        async with opened(tmp_path) as (_, far, agent):
            await agent.say(Ping(b"one"))
            pong = await agent.hear()
            assert (type(pong), bytes(pong.payload)) == (Pong, b"one")
            await far.side.say(Ping(b"two"))
            ping = await agent.hear()
            assert (type(ping), bytes(ping.payload)) == (Ping, b"two")
            await agent.say(ping.response())
            await until(lambda: isinstance(far.heard[-1], Pong))

    run(story())


def test_after_the_goodbyes_the_gateway_ends_the_connection_and_reads_no_request_from_it(tmp_path):
    async def story():
        async with opened(tmp_path) as (lab, _, agent):
            await agent.say(CloseConnection(1000))
            assert (await agent.hear()).code == 1000
            assert await asyncio.wait_for(agent.hear(), 3) is None
            assert (lab.outcomes(), lab.lines("denied")) == (["done"], [])

    run(story())


def test_a_switch_that_is_long_in_coming_is_carried_like_any(tmp_path, monkeypatch):
    impatient(monkeypatch, long=0.1)

    class Slow(Far):
        async def __call__(self, *ends):
            await asyncio.sleep(0.5)
            await super().__call__(*ends)

    async def story():
        async with opened(tmp_path, Slow()) as (lab, _, agent):
            await agent.say(TextMessage("hello"))
            assert await agent.message() == "hello"
            assert lab.lines("denied") == []

    run(story())


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4999])
def test_close_codes_are_passed_on_from_either_side(tmp_path, code):
    async def story():
        async with opened(tmp_path, Far()) as (lab, far, agent):
            await far.side.say(CloseConnection(code, f"why {KEY}"))
            said = await agent.hear()
            assert (said.code, said.reason) == (code, "why " + "*" * len(KEY))
            await agent.say(said.response())
            await until(lambda: lab.outcomes() == ["done"])

    run(story())


def test_extensions_are_taken_out_of_what_is_asked(tmp_path):
    async def story():
        async with opened(
            tmp_path, asks="Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: v1\r\n"
        ) as (lab, _, agent):
            assert b"extensions" not in lab.got[0].lower()
            assert b"sec-websocket-protocol: v1" in lab.got[0].lower()
            assert b"upgrade: websocket" in agent.head.lower()
            assert b"sec-websocket-accept: s3p" in agent.head.lower()
            assert f"Bearer {KEY}".encode() in lab.got[0]

    run(story())


def test_what_the_handshake_brings_back_is_scrubbed_and_judged_like_any_answer(tmp_path):
    async def story():
        async with opened(tmp_path, Far(f"X-Key: {KEY}\r\nSet-Cookie: a=b\r\n".encode())) as (_, _, agent):
            assert KEY.encode() not in agent.head
            assert b"set-cookie" not in agent.head.lower()

    run(story())


def test_a_server_that_will_not_switch_is_heard_out(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(SOCKET,)) as lab, lab.agent() as (reader, writer):
            lab.answer = b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"
            writer.write(lab.head("GET /ws", ASKS).encode())
            assert (await whole(reader)).endswith(b"no")

    run(story())


def test_the_key_is_scrubbed_from_what_the_server_says(tmp_path):
    async def story():
        async with opened(tmp_path) as (_, far, agent):
            stars = "*" * len(KEY)
            await far.side.say(
                TextMessage(f"a {KEY[:5]}", message_finished=False),
                TextMessage(f"{KEY[5:]} b"),
                BytesMessage(KEY.encode()),
                Ping(KEY.encode()),
            )
            assert await agent.message() == f"a {stars} b"
            assert await agent.message() == stars.encode()
            assert bytes((await agent.hear()).payload) == stars.encode()

    run(story())


def test_one_may_be_silent_while_the_other_is_heard_and_both_silent_is_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(socket_module, "SILENCE", 0.4)

    async def story():
        async with opened(tmp_path, Far(echo=False)) as (lab, far, agent):
            for number in range(5):
                await far.side.say(TextMessage(str(number)))
                assert await agent.message() == str(number)
                await asyncio.sleep(0.2)
            assert not lab.gone.is_set()
            await asyncio.wait_for(lab.gone.wait(), 3)
            assert lab.outcomes() == ["cut"]

    run(story())


@pytest.mark.timeout(20)
def test_a_side_that_the_kernel_gave_up_ends_it_and_does_not_keep_the_gateway_busy(tmp_path):
    """A reader raises what its connection was lost by each time it is asked."""

    async def story():
        async with opened(tmp_path) as (lab, _, agent):
            await agent.say(TextMessage("hello"))
            assert await agent.message() == "hello"
            lab.upstream[0].set_exception(TimeoutError(errno.ETIMEDOUT, "the kernel's own"))
            await until(lambda: lab.outcomes() == ["cut"])
            assert "the kernel's own" in lab.lines("outcome")[0]["reason"]

    run(story())


def test_whoever_vanishes_ends_it_for_the_other_at_once_and_not_cleanly(tmp_path):
    async def story():
        async with opened(tmp_path) as (lab, _, agent):
            agent.writer.transport.abort()
            await asyncio.wait_for(lab.gone.wait(), 3)
            await until(lambda: lab.outcomes() == ["cut"])
        (tmp_path / "2").mkdir()
        async with opened(tmp_path / "2") as (lab, far, agent):
            far.side.writer.transport.abort()
            with contextlib.suppress(ConnectionResetError):
                assert await agent.hear() is None
            await until(lambda: lab.outcomes() == ["cut"])

    run(story())
