"""Whose a key is, asked of its service before the agent's first request: the account of the policy, or nothing."""

import asyncio

import h11

from hostkit.gateway.decide import Decision, decide
from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.credentials import Headers, put
from hostkit.gateway.inspect.fields import parse_json
from hostkit.gateway.inspect.house import House
from hostkit.gateway.inspect.judge import judge_answer
from hostkit.gateway.relay import reset
from hostkit.gateway.requests import Asked, Denied, Streams
from hostkit.gateway.services import LIMIT, Service

_WAIT = 20.0
"""Seconds that the answer may take in all."""


async def verify(house: House, service: Service, asked: Asked, header: str = "") -> None:
    """Ask, on record like any request; raise Denied `answer-pin` for another account, or why it could not be asked."""
    decision = decide(house.rules, asked.name, asked.port)
    if not decision.allow or house.vault is None:
        raise Denied(decision.rule, decision.reason)
    house.book.intent(asked, Decision(True, f"verify:{service.name}", "whose the key is"))
    rule, reason = "cut", "it could not be asked whose the key is"
    try:
        async with asyncio.timeout(_WAIT):
            streams = await house.connect(asked, decision, service)
            head = put(service.credentials[0], house.vault.keys[service.credentials[0].secret], _headers(asked, header))
            response, body = await _ask(streams, head, asked)
        judge_answer(service.verified, tuple(response.headers), _plain(body))
        rule, reason = "done", ""
    except TimeoutError:
        raise Denied("bad-answer", reason) from None
    except Denied as why:
        rule, reason = why.rule, why.reason
        raise
    finally:
        house.book.outcome(asked, rule, reason)


def _plain(body: bytes) -> object:
    try:
        return parse_json(body)
    except BadRequest as why:
        raise Denied("answer-pin", f"the answer cannot be judged: {why}") from None


def _headers(asked: Asked, line: str) -> Headers:
    name, _, value = line.partition(": ")
    more = ((name.lower().encode(), value.encode()),) if name else ()
    return ((b"host", asked.name.encode()), (b"content-length", b"0"), (b"accept-encoding", b"identity"), *more)


async def _ask(streams: Streams, head: Headers, asked: Asked) -> tuple[h11.Response, bytes]:
    connection, (reader, writer) = h11.Connection(h11.CLIENT), streams
    try:
        request = h11.Request(method=asked.method, target=asked.path, headers=list(head))
        writer.write((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        return await _read(reader, connection, asked)
    except h11.RemoteProtocolError as why:
        raise Denied("bad-answer", str(why)) from None
    finally:
        reset(writer)


async def _read(reader: asyncio.StreamReader, connection: h11.Connection, asked: Asked) -> tuple[h11.Response, bytes]:
    response, body = None, bytearray()
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(LIMIT))
        elif isinstance(event, h11.Response):
            response, asked.status = event, event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        if isinstance(event, h11.ConnectionClosed) or len(body) > LIMIT:
            raise Denied("bad-answer", "no answer, or one of over 1 MiB")
    if response is None:
        raise Denied("bad-answer", "no answer")
    return response, bytes(body)
