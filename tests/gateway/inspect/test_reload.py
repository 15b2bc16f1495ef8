"""New rules while connections live: narrower ones cut, a new key is used, and nothing leaves by the old."""

import asyncio
import dataclasses

import pytest

from hostkit.gateway.services import Pin, Route
from tests.gateway.inspect.lab import ANY, CREDENTIAL, HELD, KEY, Lab, impatient, refused, run, until, whole

NEW = "sk-new-9876543210zyxwvu"
X = Route(("GET", "POST", "PUT"), "/v1/x", credential="key")


async def streaming(_got, reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    await reader.read(1)


@pytest.mark.parametrize(
    "changed",
    [
        {"routes": (Route(("GET",), "/v1/y", credential="key"),)},
        {"routes": (Route(("POST",), "/v1/x", credential="key"),)},
        {"routes": (dataclasses.replace(X, pins=(Pin("query", "q", required=True, values=("1",)),)),)},
        {"routes": (dataclasses.replace(X, pins=(Pin("body", "model", ("m",)),)),)},
        {"credentials": (dataclasses.replace(CREDENTIAL, placeholder="sk-another"),)},
    ],
    ids=["path", "method", "pin", "body pin", "placeholder"],
)
def test_narrower_rules_cut_a_live_stream(tmp_path, changed):
    async def story():
        async with Lab(tmp_path, routes=(X,)) as lab, lab.agent() as (reader, writer):
            lab.answer = streaming
            writer.write(lab.head().encode())
            await reader.readuntil(b"x\r\n")
            lab.reload(2, **changed)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readuntil(b"0\r\n\r\n")
            await asyncio.wait_for(lab.gone.wait(), 3)
            assert lab.outcomes() == ["cut"]

    run(story())


def test_rules_that_still_allow_it_let_it_live(tmp_path, monkeypatch):
    impatient(monkeypatch, long=0.2)

    async def story():
        async with Lab(tmp_path, routes=(X,)) as lab, lab.agent() as (reader, writer):
            lab.answer = streaming
            writer.write(lab.head().encode())
            await reader.readuntil(b"x\r\n")
            lab.reload(2, key=NEW)
            await asyncio.sleep(0.1)
            assert not lab.gone.is_set()

    run(story())


def test_a_new_key_is_used_by_the_next_request_on_the_same_connection(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for generation, key in ((1, KEY), (2, NEW)):
                if generation > 1:
                    lab.reload(generation, key)
                writer.write(lab.head().encode())
                assert (await whole(reader)).endswith(b"ok")
                assert f"Bearer {key}".encode() in lab.got[-1]
            assert lab.dialled == 2
            assert [line["generation"] for line in lab.lines("intent")] == [1, 2]

    run(story())


def test_the_old_placeholder_is_refused_after_it_changed(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            lab.reload(2, credentials=(dataclasses.replace(CREDENTIAL, placeholder="sk-another-one"),))
            writer.write(lab.head().encode())
            assert refused(await whole(reader)) == (403, "stale-placeholder")
            assert lab.denied() == ["stale-placeholder"]

    run(story())


@pytest.mark.parametrize("rules", ["none", "other"])
def test_a_body_that_was_being_read_as_the_rules_changed_does_not_leave_by_the_old(tmp_path, rules):
    async def story():
        async with Lab(tmp_path, routes=(X,)) as lab, lab.agent() as (reader, writer):
            writer.write(lab.post("0123456789")[:-5])
            await until(lambda: any(live.asked.method for live in lab.gateway._live.values()))
            lab.reload(2, NEW) if rules == "other" else lab.gateway.apply(None)
            if rules == "other":
                writer.write(b"56789")
                assert refused(await whole(reader)) == (503, "rules-changed")
                assert lab.denied() == ["rules-changed"]
            else:
                with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                    await whole(reader)
            assert (lab.got, lab.dialled) == ([], 0)

    run(story())


def test_with_no_rules_nothing_is_opened(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(ANY,)) as lab:
            lab.gateway.apply(None)
            with pytest.raises((AssertionError, asyncio.IncompleteReadError)):
                await lab.ask(lab.head())
            assert lab.denied() == ["closed"]
            assert HELD.encode() not in b"".join(lab.got)

    run(story())
