"""Anthropic's and OpenAI's look-alikes: one answer that repeats what was said, whole or as a stream of events."""

import functools
import json

from tests.lookalikes.names import (
    ANTHROPIC_KEY,
    OPENAI_KEY,
    ORGANISATIONS,
    OTHER_ANTHROPIC_KEY,
    OTHER_OPENAI_KEY,
)

USAGE = {"input_tokens": 11, "output_tokens": 7}


def anthropic(delay):
    """Return api.anthropic.com."""
    return functools.partial(_anthropic, delay)


def openai(delay):
    """Return api.openai.com."""
    return functools.partial(_openai, delay)


def said(fields):
    """Return the words of the answer: what the user said last, repeated."""
    told = fields.get("messages") or fields.get("input") or ""
    last = told if isinstance(told, str) else told[-1].get("content", "")
    if not isinstance(last, str):
        last = " ".join(part.get("text", "") for part in last)
    return ["You said: ", *(word + " " for word in last.split())]


def key_of(exchange):
    return exchange.header("x-api-key") or exchange.header("authorization").removeprefix("Bearer ")


async def _anthropic(delay, exchange):
    key = key_of(exchange)
    if key not in (ANTHROPIC_KEY, OTHER_ANTHROPIC_KEY):
        return await exchange.answer(401, _wrong("authentication_error", "invalid x-api-key"))
    headers = [("anthropic-organization-id", ORGANISATIONS[key]), ("request-id", "req_lookalike")]
    asked = (exchange.method, exchange.path)
    if asked == ("POST", "/v1/messages"):
        return await _message(exchange, delay, headers)
    if asked == ("GET", "/v1/models"):
        models = [{"type": "model", "id": "claude-look", "display_name": "Look"}]
        return await exchange.answer(200, {"data": models, "has_more": False}, headers)
    return await exchange.answer(404, _wrong("not_found_error", exchange.path), headers)


def _wrong(kind, message):
    return {"type": "error", "error": {"type": kind, "message": message}}


async def _message(exchange, delay, headers):
    fields = exchange.fields()
    told = {"id": "msg_look", "type": "message", "role": "assistant", "model": fields.get("model", ""), "content": []}
    told |= {"stop_reason": None, "stop_sequence": None, "usage": {**USAGE, "output_tokens": 1}}
    if fields.get("stream"):
        return await exchange.stream(_message_events(told, said(fields)), delay, headers)
    told |= {"content": [{"type": "text", "text": "".join(said(fields))}], "stop_reason": "end_turn", "usage": USAGE}
    return await exchange.answer(200, told, headers)


def _message_events(message, words):
    block = {"type": "text", "text": ""}
    yield _event("message_start", message=message)
    yield _event("content_block_start", index=0, content_block=block) + _event("ping")
    for word in words:
        yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield _event("content_block_stop", index=0)
    yield _event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=USAGE)
    yield _event("message_stop")


def _event(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


async def _openai(delay, exchange):
    key = key_of(exchange)
    if key not in (OPENAI_KEY, OTHER_OPENAI_KEY):
        return await exchange.answer(401, _refused("Incorrect API key provided", "invalid_api_key"))
    own = ORGANISATIONS[key]
    if not _may(exchange, own):
        return await exchange.answer(403, _refused("not this organisation", "organization_not_allowed"))
    headers = [("openai-organization", own), ("openai-project", "proj_look"), ("x-request-id", "req_look")]
    answer = {"/v1/chat/completions": _completion, "/v1/responses": _response, "/v1/models": _models}.get(exchange.path)
    if answer is None:
        return await exchange.answer(404, _refused(exchange.path, "unknown_url"), headers)
    fields = exchange.fields()
    whole, events = answer(fields)
    if fields.get("stream"):
        return await exchange.stream(events, delay, headers)
    return await exchange.answer(200, whole, headers)


def _refused(message, code):
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


def _may(exchange, own):
    """Tell whether the request's own headers leave room for that organisation: the wanted one, and those allowed."""
    wanted, allowed = exchange.header("openai-organization"), exchange.header("openai-allowed-organization-ids")
    return wanted in ("", own) and (not allowed or own in allowed.replace(" ", "").split(","))


def _models(fields):
    return {"object": "list", "data": [{"id": "gpt-look", "object": "model", "created": 1, "owned_by": "look"}]}, ()


def _completion(fields):
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    base = {"id": "chatcmpl-look", "created": 1700000000, "model": fields.get("model", "")}
    message = {"role": "assistant", "content": "".join(said(fields))}
    choices = [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}]
    counted = (fields.get("stream_options") or {}).get("include_usage")
    chunk = {**base, "object": "chat.completion.chunk"}
    whole = {**base, "object": "chat.completion", "choices": choices, "usage": usage}
    return whole, _completion_events(chunk, said(fields), usage if counted else None)


def _completion_events(chunk, words, usage):
    for word in words:
        yield _data({**chunk, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
    yield _data({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        yield _data({**chunk, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _data(fields):
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def _response(fields):
    usage = {**USAGE, "total_tokens": 18, "input_tokens_details": {"cached_tokens": 0}}
    usage["output_tokens_details"] = {"reasoning_tokens": 0}
    base = {"id": "resp_look", "object": "response", "created_at": 1700000000, "model": fields.get("model", "")}
    base |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    part = {"type": "output_text", "text": "".join(said(fields)), "annotations": []}
    item = {"id": "msg_look", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    whole = {**base, "status": "completed", "output": [item], "usage": usage}
    return whole, _response_events({**base, "status": "in_progress", "output": []}, item, whole, said(fields))


def _response_events(begun, item, whole, words):
    place, part = {"item_id": item["id"], "output_index": 0, "content_index": 0}, item["content"][0]
    empty = {**item, "status": "in_progress", "content": []}
    told = [("created", {"response": begun}), ("output_item.added", {"output_index": 0, "item": empty})]
    told += [("content_part.added", {**place, "part": {**part, "text": ""}})]
    told += [("output_text.delta", {**place, "delta": word, "logprobs": []}) for word in words]
    told += [("output_text.done", {**place, "text": part["text"], "logprobs": []})]
    told += [("content_part.done", {**place, "part": part}), ("output_item.done", {"output_index": 0, "item": item})]
    for number, (kind, fields) in enumerate([*told, ("completed", {"response": whole})]):
        yield _event(f"response.{kind}", sequence_number=number, **fields)
