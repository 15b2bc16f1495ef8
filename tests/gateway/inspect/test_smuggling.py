"""Drill P09 and its cousins through the whole gateway: refused by its rule, and nothing of it reaches the upstream."""

import asyncio
import dataclasses

import pytest

from hostkit.gateway.inspect import request as request_module
from hostkit.gateway.services import Pin, Route
from tests.gateway.inspect.lab import ANY, HELD, OK, OTHERS, Lab, refused, run, whole

HOST = "Host: api.example:PORT\r\n"
BEARER = f"Authorization: Bearer {HELD}\r\n"
GET = "GET /v1/x HTTP/1.1\r\n"
POST = f"POST /v1/x HTTP/1.1\r\n{HOST}{BEARER}"
CHUNKED = "Transfer-Encoding: chunked\r\n"
FORMS = {
    "content-length twice": ("bad-request", f"{POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhello"),
    "content-length twice the same": ("bad-request", f"{POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhello"),
    "content-length list": ("bad-request", f"{POST}Content-Length: 2, 2\r\n\r\nhello"),
    "content-length sign": ("bad-request", f"{POST}Content-Length: +2\r\n\r\nhi"),
    "content-length hex": ("bad-request", f"{POST}Content-Length: 0x2\r\n\r\nhi"),
    "content-length huge": ("bad-request", f"{POST}Content-Length: {'9' * 30}\r\n\r\nhi"),
    "both lengths": ("bad-request", f"{POST}Content-Length: 4\r\n{CHUNKED}\r\n0\r\n\r\nGET /admin"),
    "te twice": ("bad-request", f"{POST}{CHUNKED}{CHUNKED}\r\n0\r\n\r\n"),
    "te list": ("bad-request", f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "te identity": ("bad-request", f"{POST}Transfer-Encoding: identity\r\n\r\n"),
    "te xchunked": ("bad-request", f"{POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "te vertical tab": ("bad-request", f"{POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "te space before colon": ("bad-request", f"{POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    "te folded": ("bad-request", f"{POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    "te in 1.0": ("bad-request", f"{POST.replace('1.1', '1.0')}{CHUNKED}\r\n0\r\n\r\n"),
    "te 0.9": ("bad-request", "GET /v1/x\r\n\r\n"),
    "obs-fold": ("bad-request", f"{GET}{HOST}X: a\r\n b\r\n{BEARER}\r\n"),
    "space before colon": ("bad-request", f"{GET}Host : api.example:PORT\r\n{BEARER}\r\n"),
    "space before name": ("bad-request", f"{GET} Host: api.example:PORT\r\n{BEARER}\r\n"),
    "bare lf": ("bad-request", f"{GET}{HOST}X: a\nY: b\r\n{BEARER}\r\n"),
    "bare cr": ("bad-request", f"{GET}{HOST}X: a\rY: b\r\n{BEARER}\r\n"),
    "nul": ("bad-request", f"{GET}{HOST}X: a\0b\r\n{BEARER}\r\n"),
    "host twice": ("bad-request", f"{GET}{HOST}Host: evil.example\r\n{BEARER}\r\n"),
    "no host": ("bad-request", f"{GET}{BEARER}\r\n"),
    "no host in 1.0": ("bad-name", f"GET /v1/x HTTP/1.0\r\n{BEARER}\r\n"),
    "another host": ("host-mismatch", f"{GET}Host: evil.example\r\n{BEARER}\r\n"),
    "another port": ("host-mismatch", f"{GET}Host: api.example:1\r\n{BEARER}\r\n"),
    "host address": ("ip-literal", f"{GET}Host: 127.0.0.1:PORT\r\n{BEARER}\r\n"),
    "absolute form": ("bad-request", f"GET http://api.example/v1/x HTTP/1.1\r\n{HOST}{BEARER}\r\n"),
    "authority form": ("bad-request", f"CONNECT evil.example:443 HTTP/1.1\r\n{HOST}{BEARER}\r\n"),
    "asterisk": ("bad-request", f"OPTIONS * HTTP/1.1\r\n{HOST}{BEARER}\r\n"),
    "trace": ("bad-request", f"TRACE /v1/x HTTP/1.1\r\n{HOST}{BEARER}\r\n"),
    "http/2 preface": ("bad-request", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "http/1.2": ("bad-request", f"GET /v1/x HTTP/1.2\r\n{HOST}{BEARER}\r\n"),
    "two spaces": ("bad-request", f"GET  /v1/x HTTP/1.1\r\n{HOST}{BEARER}\r\n"),
    "tab in line": ("bad-request", f"GET\t/v1/x HTTP/1.1\r\n{HOST}{BEARER}\r\n"),
    "method with colon": ("bad-request", f"G:T /v1/x HTTP/1.1\r\n{HOST}{BEARER}\r\n"),
    "h2c": (
        "upgrade",
        f"{GET}{HOST}{BEARER}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n",
    ),
    "two upgrades": ("upgrade", f"{GET}{HOST}{BEARER}Upgrade: websocket, h2c\r\n\r\n"),
    "websocket on no socket": ("upgrade", f"{GET}{HOST}{BEARER}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    "websocket with body": ("upgrade", f"{POST}Upgrade: websocket\r\nContent-Length: 2\r\n\r\nhi"),
    "connection strips": ("bad-request", f"{POST}Connection: close, X-Org\r\nContent-Length: 2\r\n\r\nhi"),
    "connection strips length": ("bad-request", f"{POST}Connection: Content-Length\r\nContent-Length: 2\r\n\r\nhi"),
    "content-type twice": (
        "bad-request",
        f"{POST}Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2\r\n\r\nhi",
    ),
    "override": ("override", f"{POST}X-HTTP-Method-Override: DELETE\r\nContent-Length: 2\r\n\r\nhi"),
    "header bomb": ("bad-request", f"{GET}{HOST}" + "X: y\r\n" * 9000),
    "long line": ("bad-request", f"GET /{'x' * 40000} HTTP/1.1\r\n{HOST}\r\n"),
    "chunk extension": ("bad-chunk", f"{POST}{CHUNKED}\r\n2;x=y\r\nhi\r\n0\r\n\r\n"),
    "chunk bare lf": ("bad-chunk", f"{POST}{CHUNKED}\r\n2\nhi\r\n0\r\n\r\n"),
    "chunk sign": ("bad-chunk", f"{POST}{CHUNKED}\r\n+2\r\nhi\r\n0\r\n\r\n"),
    "chunk overlong": ("bad-chunk", f"{POST}{CHUNKED}\r\n000000000002\r\nhi\r\n0\r\n\r\n"),
    "dot segment": ("path-unclear", f"GET /v1/../x HTTP/1.1\r\n{HOST}{BEARER}\r\n"),
}
WHOLE = dataclasses.replace(ANY, pins=(Pin("body", "x"),))


@pytest.mark.parametrize("route", [ANY, WHOLE], ids=["streamed", "judged"])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_could_be_read_in_two_ways_reaches_nobody(tmp_path, form, route):
    rule, text = FORMS[form]

    async def story():
        async with Lab(tmp_path, routes=(route,)) as lab:
            said = await lab.ask(text.replace("PORT", str(lab.port)).encode("latin-1"))
            assert refused(said)[1] == rule
            assert lab.denied() == [rule]
            assert (lab.got, lab.dialled, lab.lines("intent")) == ([], 0, [])

    run(story())


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        ("GET /admin HTTP/1.1\r\nHost: api.example:PORT\r\n" + BEARER, "path-not-listed"),
        ("GET /v1/x HTTP/1.1\r\nHost: evil.example\r\n" + BEARER, "host-mismatch"),
        ("GET /v1/x HTTP/1.1\r\nHost: api.example:PORT\r\n", "credential-missing"),
        (f"GET /v1/x HTTP/1.1\r\nHost: api.example:PORT\r\nX: {OTHERS}\r\n", "other-client"),
    ],
)
def test_a_pipelined_request_is_judged_on_its_own(tmp_path, second, rule):
    async def story():
        async with (
            Lab(tmp_path, routes=(Route(("GET", "POST"), "/v1/x", credential="key"),)) as lab,
            lab.agent() as (reader, writer),
        ):
            writer.write(lab.post("hello") + second.replace("PORT", str(lab.port)).encode() + b"\r\n")
            assert (await whole(reader)).lower() == OK.lower()
            assert refused(await whole(reader))[1] == rule
            assert await reader.read() == b""
            assert len(lab.got) == 1
            assert lab.got[0].endswith(b"\r\n\r\nhello")
            assert lab.denied() == [rule]

    run(story())


def test_a_request_hidden_in_a_body_stays_a_body(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            hidden = b"GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"
            await lab.ask(lab.post(hidden, kind="text/plain"))
            chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(hidden), hidden)
            await lab.ask(lab.head("POST /v1/x", "Transfer-Encoding: chunked\r\n").encode() + chunk)
            assert [one.split(b"\r\n")[0] for one in lab.got] == [b"POST /v1/x HTTP/1.1"] * 2
            assert lab.got[0].endswith(hidden)
            assert lab.got[1].endswith(chunk)

    run(story())


@pytest.mark.parametrize("trailer", ["X-Api-Key: own", "Authorization: x", "Host: evil.example", "X-Org: O2", "X_Y: z"])
def test_a_trailer_that_belongs_in_the_head_is_refused(tmp_path, trailer):
    async def story():
        pinned = dataclasses.replace(ANY, pins=(Pin("header", "x-org", ("O1",)), Pin("body", "x")))
        async with Lab(tmp_path, routes=(pinned,)) as lab:
            text = (
                lab.head("POST /v1/x", f"{CHUNKED}Content-Type: application/json\r\n")
                + f"2\r\n{{}}\r\n0\r\n{trailer}\r\n\r\n"
            )
            assert refused(await lab.ask(text)) == (400, "bad-chunk")
            assert (lab.denied(), lab.got) == (["bad-chunk"], [])

    run(story())


def test_an_honest_trailer_goes_on(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            await lab.ask(lab.head("POST /v1/x", CHUNKED) + "2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n")
            assert lab.got[0].endswith(b"2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n")

    run(story())


def test_a_slow_head_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(request_module, "PATIENCE", 0.2)

    async def story():
        async with Lab(tmp_path) as lab:
            assert refused(await lab.ask("GET /v1/x HTTP/1.1\r\nHost: api.")) == (408, "too-slow")
            assert (lab.denied(), lab.got) == (["too-slow"], [])

    run(story())


def test_http_2_is_never_agreed_on(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (_, writer):
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"

    run(story())


TALES = (
    *(
        "X-Forwarded-For: 1",
        "X-Forwarded-Host: e",
        "Forwarded: for=x",
        "Via: x",
        "X_Other: own",
        "Cookie: a=b",
        "x-drop: 1",
    ),
    *(
        "Range: bytes=0-1",
        "x-org: O2",
        "TE: trailers",
        "Proxy-Authorization: Basic x",
        "Expect: 100-continue",
        "X-Stays: 1",
    ),
    "Accept-Encoding: br",
)


def test_headers_that_would_tell_the_upstream_another_story_stay_here(tmp_path):
    async def story():
        async with Lab(tmp_path, sets=("X-Org: O1",), drops=("X-Drop",)) as lab:
            lines = "".join(f"{line}\r\n" for line in TALES)
            await lab.ask(lab.head(extra=lines))
            names = [line.partition(b":")[0] for line in lab.got[0].split(b"\r\n")[1:] if line]
            assert sorted(names) == [b"accept-encoding", b"authorization", b"host", b"x-org", b"x-stays"]
            assert b"x-org: O1\r\n" in lab.got[0].lower().replace(b"o1", b"O1")
            assert b"accept-encoding: identity\r\n" in lab.got[0].lower()

    run(story())


def test_a_refusal_is_read_to_its_end_by_an_agent_that_still_sends(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=()) as lab, lab.agent() as (reader, writer):
            writer.write(lab.head("PUT /v1/x", "Content-Length: 4000000\r\n").encode())
            sending = asyncio.ensure_future(_pour(writer))
            assert refused(await whole(reader)) == (403, "path-not-listed")
            sending.cancel()

    run(story())


async def _pour(writer):
    for _ in range(60):
        writer.write(b"x" * 65536)
        await writer.drain()
