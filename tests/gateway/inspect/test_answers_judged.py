"""Answers that are judged: another account's is not shown, and an address that is issued is good for itself only."""

import gzip
import json

import pytest

from hostkit.gateway.services import Pin, Route
from tests.gateway.inspect.lab import OK, Lab, answer, refused, run

TEAM = (Pin("body", "team", ("T1",), required=True), Pin("header", "x-org", ("O1",), required=True))
CHECKED = Route(("GET",), "/v1/x", credential="key", expects=TEAM, issues=("upload=urls[].url",))


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (answer(b'{"team":"T2"}', "X-Org: O1"), "answer-pin"),
        (answer(b'{"team":"T1"}', "X-Org: O2"), "answer-pin"),
        (answer(b'{"team":"T1"}'), "answer-pin"),
        (answer(b"{}", "X-Org: O1"), "answer-pin"),
        (answer(b"null", "X-Org: O1"), "answer-pin"),
        (answer(b'{"team":"T1","team":"T1"}', "X-Org: O1"), "answer-pin"),
        (answer(b"", "X-Org: O1", status="204 No Content").replace(b"Content-Length: 0\r\n", b""), "answer-pin"),
        (answer(b'{"team":"T1","x":"' + b"y" * 1_100_000 + b'"}', "X-Org: O1"), "answer-pin"),
        (answer(gzip.compress(b'{"team":"T2"}'), "X-Org: O1", "Content-Encoding: gzip"), "answer-pin"),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("keyed", [True, False])
def test_another_accounts_answer_is_not_shown(tmp_path, said, rule, keyed):
    route = Route(("GET",), "/v1/x", credential="key" if keyed else "", expects=TEAM)
    fields = {} if keyed else {"credentials": ()}
    request = None if keyed else b"GET /v1/x HTTP/1.1\r\nHost: api.example:PORT\r\n\r\n"

    async def story():
        async with Lab(tmp_path, routes=(route,), **fields) as lab:
            lab.answer = said
            got = await lab.ask(request.replace(b"PORT", str(lab.port).encode()) if request else lab.head())
            assert refused(got) == (502, rule)
            assert b"T2" not in got
            assert lab.outcomes() == [rule]

    run(story())


def test_an_error_is_shown_whatever_account_it_is_of(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(CHECKED,)) as lab:
            lab.answer = answer(b"{}", status="403 Forbidden")
            assert (await lab.ask(lab.head())).startswith(b"HTTP/1.1 403 ")

    run(story())


def test_a_ticket_is_issued_by_an_answer_and_good_for_that_address_only(tmp_path):
    async def story():
        upload = Route(("PUT",), "/up/**", ticket="upload")
        async with Lab(tmp_path, routes=(CHECKED, upload)) as lab:
            put = lab.head("PUT /up/a?t=1", "Content-Length: 2\r\n", key=None) + "hi"
            assert refused(await lab.ask(put)) == (403, "no-ticket")
            issued = json.dumps({"team": "T1", "urls": [{"url": "https://api.example/up/a?t=1"}, {"url": 3}]})
            lab.answer = answer(issued.encode(), "X-Org: O1")
            assert (await lab.ask(lab.head())).endswith(issued.encode())
            lab.answer = OK
            assert (await lab.ask(put)).endswith(b"ok")
            assert refused(await lab.ask(put.replace("t=1", "t=2"))) == (403, "no-ticket")
            assert b"authorization" not in lab.got[-1].lower()

    run(story())
