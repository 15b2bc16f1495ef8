"""The way in by a plain base URL at the gateway's own address: judged, keyed and recorded like any other."""

import pytest

from hostkit.gateway.services import Pin, Route
from tests.gateway.inspect.lab import HELD, KEY, OK, OTHERS, Lab, answer, refused, run

ROUTE = Route(("GET", "POST"), "/v1/x", credential="key")


def head(line="GET /llm/v1/x", extra="", host="127.0.0.1", key=HELD):
    return f"{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n{extra}\r\n"


def test_the_first_word_leads_to_the_services_first_host(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(ROUTE,), base="llm") as lab:
            assert (await lab.plain(head())).endswith(b"ok")
            assert lab.got[0].startswith(b"GET /v1/x HTTP/1.1\r\n")
            assert f"host: api.example:{lab.port}\r\n".encode() in lab.got[0].lower()
            assert f"Bearer {KEY}".encode() in lab.got[0]
            intent, outcome = lab.lines()
            assert (intent["kind"], intent["path"], intent["name"], outcome["rule"]) == (
                "base",
                "/v1/x",
                "api.example",
                "done",
            )

    run(story())


@pytest.mark.parametrize(
    ("request_line", "more", "rule"),
    [
        ("GET /llm/admin", {}, "path-not-listed"),
        ("GET /llm", {}, "path-not-listed"),
        ("GET /llm?x=1", {}, "path-not-listed"),
        ("GET /llm//v1/x", {}, "path-unclear"),
        ("GET /llm/../llm/v1/x", {}, "path-unclear"),
        ("DELETE /llm/v1/x", {}, "method-not-listed"),
        ("GET /llm/v1/x", {"key": "own"}, "foreign-credential"),
        ("GET /llm/v1/x", {"key": OTHERS}, "other-client"),
        ("GET /llm/v1/x", {"extra": "Upgrade: websocket\r\n"}, "upgrade"),
        ("GET /other/v1/x", {}, "ip-literal"),
        ("GET /LLM/v1/x", {}, "ip-literal"),
        ("GET /llm/v1/x", {"host": "127.0.0.2"}, "ip-literal"),
        ("GET /llm/v1/x", {"host": "evil.example"}, "not-listed"),
    ],
)
def test_what_is_not_listed_there_is_refused_by_its_rule(tmp_path, request_line, more, rule):
    async def story():
        async with Lab(tmp_path, routes=(ROUTE,), base="llm") as lab:
            assert refused(await lab.plain(head(request_line, **more)))[1] == rule
            assert lab.denied() == [rule]
            assert (lab.got, lab.dialled) == ([], 0)

    run(story())


def test_javas_wish_for_h2c_is_passed_over(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(ROUTE,), base="llm") as lab:
            asks = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
            assert (await lab.plain(head(extra=asks))).endswith(b"ok")
            assert b"h2c" not in lab.got[0]
            assert b"http2-settings" not in lab.got[0].lower()

    run(story())


def test_its_account_is_asked_for_too(tmp_path):
    async def story():
        told = {"verify": "GET api.example /who", "verified": (Pin("body", "team", ("T1",), required=True),)}
        async with Lab(tmp_path, routes=(ROUTE,), base="llm", **told) as lab:
            lab.answer = lambda got, *_: answer(b'{"team":"T2"}') if b"/who" in got else OK
            assert refused(await lab.plain(head())) == (403, "wrong-account")
            assert len(lab.got) == 1

    run(story())
