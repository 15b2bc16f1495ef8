"""Opened connections and their records: one intent and one outcome a request, one denial a refusal, no key in any."""

import asyncio
import gc
import json
import os

import psutil
import pytest

from hostkit.gateway.services import Budget, Route
from tests.gateway.inspect.lab import HELD, KEY, OTHERS, Lab, answer, refused, run, until, whole


def test_the_placeholder_goes_in_and_the_key_goes_out(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            said = await lab.ask(lab.head())
            assert said.endswith(b"\r\n\r\nok"), said
            assert f"authorization: Bearer {KEY}\r\n".encode() in lab.got[0]
            assert HELD.encode() not in lab.got[0]
            assert [line["event"] for line in lab.lines()] == ["intent", "outcome"]

    run(story())


def test_each_request_has_an_intent_and_an_outcome_that_say_what_it_was(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            lab.answer = answer(b"gone", status="404 Not Found")
            await lab.ask(lab.post(b'{"a":1}', line="POST /v1/a%20b?page=1"))
            intent, outcome = lab.lines()
            assert intent["id"] == outcome["id"]
            assert (intent["event"], intent["rule"], intent["kind"]) == ("intent", "service:api", "request")
            assert (intent["method"], intent["path"], intent["service"]) == ("POST", "/v1/a%20b", "api")
            assert {
                key: outcome[key] for key in ("rule", "status", "bytes_up", "bytes_down", "address", "generation")
            } == {
                "rule": "done",
                "status": 404,
                "bytes_up": 7,
                "bytes_down": 4,
                "address": "127.0.0.1",
                "generation": 1,
            }

    run(story())


def test_the_intent_is_on_record_before_anything_leaves(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            seen = []
            lab.answer = lambda *_: seen.extend(line["event"] for line in lab.lines()) or answer(b"ok")
            await lab.ask(lab.head())
            assert seen == ["intent"]

    run(story())


def test_a_request_whose_intent_cannot_be_written_is_not_sent(tmp_path):
    async def story():
        async with Lab(tmp_path, room=10) as lab:
            lab.records.write(filler="x" * 100)
            assert refused(await lab.ask(lab.head()))[1] == "records-full"
            assert (lab.got, lab.dialled) == ([], 0)

    run(story())


def test_no_key_and_no_placeholder_is_in_any_record(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(Route(("GET",), "/v1/**", credential="key"),)) as lab:
            for target in (
                f"/v1/{HELD}",
                f"/v1/{KEY.replace('/', '-')}{KEY}",
                f"/v1/x?k={HELD}",
                f"/no/{HELD}",
                f"/v1/{OTHERS}",
            ):
                await lab.ask(lab.head(f"GET {target}"))
            await lab.ask(lab.head(key=OTHERS))
            await lab.ask(lab.head(key=f"{HELD}x"))
            text = (tmp_path / "records" / "requests.jsonl").read_text()
            assert not {one for one in (KEY, HELD, OTHERS, HELD[-20:], OTHERS[-20:]) if one in text}
            assert sorted(lab.denied()) == ["other-client", "other-client", "path-not-listed", "stale-placeholder"]

    run(story())


@pytest.mark.parametrize(
    ("line", "key", "rule", "status"),
    [
        ("GET /admin", HELD, "path-not-listed", 403),
        ("DELETE /v1/x", HELD, "method-not-listed", 403),
        ("GET /v1/x", None, "credential-missing", 403),
        ("GET /v1/x", "sk-attackers-own", "foreign-credential", 403),
        ("GET /v1/x", f"{HELD}x", "stale-placeholder", 403),
        ("GET /v1/x", OTHERS, "other-client", 403),
        ("GET /v1/../x", HELD, "path-unclear", 400),
    ],
)
def test_a_refusal_is_typed_on_record_once_and_nothing_left(tmp_path, line, key, rule, status):
    async def story():
        async with Lab(tmp_path, routes=(Route(("GET",), "/v1/x", credential="key"),)) as lab:
            assert refused(await lab.ask(lab.head(line, key=key))) == (status, rule)
            (record,) = lab.lines()
            assert (record["event"], record["rule"], record["service"]) == ("denied", rule, "api")
            assert (lab.got, lab.dialled) == ([], 0)

    run(story())


def test_git_is_asked_for_its_password_once_and_only_where_the_service_says_so(tmp_path):
    async def story():
        async with Lab(tmp_path, login=True) as lab:
            said = await lab.ask(lab.head(key=None))
            assert refused(said) == (401, "login")
            assert b"WWW-Authenticate: Basic" in said
            assert lab.denied() == ["login"]

    run(story())


def test_a_budget_of_one_lets_one_through_whole_and_refuses_the_next(tmp_path):
    async def story():
        async with Lab(tmp_path, budgets=(Budget("requests", "day", 1),)) as lab:
            assert (await lab.ask(lab.post())).endswith(b"ok")
            assert refused(await lab.ask(lab.post())) == (429, "over-budget")
            assert lab.outcomes() == ["done"]

    run(story())


def test_a_budget_holds_for_requests_whose_bodies_come_at_the_same_time(tmp_path):
    async def story():
        route = Route(("POST",), "/v1/x", credential="key", counts="messages")
        async with Lab(tmp_path, routes=(route,), budgets=(Budget("messages", "day", 1),)) as lab:
            async with lab.agent() as (one, to_one), lab.agent() as (two, to_two):
                for writer in (to_one, to_two):
                    writer.write(lab.post("0123456789")[:-5])
                    await writer.drain()
                await until(lambda: len(lab.gateway._live) == 2)
                await asyncio.sleep(0.2)
                for writer in (to_one, to_two):
                    writer.write(b"56789")
                said = [(await whole(reader))[:13] for reader in (one, two)]
            assert sorted(said) == [b"HTTP/1.1 200 ", b"HTTP/1.1 429 "]
            assert len(lab.got) == 1

    run(story())


@pytest.mark.parametrize(
    ("budget", "rule"),
    [(Budget("bytes_up", "day", 100), "over-budget"), (Budget("bytes_down", "day", 100), "over-budget")],
)
def test_bytes_end_at_their_budget(tmp_path, budget, rule):
    async def story():
        async with Lab(tmp_path, budgets=(budget,)) as lab:
            lab.answer = answer(b"y" * 101)
            assert refused(await lab.ask(lab.post(b"x" * 101, kind="text/plain"))) == (429, rule)

    run(story())


def test_a_body_over_its_limit_is_refused_before_it_is_read_or_as_it_comes(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(Route(("POST",), "/v1/x", credential="key", limit=1000),)) as lab:
            assert refused(await lab.ask(lab.head("POST /v1/x", "Content-Length: 1001\r\n"))) == (413, "too-large")
            text = lab.head("POST /v1/x", "Transfer-Encoding: chunked\r\n") + "3e9\r\n" + "x" * 1001 + "\r\n0\r\n\r\n"
            assert refused(await lab.ask(text)) == (413, "too-large")

    run(story())


def test_odd_requests_raise_an_alarm_and_pass(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for number in range(41):
                word = "".join("0123456789abcdefghijklmnopqrstuvwxyz"[(number * step) % 36] for step in range(1, 33))
                writer.write(lab.head(f"GET /v1/{number}{word}{number:03d}zQ").encode())
                assert (await whole(reader)).endswith(b"ok")
            assert [line["rule"] for line in lab.lines("alarm")] in ([], ["odd-requests"])
            writer.write(lab.head("GET /v1/" + "/".join(os.urandom(24).hex() for _ in range(45))).encode())
            await whole(reader)
            assert [line["rule"] for line in lab.lines("alarm")] == ["odd-requests"]

    run(story())


@pytest.mark.parametrize("goodbye", [True, False])
def test_an_agent_that_ends_its_connection_leaves_nothing_running(tmp_path, goodbye):
    async def story():
        async with Lab(tmp_path) as lab:
            async with lab.agent() as (reader, writer):
                writer.write(lab.head().encode())
                await whole(reader)
                if not goodbye:
                    writer.transport.abort()
            await until(lambda: not lab.gateway._live)
            assert (lab.outcomes(), lab.denied()) == (["done"], [])

    run(story())


def memory():
    gc.collect()
    return psutil.Process().memory_info().rss


def test_a_hundred_idle_connections_cost_little(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            held = [lab.agent() for _ in range(101)]
            await held[0].__aenter__()
            before = memory()
            for one in held[1:]:
                reader, writer = await one.__aenter__()
                writer.write(lab.head().encode())
                await whole(reader)
            cost = (memory() - before) / 100
            for one in held:
                await one.__aexit__(None, None, None)
            return cost

    assert run(story(), 60) < 1_200_000  # agent, gateway and upstream: asyncio's TLS alone takes 256 KiB three times


def test_two_thousand_requests_on_one_connection_leave_nothing_behind(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):

            async def some(count):
                for _ in range(count):
                    writer.write(lab.post(json.dumps({"text": "x" * 400})))
                    await whole(reader)
                    lab.got.clear()
                return memory()

            before = await some(500)
            return await some(1500) - before

    assert run(story(), 60) < 1_500_000
