"""What is waited for too long: each wait by itself, an idle agent, and an upstream that says no more."""

import asyncio
import gc
from collections import Counter

import pytest

from hostkit.gateway.inspect.patience import Limit, OutOfPatience, Patience
from tests.gateway.inspect.lab import Lab, answer, chunked, dripping, impatient, run, until, whole

CARRIED = {"Carried", "Judged", "Request", "RequestHead", "Asked", "Watch", "Limit", "Answer", "Incoming", "Sized"}


@pytest.fixture(autouse=True)
def often(monkeypatch):
    impatient(monkeypatch)


async def read(reader, limit):
    with limit:
        return await reader.read(100)


def test_a_block_that_lasts_too_long_raises_and_one_that_does_not_goes_on():
    async def story():
        patience, reader = Patience(), asyncio.StreamReader()
        with pytest.raises(OutOfPatience):
            await read(reader, Limit(patience, 0.05))
        assert asyncio.current_task().cancelling() == 0
        limit = Limit(patience, 0.2)
        for _ in range(4):
            asyncio.get_running_loop().call_later(0.1, reader.feed_data, b"said")
            assert await read(reader, limit) == b"said"
        assert not patience._seen

    run(story())


def test_what_comes_in_the_very_turn_a_block_is_over_is_too_late_and_stays_where_it_is():
    async def story():
        patience, reader = Patience(), asyncio.StreamReader()
        reading = asyncio.ensure_future(read(reader, Limit(patience, 0)))
        await asyncio.sleep(0)
        reader.feed_data(b"late")
        patience._look()
        with pytest.raises(OutOfPatience):
            await reading
        assert await reader.read(100) == b"late"

    run(story())


def test_who_is_cancelled_by_another_is_cancelled():
    async def story():
        patience = Patience()
        reading = asyncio.ensure_future(read(asyncio.StreamReader(), Limit(patience, 0)))
        await asyncio.sleep(0)
        patience._look()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert not patience._seen

    run(story())


def test_the_outer_block_ends_the_inner_one():
    async def story():
        patience = Patience()
        with pytest.raises(OutOfPatience), Limit(patience, 0.05):
            await read(asyncio.StreamReader(), Limit(patience, 5))
        assert not patience._seen

    run(story())


def test_the_clock_stands_while_nobody_waits_and_goes_again_for_the_next():
    async def story():
        patience = Patience()
        for _ in range(2):
            with pytest.raises(OutOfPatience):
                await read(asyncio.StreamReader(), Limit(patience, 0))
            await asyncio.sleep(0.1)
            assert not patience._goes

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
            lab.answer = dripping(*[b"x"] * 6, pause=0.1)
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
                assert len(lab.house.patience._seen) == 1  # for the agent's next request
            await until(lambda: not lab.house.patience._seen)

    run(story())


def test_a_request_leaves_nothing_that_only_the_cycle_collector_frees(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for number in range(40):
                if number == 20:
                    gc.collect()
                    gc.disable()
                writer.write(lab.post(f'{{"number": {number}}}', line=f"POST /v1/{number}"))
                await whole(reader)
            await until(lambda: len(lab.outcomes()) == 40)
            names = [type(one).__name__ for one in gc.get_objects()]
            left = Counter(name for name in names if name in CARRIED)
            assert {name: much for name, much in left.items() if much > 15} == {}
            assert left["Judged"]  # the counter sees them

    try:
        run(story())
    finally:
        gc.enable()
