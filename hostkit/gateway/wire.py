"""What is read from an agent's connection before and while a request is carried, and what it is told."""

import asyncio
import contextlib
import json

from hostkit.gateway.framing import frame_of_request, writer_like
from hostkit.gateway.hello import LIMIT as HELLO_LIMIT
from hostkit.gateway.hello import BadHello, server_name
from hostkit.gateway.http import LIMIT as HEAD_LIMIT
from hostkit.gateway.http import BadRequest, RequestHead, read_request, write_request
from hostkit.gateway.names import BadName, canonical
from hostkit.gateway.plain import Wanted
from hostkit.gateway.requests import Asked, Denied, Streams

PATIENCE = 10.0
"""Seconds an agent has, in all, to say what it wants."""
SILENCE = 600.0
"""Seconds an upstream may take before it says the next thing of its answer."""
_CHUNK = 64 * 1024
_OWNER = {
    "closed": "tell the owner of this sandbox: its gateway is closed, hostkit ps says why",
    "records-full": "tell the owner of this sandbox: there is no room for records, hostkit ps says what to do",
    "too-many": "close connections that are not needed",
    "too-slow": "say it faster",
    "rules-changed": "send it again",
    "upgrade": "use wss:// through CONNECT",
    "plain-http": "use https://",
}
_PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    408: "Request Timeout",
    413: "Content Too Large",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
_CODES = {
    **dict.fromkeys(("bad-request", "bad-chunk", "path-unclear", "body-unclear", "override"), 400),
    **dict.fromkeys(("dial-failed", "no-address", "upstream-tls", "encoding", "bomb", "answer-pin", "bad-answer"), 502),
    "login": 401,
    "too-slow": 408,
    "too-large": 413,
    "over-budget": 429,
    "rules-changed": 503,
}
_UNCLEAR = "send it so that it can be read in one way only"
_ASK = "ask the owner of this sandbox to list it in the policy"


async def hello(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """Return (the hello's bytes, its canonical name); raise Denied if there is none to be had."""
    data = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while (name := server_name(data)) is None:
                more = await reader.read(HELLO_LIMIT)
                if not more:
                    raise Denied("not-tls", "closed before a ClientHello")
                data += more
        return data, canonical(name)
    except TimeoutError:
        raise Denied("too-slow", f"no ClientHello in {PATIENCE:g} s") from None
    except (BadHello, BadName) as why:
        raise Denied(why.rule, str(why)) from None


async def head(reader: asyncio.StreamReader) -> tuple[bytes, RequestHead]:
    """Return a request's head, as it came and as it is read; raise BadRequest or Denied if there is none."""
    try:
        async with asyncio.timeout(PATIENCE):
            raw = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise Denied("too-slow", f"no head that ends in {PATIENCE:g} s") from None
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        raise BadRequest("bad-request", f"no head that ends within {HEAD_LIMIT} bytes") from None
    return raw, read_request(raw)


async def exchange(asked: Asked, request: Wanted, agent: Streams, upstream: Streams) -> None:
    """Send one request and its body, framed anew, and hand its answer back; what follows it is never read.

    An answer that is complete ends the exchange, whether the body was all there or not. Raise BadMessage for a body
    whose frame is broken, OSError for a side that broke.
    """
    upstream[1].write(write_request(request.method, request.target, request.headers))
    body = asyncio.ensure_future(_body(agent[0], request, upstream[1], asked))
    reply = asyncio.ensure_future(_reply(upstream, agent, asked))
    try:
        done, _ = await asyncio.wait({body, reply}, return_when=asyncio.FIRST_COMPLETED)
        if reply not in done:
            body.result()
        await reply
    finally:
        body.cancel()
        reply.cancel()
        await asyncio.gather(body, reply, return_exceptions=True)


async def _body(reader: asyncio.StreamReader, request: Wanted, writer: asyncio.StreamWriter, asked: Asked) -> None:
    frame = frame_of_request(dict(request.headers))
    out = writer_like(frame)
    while not frame.done:
        data = await reader.read(_CHUNK)
        if not data:
            frame.close()
        piece = frame.feed(data)
        asked.up += len(piece)
        writer.write(out.piece(piece))
        await writer.drain()
    writer.write(out.last())  # trailers stay here
    await writer.drain()


async def _reply(upstream: Streams, agent: Streams, asked: Asked) -> None:
    while data := await asyncio.wait_for(upstream[0].read(_CHUNK), SILENCE):
        asked.down += len(data)
        agent[1].write(data)
        await agent[1].drain()


def refusal(why: Denied, code: int) -> bytes:
    """Return the answer that tells an agent why not; a 401 asks for the password that git holds back at first."""
    ask = _OWNER.get(why.rule, _UNCLEAR if code == 400 else _ASK)
    body = json.dumps({"rule": why.rule, "reason": why.reason, "ask": ask}).encode() + b"\n"
    start = f"HTTP/1.1 {code} {_PHRASES[code]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    asks = 'WWW-Authenticate: Basic realm="hostkit"\r\n' if code == 401 else ""
    return (start + asks).encode() + b"Connection: close\r\n\r\n" + body


async def tell(agent: Streams, why: Denied, code: int) -> None:
    """Tell an agent that speaks HTTP why not, and read on for a moment: a reset would take the words away again."""
    with contextlib.suppress(OSError):
        agent[1].write(refusal(why, code))
        await agent[1].drain()
        agent[1].write_eof()
        async with asyncio.timeout(2):
            while await agent[0].read(_CHUNK):
                pass


def status_code(rule: str) -> int:
    """Return the HTTP status that goes with a typed denial."""
    return _CODES.get(rule, 403)
