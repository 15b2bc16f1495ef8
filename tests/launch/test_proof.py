"""What a proof reads: the probe's lines off a stream of the engine's frames, the gateway's denials."""

import json
import socket

import pytest

from hostkit.errors import CannotTell
from hostkit.launch.proof import _answers, denied_names, targets
from tests.conftest import FakeHost
from tests.launch.test_plan import PLAN


def frame(kind, data):
    return bytes([kind, 0, 0, 0]) + len(data).to_bytes(4) + data


def said(*frames):
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"".join(frames))
    return ours


def test_lines_are_put_together_from_frames_however_they_are_cut():
    with said(frame(1, b'{}\n{"a'), frame(2, b"noise\n"), frame(1, b'": 1}\n')) as stream:
        answers = _answers(stream)
        assert [next(answers), next(answers)] == [{}, {"a": 1}]


def test_a_probe_that_dies_is_told_with_its_last_words():
    with said(frame(1, b"{}\n"), frame(2, b"Traceback\nMemoryError\n")) as stream:
        answers = _answers(stream)
        assert next(answers) == {}
        with pytest.raises(CannotTell, match="the probe gave no answer: MemoryError"):
            next(answers)


def test_only_what_the_gateway_denied_counts():
    lines = [{"event": "denied", "name": "a.invalid"}, {"event": "intent", "name": "b.invalid"}]
    text = "\n".join([*map(json.dumps, lines), '{"event": "den']).encode()
    assert denied_names(text) == {"a.invalid"}


def test_every_v4_address_of_the_host_is_a_target_but_loopback():
    interfaces = {PLAN.inside.bridge: (), "lo": ("127.0.0.1",), "eth0": ("192.0.2.2", "fd00::2")}
    assert targets(PLAN, FakeHost(addresses=interfaces)) == ["192.0.2.2"]


def test_without_the_bridge_the_engine_is_somewhere_else():
    with pytest.raises(CannotTell, match="the engine is on another machine or in another network namespace"):
        targets(PLAN, FakeHost(addresses={"eth0": ("192.0.2.2",)}))
