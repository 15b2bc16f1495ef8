"""What a proof reads: the gateway's denials, and the host's addresses."""

import json

import pytest

from hostkit.errors import CannotTell
from hostkit.launch.proof import denied_names, targets
from tests.conftest import FakeHost
from tests.launch.test_plan import PLAN


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
