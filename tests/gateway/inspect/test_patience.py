"""What is waited for too long: each wait by itself, an idle agent, and an upstream that says no more."""

import asyncio

import pytest

from hostkit.gateway.inspect.patience import Patience, Wait
from tests.gateway.inspect.lab import Lab, answer, chunked, impatient, run, until, whole


@pytest.fixture(autouse=True)
def often(monkeypatch):
    impatient(monkeypatch)


def test_a_wait_is_over_when_it_lasted_and_at_each_look_until_its_end():
    async def story():
        patience, said = Patience(), []
        with Wait(patience, 0.05, lambda: said.append("short")), Wait(patience, 5, lambda: said.append("long")):
            await asyncio.sleep(0.02)
            assert said == []
            await until(lambda: said == ["short", "short"])
        await asyncio.sleep(0.06)
        assert said == ["short", "short"]

    run(story())


def test_a_wait_that_begins_again_has_all_its_time_again():
    async def story():
        said = []
        wait = Wait(Patience(), 0.2, lambda: said.append("over"))
        for _ in range(4):
            with wait:
                await asyncio.sleep(0.1)
        assert said == []

    run(story())


def test_the_clock_stands_while_nobody_waits_and_goes_again_for_the_next():
    async def story():
        patience, said = Patience(), []
        for word in ("first", "second"):
            with Wait(patience, 0, lambda word=word: said.append(word)):
                await until(lambda word=word: word in said)
            await asyncio.sleep(0.1)
            assert not patience._ticks

    run(story())


def test_a_wait_that_ends_itself_or_another_as_it_is_over_disturbs_no_other():
    async def story():
        patience, said = Patience(), []
        waits = [Wait(patience, 0, lambda: (said.append(1), *[patience.end(one) for one in waits])) for _ in range(3)]
        for wait in waits:
            patience.begin(wait)
        await asyncio.sleep(0.1)
        assert said == [1, 1, 1]
        assert not patience._waits

    run(story())


def test_an_agent_that_asks_nothing_more_is_let_go_with_its_upstream(tmp_path, monkeypatch):
    impatient(monkeypatch, idle=0.3)

    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for _ in range(3):
                await asyncio.sleep(0.2)
                writer.write(lab.head().encode())
                assert (await whole(reader)).endswith(b"ok")
            assert await asyncio.wait_for(reader.read(), 3) == b""
            await asyncio.wait_for(lab.gone.wait(), 3)
            assert (lab.dialled, lab.denied(), lab.outcomes()) == (1, [], ["done"] * 3)

    run(story())


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"], ids=["nothing", "half"])
def test_an_upstream_that_says_no_more_is_left_and_put_on_record(tmp_path, monkeypatch, begun):
    impatient(monkeypatch, silence=0.3)

    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):

            async def silent(_got, far_reader, far):
                far.write(begun)
                await far_reader.read(1)

            lab.answer = silent
            writer.write(lab.head().encode())
            said = await reader.readuntil(b"half" if begun else b"nothing more of an answer")
            assert said.startswith(b"HTTP/1.1 200" if begun else b"HTTP/1.1 502")
            await until(lambda: lab.outcomes() == ["bad-answer"])
            await asyncio.wait_for(lab.gone.wait(), 3)

    run(story())


def test_an_answer_that_drips_is_never_silent(tmp_path, monkeypatch):
    impatient(monkeypatch, silence=0.2, long=0.1)

    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):

            async def dripping(_got, _reader, far):
                far.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(6):
                    await asyncio.sleep(0.1)
                    far.write(b"1\r\nx\r\n")
                far.write(b"0\r\n\r\n")

            lab.answer = dripping
            writer.write(lab.head().encode())
            await reader.readuntil(b"\r\n\r\n")
            assert await chunked(reader) == b"x" * 6
            await until(lambda: lab.outcomes() == ["done"])

    run(story())


def test_no_wait_is_left_behind_by_a_hundred_requests(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            async with lab.agent() as (reader, writer):
                lab.answer = answer(b"ok")
                for _ in range(100):
                    writer.write(lab.head().encode())
                    await whole(reader)
                await asyncio.sleep(0.05)
                assert len(lab.house.patience._waits) == 1  # for the agent's next request
            await until(lambda: not lab.house.patience._waits)

    run(story())
