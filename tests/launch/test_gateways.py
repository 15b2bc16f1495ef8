"""Stopping and setting going, over an engine that remembers what was laid down."""

import json

import pytest

from hostkit.errors import HostkitError
from hostkit.gateway.switch import NAME
from hostkit.launch import gateways
from hostkit.launch.session import Session
from hostkit.launch.state import State
from tests.conftest import FakeHost, client, make_policy

SLOT = {"number": 0, "inside": "10.231.0.0/29", "outside": "10.231.0.8/29"}


class Engine:
    """One gateway that obeys its switch, or does not run."""

    def __init__(self, *, runs=True):
        self.runs, self.laid = runs, {}

    def inspect(self, name):
        return {"State": {"Running": True}} if self.runs else None

    def put(self, container, directory, entries):
        self.laid |= {(container, directory, entry.name): json.loads(entry.content) for entry in entries}

    def gateway_status(self, client):
        said = self.laid.get((f"hostkit-{client}-gateway", "/rules", NAME), {"stopped": False, "by": ""})
        return {"container": {"Running": True}, "why": f"stopped by {said['by']}" if said["stopped"] else ""}


@pytest.fixture
def state(tmp_path):
    found = State(tmp_path)
    for name in ("acme", "globex"):
        found.update(name, slot=SLOT)
    return found


def test_a_stopped_gateway_says_so_and_its_client_is_not_launched_until_it_is_set_going(state):
    session = Session(Engine(), FakeHost(), state)
    assert gateways.stop(session, "acme", "hostkit gateway stop")
    with pytest.raises(HostkitError, match=r"acme: its gateway was stopped by .*; hostkit gateway go acme"):
        session.launch(make_policy(clients={"acme": client()}), "acme")
    assert gateways.go(session, "acme")
    assert state.entry("acme")["stopped"] == ""


def test_a_gateway_that_does_not_run_is_stopped_by_the_launch_that_is_refused(state):
    session = Session(Engine(runs=False), FakeHost(), state)
    assert not gateways.stop(session, "acme", "hostkit gateway stop")
    with pytest.raises(HostkitError, match="its gateway was stopped"):
        session.launch(make_policy(clients={"acme": client()}), "acme")


@pytest.mark.parametrize(
    ("words", "everyone", "says"),
    [
        ((), False, "which gateways.*say --all"),
        (("acme",), True, "which gateways"),
        (("acem",), False, "acem was never launched here; launched: acme, globex"),
    ],
)
def test_a_command_that_means_nobody_is_refused(state, words, everyone, says):
    with pytest.raises(HostkitError, match=says):
        gateways.named(state, words, everyone=everyone)


def test_all_are_all_that_were_launched(state):
    assert gateways.named(state, (), everyone=True) == ("acme", "globex")


def test_a_stop_that_comes_while_a_secret_is_fetched_is_not_too_late(state, monkeypatch):
    session = Session(Engine(runs=False), FakeHost(), state)

    def fetch(name, source):
        gateways.stop(session, "acme", "somebody")
        return b"the value"

    monkeypatch.setattr("hostkit.launch.session.fetch", fetch)
    policy = make_policy(clients={"acme": {**client(), "secrets": {"key": {"source": "env:KEY"}}}})
    with pytest.raises(HostkitError, match="its gateway was stopped by somebody"):
        session.launch(policy, "acme")
