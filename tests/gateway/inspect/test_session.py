"""Opened connections on loopback: a real gateway, a real upstream over TLS, each refusal by its rule."""

import asyncio

from tests.gateway.inspect.lab import HELD, KEY, Lab


def run(coroutine):
    return asyncio.run(coroutine)


def test_the_placeholder_goes_in_and_the_key_goes_out(tmp_path):
    async def story():
        async with Lab(tmp_path) as lab:
            said = await lab.ask(lab.head())
            assert said.endswith(b"\r\n\r\nok"), said
            assert f"authorization: Bearer {KEY}\r\n".encode() in lab.got[0]
            assert HELD.encode() not in lab.got[0]
            assert [line["event"] for line in lab.lines()] == ["intent", "outcome"]

    run(story())
