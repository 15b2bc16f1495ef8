"""An agent that wants out, or wants the gateway down, at the level of bytes on a connection."""

import asyncio
import json

import pytest

from hostkit.gateway import wire
from tests.gateway.test_hello import hello
from tests.gateway.test_server import run


def told(answer):
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


def absolute(house, method="GET", more="", body=""):
    host = f"listed.example:{house.port}"
    return f"{method} http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{more}\r\n{body}".encode()


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ("Content-Length: 5\r\n", "12345GET /smuggled HTTP/1.1\r\nHost: listed.example\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\n12345\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\n12345\r\n0\r\nX-Smuggled: smuggled\r\n\r\n"),
    ],
)
def test_one_request_leaves_framed_anew_and_nothing_behind_its_body(tmp_path, more, body):
    async def scene(house):
        assert b"hello" in await house.say(house.proxy, absolute(house, "GET", more, body))
        assert b"12345" in b"".join(house.got)
        assert b"smuggled" not in b"".join(house.got).lower()

    run(scene, tmp_path)


@pytest.mark.parametrize(
    "head",
    [
        "GET /\r\n\r\n",
        "GET / HTTP/0.9\r\nHost: listed.example\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: listed.example\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : listed.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: listed.example\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: listed.example\r\nTransfer-Encoding: chunked\r\n\tx\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: listed.example\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: listed.example\r\nContent-Length: 5, 5\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: listed.example\r\nContent-Length: +5\r\n\r\n",
        "TRACE / HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "connect listed.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT listed.example:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
        "CONNECT listed.example:443 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "CONNECT http://listed.example:443/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET https://listed.example/ HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "GET http:/listed.example/ HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "GET http://u:p@listed.example/ HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "GET http://listed.example#@evil.example/ HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "GET http://listed.example\\@evil.example/ HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "GET http:///path HTTP/1.1\r\nHost: listed.example\r\n\r\n",
        "\x16\x03\x01\x00\x05\r\n\r\n",
        "A" * 40_000 + "\r\n\r\n",
    ],
)
@pytest.mark.parametrize("door", ["proxy", "http"])
def test_a_head_that_is_not_clear_is_told_recorded_and_goes_nowhere(tmp_path, head, door):
    async def scene(house):
        answer = await house.say(getattr(house, door), head.encode("latin-1"))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert told(answer)["rule"] in {"bad-request", "bad-name", "ip-literal"}
        assert house.last()["rule"] == told(answer)["rule"]
        assert (house.asked, house.got) == ([], [])

    run(scene, tmp_path)


def test_a_websocket_over_plain_http_is_refused_with_what_to_do(tmp_path):
    async def scene(house):
        answer = await house.say(house.proxy, absolute(house, more="Connection: Upgrade\r\nUpgrade: WebSocket\r\n"))
        assert (told(answer)["rule"], told(answer)["ask"]) == ("upgrade", "use wss:// through CONNECT")
        assert house.got == []

    run(scene, tmp_path)


def test_a_wish_for_another_protocol_does_not_go_along(tmp_path):
    async def scene(house):
        await house.say(house.proxy, absolute(house, more="Connection: Upgrade\r\nUpgrade: h2c\r\n"))
        assert b"upgrade" not in house.got[0].lower()

    run(scene, tmp_path)


def test_a_body_that_waits_for_a_word_gets_it(tmp_path):
    async def scene(house):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.proxy)
        writer.write(absolute(house, "POST", "Content-Length: 4\r\nExpect: 100-continue\r\n"))
        assert b"hello" in await asyncio.wait_for(reader.readuntil(b"hello"), 5)
        assert b"expect: 100-continue" in house.got[0].lower()
        writer.write(b"body")
        writer.close()

    run(scene, tmp_path)


def test_an_answer_that_comes_before_the_body_is_handed_back_and_ends_it(tmp_path):
    async def scene(house):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.proxy)
        writer.write(absolute(house, "GET", "Content-Length: 1000000\r\n", "start"))
        assert (await asyncio.wait_for(reader.read(), 5)).endswith(b"hello")
        writer.close()
        await asyncio.sleep(0.05)
        assert house.last()["rule"] == "done"

    run(scene, tmp_path)


def test_a_body_that_breaks_its_own_frame_cuts_the_request(tmp_path):
    async def scene(house):
        bad = absolute(house, "POST", "Transfer-Encoding: chunked\r\n", "5\r\n12345\r\nzz\r\n")
        await house.say(house.proxy, bad)
        assert (house.last()["event"], house.last()["rule"]) == ("outcome", "cut")
        assert "a chunk's size" in house.last()["reason"]

    run(scene, tmp_path)


def test_a_denial_reaches_an_agent_that_is_still_sending(tmp_path):
    async def scene(house):
        head = "POST http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3000000\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", house.proxy)
        writer.write(head.encode() + b"x" * 1_000_000)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert told(answer)["rule"] == "not-listed"
        writer.close()

    run(scene, tmp_path)


@pytest.mark.parametrize(
    ("door", "first", "kind"),
    [
        ("proxy", b"GET / HT", "connect"),
        ("proxy", b"CONNECT listed.example:%d HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03", "connect"),
        ("http", b"GET", "http"),
        ("tls", b"\x16\x03\x01", "tls"),
    ],
)
def test_whoever_says_it_too_slowly_is_denied_however_regularly_he_speaks(tmp_path, monkeypatch, door, first, kind):
    monkeypatch.setattr(wire, "PATIENCE", 0.5)

    async def scene(house):
        _, writer = await asyncio.open_connection("127.0.0.1", getattr(house, door))
        writer.write(first % house.port if b"%" in first else first)
        for _ in range(8):
            await asyncio.sleep(0.1)
            if house.gateway._live:
                writer.write(b"\x01" if b"\x16" in first else b"x")
        await asyncio.sleep(0.1)
        assert (house.last()["kind"], house.last()["rule"]) == (kind, "too-slow")
        assert house.got == []
        writer.transport.abort()

    run(scene, tmp_path)


def test_early_data_behind_connect_is_the_hello(tmp_path):
    async def scene(house):
        connect = f"CONNECT listed.example:{house.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", house.proxy)
        sent = hello("listed.example")
        writer.write(connect + sent)
        assert await asyncio.wait_for(reader.readuntil(b"hello"), 5)
        assert house.got == [sent]
        writer.close()

    run(scene, tmp_path)


def test_a_dead_upstream_behind_an_open_tunnel_is_on_record(tmp_path):
    async def scene(house):
        house.origin.close()
        await house.origin.wait_closed()
        connect = f"CONNECT listed.example:{house.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        assert await house.say(house.proxy, connect, hello("listed.example")) == b""
        assert (house.last()["event"], house.last()["rule"]) == ("denied", "dial-failed")
        answer = await house.say(house.proxy, absolute(house))
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert told(answer)["rule"] == "dial-failed"

    run(scene, tmp_path)
