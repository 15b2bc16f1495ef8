"""Answers on their way back: framed anew, judged, opened, and no key in them however the server spells it."""

import base64
import gzip
import json
import zlib
from urllib.parse import quote

import pytest

from tests.gateway.inspect.lab import ANY, HELD, KEY, Lab, answer, refused, run, whole

STARS = b"*" * len(KEY)


def chunks(*pieces, lines="", trailers=""):
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return (
        f"HTTP/1.1 200 OK\r\n{lines}Transfer-Encoding: chunked\r\n\r\n".encode()
        + body
        + f"0\r\n{trailers}\r\n".encode()
    )


def asked(tmp_path, said, request=None, **fields):
    """Return what the agent gets of an answer, and the lab."""

    async def story():
        async with Lab(tmp_path, **fields) as lab:
            lab.answer = said
            got = await lab.ask(request or lab.head())
            return got, lab

    return run(story())


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (answer(b"hello"), b"hello"),
        (answer(b""), b""),
        (chunks(b"he", b"llo"), b"hello"),
        (chunks(b"hello", trailers="X-Sum: 1\r\n"), b"hellox-sum: 1\r\n"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + answer(b"hello"), b"hello"),
        (answer(b"", status="404 Not Found"), b""),
    ],
)
def test_an_answer_comes_whole_in_each_framing(tmp_path, said, body):
    got, lab = asked(tmp_path, said)
    assert got.partition(b"\r\n\r\n")[2] == body
    assert lab.outcomes() == ["done"]


def test_a_key_in_the_status_line_is_taken_out_too(tmp_path):
    got, lab = asked(tmp_path, answer(b"hello", status=f"401 {KEY} is no good"))
    assert got.startswith(b"HTTP/1.1 401 " + STARS + b" is no good\r\n")
    assert lab.outcomes() == ["done"]


def test_one_that_ends_with_its_connection_is_framed_anew(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:

            async def close(_got, _reader, writer):
                writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
                await writer.drain()

            lab.answer = close
            async with lab.agent() as (reader, writer):
                for _ in range(2):
                    writer.write(lab.head().encode())
                    said = await whole(reader)
                    assert (b"transfer-encoding: chunked" in said.lower(), said.partition(b"\r\n\r\n")[2]) == (
                        True,
                        b"hello",
                    )
            assert lab.dialled == 2

    run(story())


@pytest.mark.parametrize(
    ("status", "line"), [("204 No Content", "GET /v1/x"), ("304 Not Modified", "GET /v1/x"), ("200 OK", "HEAD /v1/x")]
)
def test_one_without_a_body_leaves_the_connection_usable(tmp_path, status, line):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            length = "" if status[:3] == "204" else "Content-Length: 5\r\nContent-Encoding: gzip\r\n"
            lab.answer = f"HTTP/1.1 {status}\r\n{length}\r\n".encode()
            for _ in range(2):
                writer.write(lab.head(line).encode())
                assert (await whole(reader, head=True)).startswith(f"HTTP/1.1 {status[:3]}".encode())
            assert (lab.dialled, lab.outcomes()) == (1, ["done", "done"])

    run(story())


def test_an_agent_of_http_1_0_gets_a_plain_end_and_no_trailers(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab, lab.agent() as (reader, writer):
            lab.answer = chunks(b"hello", trailers="X-Sum: 1\r\n")
            writer.write(lab.head().replace("HTTP/1.1", "HTTP/1.0").encode())
            assert (await reader.read()).endswith(b"\r\n\r\nhello")
            assert lab.outcomes() == ["done"]

    run(story())


ECHOES = {
    "plain": KEY.encode(),
    "percent": quote(KEY, safe="").encode(),
    "json": json.dumps({"a": KEY}).encode(),
    "escaped slash": KEY.replace("/", "\\/").encode(),
    "base64": base64.b64encode(f"xy:{KEY}:z".encode()),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_a_key_that_the_server_echoes_is_scrubbed_and_the_length_stays(tmp_path, echo):
    body = b"<" + ECHOES[echo] + b">"
    for at, said in enumerate(
        (answer(body, f"X-Echo: {ECHOES[echo].decode()}"), chunks(body[:7], body[7:20], body[20:]))
    ):
        (tmp_path / str(at)).mkdir()
        got, _ = asked(tmp_path / str(at), said)
        assert ECHOES[echo].strip(b'"') not in got
        assert KEY[8:20].encode() not in got
        assert b"*******" in got
        assert len(got.partition(b"\r\n\r\n")[2]) == len(body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
def test_a_compressed_answer_is_opened_and_scrubbed(tmp_path, coding):
    raw = zlib.compressobj(wbits=-15)
    text = b"the key is " + KEY.encode() + b"!" * 3000
    body = {"gzip": gzip.compress(text), "deflate": zlib.compress(text), "raw": raw.compress(text) + raw.flush()}[
        coding
    ]
    got, _ = asked(tmp_path, answer(body, f"Content-Encoding: {coding.replace('raw', 'deflate')}"))
    assert b"content-encoding" not in got.lower()
    assert got.endswith(b"\r\n\r\nthe key is " + STARS + b"!" * 3000)


@pytest.mark.parametrize("trailer", ["X-Key: " + KEY, "Set-Cookie: a=b", "Alt-Svc: h3"])
def test_trailers_of_an_answer_are_scrubbed_and_none_belongs_in_the_head(tmp_path, trailer):
    got, _ = asked(tmp_path, chunks(b"x", trailers=f"X-Sum: 1\r\n{trailer}\r\n"))
    assert KEY.encode() not in got
    assert b"x-sum: 1" in got
    assert not {b"set-cookie", b"alt-svc"} & {line.partition(b":")[0] for line in got.lower().split(b"\r\n")}


def test_what_leads_round_the_gateway_is_taken_out_and_the_rest_stays(tmp_path):
    lines = (
        "Set-Cookie: a=b",
        "Alt-Svc: h3=':443'",
        "Strict-Transport-Security: max-age=1",
        "ETag: 1",
        "Connection: X-Hop",
        "X-Hop: 1",
    )
    got, _ = asked(tmp_path, answer(b"x", *lines))
    names = {line.partition(b":")[0].lower() for line in got.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]}
    assert names == {b"etag", b"content-length"}


def test_a_redirect_is_passed_on_and_not_followed(tmp_path):
    got, lab = asked(tmp_path, answer(b"", f"Location: https://evil.example/?k={KEY}", status="302 Found"))
    assert b"location: https://evil.example/?k=" + STARS in got.replace(b"Location", b"location")
    assert (len(lab.got), lab.dialled) == (1, 1)


BAD = {
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk", "bad-answer"),
    "length beside chunked": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + chunks(b"ok").partition(b"\r\n")[2],
        "bad-answer",
    ),
    "no http": (b"SSH-2.0-x\r\n\r\n", "bad-answer"),
    "strange te": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "bad-answer"),
    "a switch": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "bad-answer",
    ),
    "brotli": (answer(b"xx", "Content-Encoding: br"), "encoding"),
    "broken gzip": (answer(b"xx", "Content-Encoding: gzip"), "encoding"),
    "cut gzip": (answer(gzip.compress(b"x" * 99)[:-4], "Content-Encoding: gzip"), "encoding"),
}


@pytest.mark.parametrize("form", BAD)
def test_a_bad_answer_is_told_as_one_by_its_rule(tmp_path, form):
    said, rule = BAD[form]
    got, lab = asked(tmp_path, said)
    assert refused(got) == (502, rule)
    assert (lab.outcomes(), lab.denied(), len(lab.lines())) == ([rule], [], 2)


def test_a_bomb_is_told_as_one(tmp_path):
    got, lab = asked(tmp_path, answer(gzip.compress(bytes(60_000_000)), "Content-Encoding: gzip"))
    assert (refused(got), lab.outcomes()) == ((502, "bomb"), ["bomb"])


def test_tokens_are_counted_and_on_record(tmp_path):
    body = json.dumps({"model": "m", "usage": {"in": 5, "out": 7}}).encode()
    got, lab = asked(
        tmp_path, answer(body, "Content-Type: application/json"), usage=("input=usage.in", "output=usage.out")
    )
    assert got.endswith(body)
    assert lab.lines("outcome")[0]["tokens"] == 12


def test_the_placeholder_in_any_declared_place_becomes_the_key_in_the_first(tmp_path):
    async def story():
        async with Lab(tmp_path, routes=(ANY,)) as lab:
            for extra in (
                f"X-Api-Key: {HELD}\r\n",
                f"authorization: bearer {HELD}\r\n",
                f"X-API-KEY: {HELD}\r\nAuthorization: Bearer {HELD}\r\n",
            ):
                await lab.ask(lab.head(extra=extra, key=None))
            for head in lab.got:
                assert head.lower().count(b"key: ") == 0
                assert head.count(f"Bearer {KEY}".encode()) == head.lower().count(b"authorization") == 1

    run(story())
