"""What a WebSocket refuses: by its rule, told to the agent, and closed on both sides."""

import asyncio

import pytest
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.frame_protocol import CloseReason

from hostkit.gateway.services import LIMIT, Budget, Pin, Route
from tests.gateway.inspect.lab import HELD, OTHERS, Lab, refused, run
from tests.gateway.inspect.sockets import ASKS, Far, opened

REFUSED = {
    "another client's mark": (TextMessage(f"x {OTHERS}"), "other-client", CloseReason.POLICY_VIOLATION),
    "its mark in a ping": (Ping(OTHERS.encode()), "other-client", CloseReason.POLICY_VIOLATION),
    "its mark in a goodbye": (CloseConnection(1000, OTHERS), "other-client", CloseReason.POLICY_VIOLATION),
    "too large": (BytesMessage(b"x" * (LIMIT + 1)), "too-large", CloseReason.POLICY_VIOLATION),
}


@pytest.mark.parametrize("form", REFUSED)
def test_a_message_that_is_refused_closes_it_and_says_why(tmp_path, form):
    event, rule, code = REFUSED[form]

    async def story():
        async with opened(tmp_path) as (lab, far, agent):
            await agent.say(event)
            said = await agent.hear()
            assert (said.code, said.reason.partition(":")[0]) == (code, rule)
            await asyncio.wait_for(lab.gone.wait(), 3)
            assert far.heard == []
            assert lab.outcomes() == [rule]

    run(story())


def test_a_mark_that_is_cut_over_fragments_is_found(tmp_path):
    async def story():
        async with opened(tmp_path) as (lab, far, agent):
            await agent.say(TextMessage(OTHERS[:9], message_finished=False), TextMessage(OTHERS[9:]))
            assert (await agent.hear()).reason.startswith("other-client:")
            assert far.heard == []
            assert lab.outcomes() == ["other-client"]

    run(story())


def test_frames_that_break_the_protocol_are_refused(tmp_path):
    async def story():
        async with opened(tmp_path) as (lab, far, agent):
            agent.writer.write(b"\x81\x02hi")  # not masked, as an agent's must be
            assert (await agent.hear()).reason.startswith("bad-frame:")
            assert (far.heard, lab.outcomes()) == ([], ["bad-frame"])

    run(story())


@pytest.mark.parametrize(
    ("line", "rule"),
    [("Sec-WebSocket-Extensions: permessage-deflate\r\n", "bad-answer"), ("X-Org: O2\r\n", "answer-pin")],
)
def test_a_handshake_that_brings_something_else_back_is_refused(tmp_path, line, rule):
    async def story():
        route = Route(("GET",), "/ws", credential="key", socket=True, expects=(Pin("header", "x-org", ("O1",)),))
        async with Lab(tmp_path, routes=(route,)) as lab:
            lab.answer = Far(line.encode())
            assert refused(await lab.ask(lab.head("GET /ws", ASKS))) == (502, rule)
            assert lab.outcomes() == [rule]

    run(story())


@pytest.mark.parametrize(
    ("budget", "send"),
    [(Budget("messages", "day", 2), [TextMessage("x")] * 3), (Budget("bytes_up", "day", 250), [Ping(b"y" * 125)] * 3)],
)
def test_messages_and_bytes_are_counted_pings_too_and_end_at_the_budget(tmp_path, budget, send):
    async def story():
        async with opened(tmp_path, budgets=(budget,)) as (lab, far, agent):
            await agent.say(*send)
            while not isinstance(said := await agent.hear(), CloseConnection):
                pass
            assert said.reason.startswith("over-budget:")
            assert len(far.heard) == 2
            assert lab.outcomes() == ["over-budget"]

    run(story())


def test_a_budget_of_one_request_lets_its_socket_live(tmp_path):
    async def story():
        async with opened(tmp_path, budgets=(Budget("requests", "day", 1),)) as (_, _, agent):
            await agent.say(TextMessage("x"))
            assert await agent.message() == "x"

    run(story())


def test_a_socket_by_its_ticket_carries_no_key(tmp_path):
    async def story():
        route = Route(("GET",), "/ws", ticket="socket", socket=True)
        async with Lab(tmp_path, routes=(route,)) as lab, lab.agent() as (reader, writer):
            lab.answer = Far()
            ask = lab.head("GET /ws?t=1", ASKS, key=None)
            lab.house.tickets.issue("socket", "wss://api.example/ws?t=1")
            writer.write(ask.encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            assert b"authorization" not in lab.got[0].lower()
            assert refused(await lab.ask(ask.replace("t=1", "t=2"))) == (403, "no-ticket")
            assert refused(await lab.ask(lab.head("GET /ws?t=1", ASKS, key=HELD))) == (403, "foreign-credential")

    run(story())
