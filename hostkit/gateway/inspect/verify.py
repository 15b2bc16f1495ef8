"""Whose a key is, asked of its service before the agent's first request: the account of the policy, or nothing."""

import asyncio
from functools import partial

from hostkit.gateway.decide import Decision, decide
from hostkit.gateway.http import AnswerHead, BadRequest, Headers, write_request
from hostkit.gateway.inspect.credentials import put
from hostkit.gateway.inspect.fields import found, parse_json
from hostkit.gateway.inspect.house import House
from hostkit.gateway.inspect.incoming import Incoming
from hostkit.gateway.inspect.judge import header_values, judge_answer_body, judge_answer_head
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
            answer, body = await _ask(streams, head, asked)
        _judge(service, answer, body)
        rule, reason = "done", ""
    except OSError as why:
        raise Denied("bad-answer", f"{reason}: {str(why) or 'too slow'}") from None
    except Denied as why:
        rule, reason = why.rule, why.reason
        raise
    finally:
        house.book.outcome(asked, rule, reason)


def _judge(service: Service, answer: AnswerHead, body: bytes) -> None:
    """Raise Denied `answer-pin` for another account, `bad-answer` where nothing is told: then it is asked again."""
    if not 200 <= answer.status < 300:
        raise Denied("bad-answer", f"asked whose the key is, {service.name} answered {answer.status}")
    plain = _plain(body) if any(pin.place == "body" for pin in service.verified) else {}
    for pin in service.verified:
        if not (found(plain, pin.field) if pin.place == "body" else header_values(answer.headers, pin)):
            raise Denied("bad-answer", f"{service.name} does not tell {pin.field}, so not whose the key is")
    judge_answer_head(service.verified, answer.headers)
    judge_answer_body(service.verified, plain)


def _plain(body: bytes) -> object:
    try:
        return parse_json(body)
    except BadRequest as why:
        raise Denied("bad-answer", f"the answer cannot be judged: {why}") from None


def _headers(asked: Asked, line: str) -> Headers:
    name, _, value = line.partition(": ")
    more = ((name.lower().encode(), value.encode()),) if name else ()
    host = asked.name if asked.port == 443 else f"{asked.name}:{asked.port}"
    length = () if asked.method == "GET" else ((b"content-length", b"0"),)
    return ((b"host", host.encode()), *length, (b"accept-encoding", b"identity"), *more)


async def _ask(streams: Streams, head: Headers, asked: Asked) -> tuple[AnswerHead, bytes]:
    reader, writer = streams
    try:
        writer.write(write_request(asked.method, asked.path, head))
        await writer.drain()
        incoming, body = Incoming(asked.method, partial(reader.read, LIMIT)), bytearray()
        answer = await incoming.head()
        asked.status = answer.status
        while piece := await incoming.piece():
            body += piece
            if len(body) > LIMIT:
                raise Denied("bad-answer", f"an answer of over {LIMIT} bytes")
        return answer, bytes(body)
    finally:
        reset(writer)
