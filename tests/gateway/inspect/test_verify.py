"""Whose the key is, asked before the agent's first request, once for all of them and again under new rules."""

import asyncio

import pytest

from hostkit.gateway.services import Pin, Route
from tests.gateway.inspect.lab import KEY, OK, Lab, answer, refused, run

ROUTE = Route(("GET",), "/v1/x", credential="key")
ASKS = {
    "verify": "POST api.example /auth.test x-version: 1",
    "verified": (Pin("body", "team", ("T1",), required=True),),
}


def upstream(*said, then=OK):
    """Return an upstream that answers who it is so, one after the other, the last over and over."""
    left = list(said)

    def say(got, _reader, _writer):
        if b"/auth.test" not in got:
            return then
        return left.pop(0) if len(left) > 1 else left[0]

    return say


RIGHT, WRONG = answer(b'{"team":"T1"}'), answer(b'{"team":"T2"}')


def test_it_is_asked_once_with_the_key_for_requests_that_come_together(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(ROUTE,), **ASKS) as lab:
            lab.answer = upstream(RIGHT)
            said = await asyncio.gather(*(lab.ask(lab.head()) for _ in range(5)))
            assert all(one.endswith(b"ok") for one in said)
            asked = [got for got in lab.got if b"/auth.test" in got]
            assert len(asked) == 1
            assert f"Bearer {KEY}".encode() in asked[0]
            assert b"x-version: 1" in asked[0]
            verify = [line for line in lab.lines() if line["kind"] == "verify"]
            assert [(line["event"], line["path"]) for line in verify] == [
                ("intent", "/auth.test"),
                ("outcome", "/auth.test"),
            ]

    run(story())


def test_another_account_is_refused_and_stays_so_until_new_rules(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(ROUTE,), **ASKS) as lab:
            lab.answer = upstream(WRONG, RIGHT)
            for _ in range(2):
                assert refused(await lab.ask(lab.head())) == (403, "wrong-account")
            assert (len(lab.got), lab.denied()) == (1, ["wrong-account"] * 2)
            lab.reload(2)
            assert (await lab.ask(lab.head())).endswith(b"ok")

    run(story())


@pytest.mark.parametrize(
    "said",
    [
        answer(b"{}", status="503 Busy"),
        answer(b"<html>", status="429 Slow"),
        answer(b'{"ok":false}'),
        answer(b"<html>"),
        None,
        b"junk\r\n\r\n",
    ],
    ids=["503", "429", "tells nothing", "no json", "closed", "junk"],
)
def test_what_could_not_be_told_is_no_other_account_and_is_asked_again(tmp_path, said):
    async def story():
        async with Lab(tmp_path, routes=(ROUTE,), **ASKS) as lab:
            lab.answer = upstream(said, RIGHT)
            assert refused(await lab.ask(lab.head())) == (502, "bad-answer")
            assert (await lab.ask(lab.head())).endswith(b"ok")
            assert lab.denied() == ["bad-answer"]

    run(story())


def test_an_answer_to_the_old_rules_says_nothing_under_the_new(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(ROUTE,), **ASKS) as lab:
            asked, go_on = asyncio.Event(), asyncio.Event()

            async def later(got, _reader, _writer):
                if b"/auth.test" in got and not asked.is_set():
                    asked.set()
                    await go_on.wait()
                    return RIGHT
                return WRONG

            lab.answer = later
            asking = asyncio.ensure_future(lab.ask(lab.head()))
            await asyncio.wait_for(asked.wait(), 3)
            lab.reload(2)
            go_on.set()
            assert refused(await asking) == (503, "rules-changed")
            assert refused(await lab.ask(lab.head())) == (403, "wrong-account")

    run(story())


def test_it_may_be_told_in_a_header_of_a_get(tmp_path):
    async def story():
        told = {"verify": "GET api.example /auth.test", "verified": (Pin("header", "X-Org", ("O1",), required=True),)}
        async with Lab(tmp_path, routes=(ROUTE,), **told) as lab:
            lab.answer = upstream(answer(b"[", "X-Org: O1"))
            assert (await lab.ask(lab.head())).endswith(b"ok")
            assert b"content-length" not in lab.got[0].lower()

    run(story())
