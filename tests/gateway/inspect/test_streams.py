"""Streams: piece by piece in both directions, cut where they break, and nobody left waiting for who has gone."""

import asyncio
import itertools
import time

import pytest

from hostkit.gateway.services import Budget, Pin, Route
from tests.gateway.inspect.lab import (
    KEY,
    OK,
    OTHERS,
    SSE,
    Lab,
    answer,
    chunk,
    chunked,
    dripping,
    impatient,
    refused,
    run,
    until,
    whole,
)


def test_events_arrive_one_by_one_as_they_were_sent(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            lab.answer = dripping(*(b"data: %d\n\n" % number for number in range(4)))
            writer.write(lab.head().encode())
            await reader.readuntil(b"\r\n\r\n")
            came = []
            for number in range(4):
                assert b"data: %d\n\n" % number in await reader.readuntil(b"\n\n\r\n")
                came.append(time.monotonic())
            assert all(0.05 < later - earlier < 1 for earlier, later in itertools.pairwise(came))
            assert await reader.readexactly(5) == b"0\r\n\r\n"

    run(story())


def test_a_key_that_is_cut_over_events_is_scrubbed(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            lab.answer = dripping(
                b"data: " + KEY[:9].encode(), KEY[9:20].encode(), KEY[20:].encode() + b"\n\n", pause=0.05
            )
            writer.write(lab.head().encode())
            await reader.readuntil(b"\r\n\r\n")
            assert await chunked(reader) == b"data: " + b"*" * len(KEY) + b"\n\n"

    run(story())


@pytest.mark.parametrize("said", [SSE + chunk(b"data: 1\n\n"), b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"])
def test_an_upstream_that_breaks_off_is_no_clean_end(tmp_path, said):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):

            async def half(_got, _reader, far):
                far.write(said)
                await far.drain()

            lab.answer = half
            writer.write(lab.head().encode())
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await whole(reader)
            await until(lab.outcomes)
            assert lab.outcomes() == ["bad-answer"]

    run(story())


@pytest.mark.parametrize("body", [b"", b"x" * 200_000], ids=["read whole", "streamed"])
def test_an_agent_that_leaves_a_long_stream_closes_it_upstream_within_3_seconds(tmp_path, body, monkeypatch):
    impatient(monkeypatch, long=0.3)

    async def story():
        async with Lab(tmp_path) as lab:

            async def silent(_got, reader, writer):
                writer.write(SSE + chunk(b"data: 1\n\n"))
                await reader.read(1)  # until it ends

            lab.answer = silent
            async with lab.agent() as (reader, writer):
                writer.write(lab.post(body, kind="text/plain"))
                await reader.readuntil(b"data: 1\n\n")
                assert not lab.gone.is_set()
            left = time.monotonic()
            await asyncio.wait_for(lab.gone.wait(), 5)
            assert time.monotonic() - left < 3
            await until(lambda: lab.outcomes() == ["cut"])

    run(story())


def test_tokens_of_a_stream_that_the_agent_left_are_counted(tmp_path):
    async def story():
        async with Lab(tmp_path, usage=("input=usage.in",), budgets=(Budget("tokens", "day", 5),)) as lab:
            lab.answer = dripping(
                b'data: {"usage":{"in":9}}\n\n', *(b"data: %d\n\n" % at for at in range(99)), pause=0.02
            )
            async with lab.agent() as (reader, writer):
                writer.write(lab.head().encode())
                await reader.readuntil(b"data: 1\n\n")
            await until(lab.outcomes)
            assert lab.lines("outcome")[0]["tokens"] == 9
            assert refused(await lab.ask(lab.head())) == (429, "over-budget")

    run(story())


def test_a_body_is_streamed_while_it_comes(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            seen = asyncio.Event()

            async def read_on(_got, reader, _writer):
                assert await reader.readexactly(100) == b"x" * 100
                seen.set()
                await reader.readexactly(199_900)
                return OK

            lab.answer = read_on
            writer.write(lab.head("PUT /v1/x", "X-Early: 1\r\nContent-Length: 200000\r\n").encode() + b"x" * 100)
            await asyncio.wait_for(seen.wait(), 3)
            writer.write(b"x" * 199_900)
            assert (await whole(reader)).endswith(b"ok")
            await until(lab.outcomes)
            assert lab.lines("outcome")[0]["bytes_up"] == 200_000

    run(story())


def test_an_early_answer_ends_a_body_that_is_still_on_its_way(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            lab.answer = answer(b"no", status="413 Too Large")
            writer.write(lab.head("PUT /v1/x", "X-Early: 1\r\nContent-Length: 200000\r\n").encode() + b"x" * 100)
            assert (await whole(reader)).startswith(b"HTTP/1.1 413 ")
            assert await reader.read() == b""
            assert lab.outcomes() == ["done"]

    run(story())


def test_a_body_that_is_waited_for_is_asked_for(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            writer.write(lab.head("PUT /v1/x", "Expect: 100-continue\r\nContent-Length: 2\r\n").encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            writer.write(b"hi")
            assert (await whole(reader)).endswith(b"ok")
            assert b"expect" not in lab.got[0].lower()

    run(story())


def test_a_body_that_is_long_in_coming_is_asked_for_once(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            writer.write(lab.head("PUT /v1/x", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n").encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            await until(lambda: lab.got)  # its head has left without it
            writer.write(chunk(b"hi") + b"0\r\n\r\n")
            assert (await whole(reader)).startswith(b"HTTP/1.1 200 ")

    run(story())


def test_an_agent_that_leaves_in_the_middle_of_a_body_sends_nothing_that_looks_whole(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            async with lab.agent() as (_, writer):
                writer.write(lab.head("PUT /v1/x", "Transfer-Encoding: chunked\r\n").encode() + chunk(b"x" * 70_000))
                await until(lambda: lab.got)
            await asyncio.wait_for(lab.gone.wait(), 5)
            assert not lab.got[0].endswith(b"0\r\n\r\n")
            await until(lambda: lab.outcomes() == ["cut"])

    run(story())


def test_a_mark_of_another_client_inside_a_streamed_body_cuts_it(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            lab.answer = lambda *_: asyncio.sleep(9)
            writer.write(
                lab.head("PUT /v1/x", "X-Early: 1\r\nContent-Length: 300000\r\n").encode()
                + b"x" * 99_990
                + OTHERS[:20].encode()
            )
            await until(lambda: lab.got)
            writer.write(OTHERS[20:].encode())
            assert refused(await whole(reader)) == (403, "other-client")
            assert lab.outcomes() == ["other-client"]

    run(story())


def test_one_connection_upstream_serves_many_requests_each_judged_anew(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for _ in range(20):
                writer.write(lab.post())
                assert (await whole(reader)).endswith(b"ok")
            assert (lab.dialled, len(lab.got)) == (1, 20)
            assert len(lab.lines("intent")) == len(lab.lines("outcome")) == 20

    run(story())


@pytest.mark.parametrize("unasked", [b"", b"HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n"])
def test_a_kept_connection_that_ended_or_said_something_unasked_is_not_used_again(tmp_path, unasked):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            go_on = asyncio.Event()

            async def then(_got, _reader, far):
                far.write(OK)
                await far.drain()
                await go_on.wait()
                far.write(unasked)
                return b"" if unasked else None

            lab.answer = then
            writer.write(lab.post())
            await whole(reader)
            lab.answer = OK
            go_on.set()
            await asyncio.sleep(0.1)
            writer.write(lab.post())
            assert (await whole(reader)).endswith(b"ok")
            assert (lab.dialled, lab.outcomes()) == (2, ["done", "done"])

    run(story())


@pytest.mark.parametrize(("line", "dialled", "status"), [("GET /v1/x", 2, 200), ("POST /v1/x", 1, 502)])
def test_one_that_ends_as_it_is_used_again_is_redialled_for_what_may_be_repeated(tmp_path, line, dialled, status):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            lab.answer = lambda *_: OK if len(lab.got) != 2 else None
            writer.write(lab.head(line, "Content-Length: 0\r\n").encode() * 2)
            assert (await whole(reader)).startswith(b"HTTP/1.1 200 ")
            assert (await whole(reader)).startswith(f"HTTP/1.1 {status} ".encode())
            assert lab.dialled == dialled
            assert lab.outcomes() == ["done", "done" if status == 200 else "bad-answer"]

    run(story())


def test_an_answer_that_took_long_leaves_the_connection_good_for_the_next_request(tmp_path, monkeypatch):
    impatient(monkeypatch, long=0.05)

    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for _ in range(3):
                lab.answer = dripping(b"slow", pause=0.2)
                writer.write(lab.head().encode())
                assert (await whole(reader)).endswith(b"slow")
            await until(lambda: len(lab.outcomes()) == 3)
            assert (lab.denied(), lab.dialled) == ([], 1)

    run(story())


def test_bodies_that_are_read_whole_have_so_much_room_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("hostkit.gateway.inspect.house.HELD", 3000)
    judged = Route(("POST",), "/**", credential="key", pins=(Pin("body", "never"),))

    async def story():
        async with Lab(tmp_path, routes=(judged,)) as lab:
            async with lab.agent() as (_, writer):
                writer.write(
                    lab.head("POST /v1/x", "Content-Type: application/json\r\nContent-Length: 2900\r\n").encode()
                )
                writer.write(b"[" + b" " * 2000)
                await until(lambda: lab.house.held >= 2000)
                assert refused(await lab.ask(lab.post(b" " * 2000 + b"{}"))) == (403, "too-many")
            await until(lambda: lab.house.held == 0)
            assert (await lab.ask(lab.post(b" " * 2000 + b"{}"))).endswith(b"ok")

    run(story())
