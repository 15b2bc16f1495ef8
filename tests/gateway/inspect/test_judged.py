"""A head that is the same as the one before it is not judged twice, unless anything its judgement hangs on changed."""

import asyncio
import dataclasses

import pytest

from hostkit.gateway.inspect import session as subject
from hostkit.gateway.services import Budget, Route
from tests.gateway.inspect.lab import ANY, CREDENTIAL, KEY, OTHERS, Lab, refused, run, until, whole

NARROW = (Route(("GET",), "/elsewhere", credential="key"),)
NEW = "sk-real-of-the-second-generation"
OTHER_HELD = (dataclasses.replace(CREDENTIAL, placeholder="sk-another-one-of-ours"),)


@pytest.fixture
def judged(monkeypatch):
    """Return the targets that were judged, in their order."""
    seen, judge = [], subject.judge

    def counting(service, request, *rest):
        seen.append(request.target)
        return judge(service, request, *rest)

    monkeypatch.setattr(subject, "judge", counting)
    return seen


def said_of(line):
    return {key: line[key] for key in ("service", "method", "path", "name", "rule")}


def test_the_same_head_again_is_carried_and_recorded_like_the_first(tmp_path, judged):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for _ in range(3):
                writer.write(lab.post(b'{"a": 1}'))
                assert (await whole(reader)).endswith(b"ok")
            await until(lambda: lab.outcomes() == ["done"] * 3)
            assert judged == ["/v1/x"]
            assert len(set(lab.got)) == 1
            assert f"Bearer {KEY}".encode() in lab.got[2]
            intents = [said_of(line) for line in lab.lines("intent")]
            assert intents == [intents[0]] * 3
            assert intents[0]["path"] == "/v1/x"
            assert len({line["id"] for line in lab.lines()}) == 3

    run(story())


@pytest.mark.parametrize(
    "second",
    [{"line": "POST /v1/y"}, {"extra": "X-A: 1\r\n"}, {"body": b"{ }"}, {"kind": "text/plain"}],
    ids=["path", "header", "length", "type"],
)
def test_one_that_differs_in_anything_is_judged_anew(tmp_path, judged, second):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for words in ({}, second, {}):
                writer.write(lab.post(**words))
                assert (await whole(reader)).endswith(b"ok")
            assert len(judged) == 3

    run(story())


@pytest.mark.parametrize(
    "changed",
    [{"routes": NARROW}, {"routes": (dataclasses.replace(ANY, methods=("POST",)),)}, {"credentials": OTHER_HELD}],
    ids=["path", "method", "placeholder"],
)
def test_the_same_head_goes_nowhere_under_rules_that_refuse_it(tmp_path, changed):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for _ in range(2):
                writer.write(lab.head().encode())
                assert (await whole(reader)).endswith(b"ok")
            lab.reload(2, **changed)
            writer.write(lab.head().encode())
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await whole(reader)
            assert len(lab.got) == 2

    run(story())


def test_the_same_head_leaves_as_the_rules_and_keys_of_now_have_it(tmp_path, judged):
    async def story():
        async with Lab(tmp_path, sets=("X-Of: one",)) as lab, lab.agent() as (reader, writer):
            for generation, key in ((1, KEY), (2, NEW)):
                if generation > 1:
                    lab.reload(generation, key, sets=("X-Of: two",))
                writer.write(lab.head().encode())
                assert (await whole(reader)).endswith(b"ok")
            assert [KEY.encode() in lab.got[0], b"x-of: one" in lab.got[0].lower()] == [True, True]
            assert [NEW.encode() in lab.got[1], b"x-of: two" in lab.got[1].lower()] == [True, True]
            assert len(judged) == 2

    run(story())


@pytest.mark.parametrize("what", ["rules", "vault"])
def test_other_rules_and_another_vault_judge_anew_though_they_say_the_same(tmp_path, judged, what):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for _ in range(2):
                writer.write(lab.head().encode())
                await whole(reader)
                rules, vault = lab.house.rules, lab.house.vault
                if what == "rules":
                    lab.house.apply(dataclasses.replace(rules), vault)
                else:
                    lab.house.apply(rules, lab.house.load(rules))
            assert len(judged) == 2

    run(story())


def test_a_ticket_is_asked_for_each_time(tmp_path, judged):
    async def story():
        routes = (Route(("GET",), "/up/a", credential="key", ticket="upload"),)
        async with Lab(tmp_path, routes=routes) as lab, lab.agent() as (reader, writer):
            lab.house.tickets.issue("upload", "https://api.example/up/a")
            for _ in range(2):
                writer.write(lab.head("GET /up/a").encode())
                assert (await whole(reader)).endswith(b"ok")
            lab.house.tickets._issued.clear()
            writer.write(lab.head("GET /up/a").encode())
            assert refused(await whole(reader)) == (403, "no-ticket")
            assert len(judged) == 3

    run(story())


def test_a_budget_is_asked_each_time(tmp_path):
    async def story():
        async with Lab(tmp_path, budgets=(Budget("requests", "day", 2),)) as lab, lab.agent() as (reader, writer):
            for _ in range(2):
                writer.write(lab.head().encode())
                assert (await whole(reader)).endswith(b"ok")
            writer.write(lab.head().encode())
            assert refused(await whole(reader)) == (429, "over-budget")

    run(story())


def test_a_long_head_is_not_kept(tmp_path, judged):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            for _ in range(2):
                writer.write(lab.head(extra=f"X-Long: {'x' * 4096}\r\n").encode())
                assert (await whole(reader)).endswith(b"ok")
            assert len(judged) == 2

    run(story())


def test_a_body_is_looked_through_each_time(tmp_path, judged):
    """The same head, as long a body, and another client's placeholder in it."""

    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            fine, bad = (f'{{"say": "{words}"}}'.encode() for words in ("x" * len(OTHERS), OTHERS))
            writer.write(lab.post(fine))
            assert (await whole(reader)).endswith(b"ok")
            writer.write(lab.post(bad))
            assert refused(await whole(reader)) == (403, "other-client")
            assert (len(judged), len(lab.got)) == (1, 1)

    run(story())


def test_connections_share_no_judgement(tmp_path, judged):
    async def story():
        async with Lab(tmp_path) as lab:
            for _ in range(2):
                assert (await lab.ask(lab.head())).endswith(b"ok")
            assert len(judged) == 2

    run(story())
