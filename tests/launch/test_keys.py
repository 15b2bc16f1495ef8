"""What an agent holds in place of its keys, and that no key serves twice."""

import pytest

from hostkit.errors import HostkitError
from hostkit.gateway.marks import find_marks, mark
from hostkit.launch import keys
from hostkit.launch.state import State
from tests.conftest import client, make_policy

POLICY = make_policy(
    clients={
        "acme": {
            **client(),
            "services": {"slack": {"secret": "bot", "team": "T0123456", "channels": ["C0123456"]}},
            "secrets": {"bot": {"source": "env:BOT"}, "password": {"source": "env:PASSWORD"}},
        }
    }
)
SERVED = POLICY.clients["acme"]


def test_each_key_of_a_service_has_a_placeholder_of_its_shape_and_no_other_secret_has_one():
    held = keys.placeholders("acme", SERVED, {})
    assert set(held) == {"bot"}
    assert held["bot"].startswith("xoxb-")
    assert find_marks(held["bot"].encode()) == {mark("acme")}


def test_a_new_launch_has_new_ones_and_a_running_agent_keeps_its_own():
    first = keys.placeholders("acme", SERVED, {})
    assert keys.placeholders("acme", SERVED, {}) != first
    assert keys.placeholders("acme", SERVED, first) == first


@pytest.mark.parametrize(
    ("values", "both"),
    [
        ({"bot": b"same", "other": b"same"}, r"globex\.bot and globex\.other"),
        ({"bot": b"of acme"}, r"acme\.bot and globex\.bot"),
    ],
)
def test_one_value_for_two_secrets_or_two_clients_is_refused_and_not_kept(tmp_path, values, both):
    state = State(tmp_path)
    for name in ("acme", "globex"):
        state.update(name, slot={"number": 0, "inside": "10.231.0.0/29", "outside": "10.231.0.8/29"})
    keys.refuse_reused(state, "acme", {"bot": b"of acme"})
    with pytest.raises(HostkitError, match=f"{both} have the same value"):
        keys.refuse_reused(state, "globex", values)
    assert "fingerprints" not in state.entry("globex")
    assert b"of acme" not in (tmp_path / "state.json").read_bytes()


def test_a_client_is_not_its_own_double(tmp_path):
    state = State(tmp_path)
    for _ in range(2):
        keys.refuse_reused(state, "acme", {"bot": b"of acme"})
    assert set(state.entry("acme")["fingerprints"]) == {"bot"}
