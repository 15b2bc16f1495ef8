"""Mutated requests through the whole gateway: refused by a typed rule, or what arrives is exactly what was judged."""

import asyncio
import contextlib
import json
import random

import h11
import pytest

from hostkit.gateway.inspect import body as body_module
from hostkit.gateway.inspect import request as request_module
from hostkit.gateway.services import Route
from tests.gateway.inspect.lab import HELD, KEY, Lab, run

PATHS = ("/v1/x", "/v1/chat")
ROUTES = tuple(Route(("GET", "POST"), path, credential="key") for path in PATHS)
BITS = [
    b"\r",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b"\0",
    b":",
    b";",
    b",",
    b"%2e",
    b"/..",
    b"//",
    b"%00",
    b"\\",
    b"#",
    b"?",
    b"\x0b",
    b"\xff",
    b"0",
    b"-",
]
BITS += [
    b"chunked",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length : 5\r\n",
    b" folded\r\n",
    b"Host: evil.example\r\n",
]
BITS += [
    b"GET /admin HTTP/1.1\r\nHost: api.example\r\n\r\n",
    b"0\r\n\r\n",
    b"Connection: host\r\n",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"Upgrade: h2c\r\n",
    HELD.encode(),
]


def bases(port):
    lines = f"Host: api.example:{port}\r\nAuthorization: Bearer {HELD}\r\n"
    length = "Content-Type: text/plain\r\nContent-Length: 13\r\n"
    yield f"GET /v1/x?q=1 HTTP/1.1\r\n{lines}Accept: */*\r\n\r\n".encode()
    yield f"POST /v1/chat HTTP/1.1\r\n{lines}{length}\r\nhello, world!".encode()
    pieces = "5\r\nhello\r\n3\r\nyou\r\n0\r\nX-Sum: 1\r\n\r\n"
    yield f"POST /v1/x HTTP/1.1\r\n{lines}Transfer-Encoding: chunked\r\n\r\n{pieces}".encode()


def mutated(data, drawn):
    """Return the data with up to three things put in, taken out, doubled or swapped."""
    for _ in range(drawn.randint(1, 3)):
        at, size = drawn.randrange(len(data) + 1), drawn.randint(1, 12)
        how = drawn.randrange(5)
        if how <= 1:
            data = data[:at] + drawn.choice(BITS) + data[at:]
        elif how == 2:
            data = data[:at] + data[at + size :]
        elif how == 3:
            lines = data.split(b"\r\n")
            lines.insert(drawn.randrange(len(lines)), drawn.choice(lines))
            data = b"\r\n".join(lines)
        else:
            data = data[:at] + bytes([drawn.randrange(256)]) + data[at + 1 :]
    return data


def judged(got, port):
    """Raise AssertionError unless what arrived is one request to what is listed, with the key in its place only."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(got)
    event = connection.next_event()
    path = event.target.partition(b"?")[0].decode()
    headers = list(event.headers)
    assert (event.method in {b"GET", b"POST"}, path in PATHS) == (True, True)
    assert [value for name, value in headers if name == b"host"] == [f"api.example:{port}".encode()]
    assert [value for name, value in headers if name == b"authorization"] == [f"Bearer {KEY}".encode()]
    assert got.count(KEY.encode()) == 1
    while isinstance(event := connection.next_event(), h11.Data):
        pass
    assert event is h11.NEED_DATA or isinstance(event, h11.EndOfMessage), event  # one that was cut has no end
    assert connection.trailing_data[0] == b""


async def asked(lab, data):
    """Return all that an agent gets back, empty where it was reset."""
    said = b""
    async with lab.agent() as (reader, writer):
        writer.write(data)
        with contextlib.suppress(OSError):
            while more := await asyncio.wait_for(reader.read(65536), 5):
                said += more
                if said.endswith(b"ok"):
                    break
    return said


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_sent_nothing_but_what_was_judged_arrives(tmp_path, monkeypatch, seed):
    monkeypatch.setattr(request_module, "PATIENCE", 0.3)
    monkeypatch.setattr(body_module, "BODY_WAIT", 0.3)
    drawn = random.Random(seed)

    async def story():
        async with Lab(tmp_path, routes=ROUTES) as lab:
            for _ in range(8):
                sent = [mutated(drawn.choice(list(bases(lab.port))), drawn) for _ in range(12)]
                for data, said in zip(sent, await asyncio.gather(*(asked(lab, data) for data in sent)), strict=True):
                    last = said.rpartition(b"HTTP/1.1 ")[2]
                    assert not last or last.startswith(b"200 ") or json.loads(last.partition(b"\r\n\r\n")[2])["rule"], (
                        data
                    )
            for got in lab.got:
                judged(got, lab.port)
            rules = {line["rule"] for line in lab.lines("denied")}
            assert "internal" not in rules
            assert {"bad-request"} < rules
            assert len(lab.lines("intent")) == len(lab.lines("outcome")) >= len(lab.got) > 0

    run(story(), 60)
