"""The plan is the product's promise: what it asks of the engine is judged here, without an engine."""

import dataclasses
import json
from datetime import date

import pytest

from hostkit.errors import HostkitError
from hostkit.gateway.rules import parse as parse_rules
from hostkit.launch.model import EngineFacts, Slot
from hostkit.launch.parts import agent_image, gateway_image
from hostkit.launch.plan import find_client, make_plan, refuse_without_agreement
from hostkit.policy import parse
from tests.policy.test_load import GOOD

POLICY = parse(GOOD)
SLOT = Slot(3, "10.231.0.8/29", "10.231.0.16/29")
IMAGES = {gateway_image(): "sha256:" + "a" * 64, agent_image(POLICY.clients["acme"]): "sha256:" + "b" * 64}
ENGINE = EngineFacts((20, 10, 24), IMAGES, ("192.0.2.2", "fd00::2", "127.0.0.1"))
PLAN = make_plan(POLICY, "acme", SLOT, ENGINE)


def test_the_agent_has_no_capability_no_way_to_more_and_nothing_of_the_host():
    agent = PLAN.agent
    assert agent.cap_drop == ("ALL",)
    assert agent.cap_add == ()
    assert agent.read_only
    assert agent.no_new_privileges
    assert agent.seccomp == "hostkit"
    assert agent.user == "70006:70006"
    assert all(mount.volume.startswith("hostkit-acme-") for mount in agent.mounts)


def test_the_agent_sits_on_the_inner_network_and_asks_its_gateway_only():
    assert PLAN.agent.network == PLAN.inside.name
    assert PLAN.inside.internal
    assert PLAN.agent.dns == (PLAN.rules.address,) == ("10.231.0.10",)
    assert (PLAN.gateway.address, PLAN.agent.address, PLAN.probe.address) == (
        "10.231.0.10",
        "10.231.0.11",
        "10.231.0.12",
    )


def test_secrets_are_read_only_in_the_agent_and_absent_from_the_plan(monkeypatch):
    monkeypatch.setenv("ACME_TOKEN", "the-value")
    mount = next(m for m in PLAN.agent.mounts if m.target == "/run/secrets")
    assert mount.read_only
    assert "the-value" not in PLAN.to_json()
    assert PLAN.secrets == {"token": "env:ACME_TOKEN"}


def test_agents_are_never_restarted_by_the_engine_and_gateways_do_not_route():
    assert PLAN.agent.restart == "no"
    assert PLAN.gateway.restart == "on-failure"
    assert PLAN.gateway.sysctls["net.ipv4.ip_forward"] == "0"


def test_images_are_run_by_what_they_hold_not_by_name():
    assert PLAN.agent.image == "sha256:" + "b" * 64


def test_an_image_that_is_not_there_is_named():
    with pytest.raises(HostkitError, match=r"image hostkit/gateway:.* is not on this engine; build it"):
        make_plan(POLICY, "acme", SLOT, EngineFacts((20, 10, 24), {agent_image(POLICY.clients["acme"]): "x"}))


def test_the_rules_are_the_policys_and_refuse_the_hosts_own_addresses():
    rules = parse_rules(PLAN.rules.to_json())
    assert [grant.name for grant in rules.grants] == ["api.slack.com"]
    assert [(f.name, f.port, f.local_port) for f in rules.forwards] == [("db.example.com", 5432, 5432)]
    subnets = {"10.231.0.0/20", SLOT.inside, SLOT.outside}
    assert set(rules.refuse) == subnets | {"192.0.2.2/32", "fd00::2/128", "127.0.0.1/32"}


def test_without_an_agreement_in_force_there_is_no_launch():
    client = POLICY.clients["acme"]
    refuse_without_agreement("acme", client, date(2027, 6, 30))
    with pytest.raises(HostkitError, match=r"acme.pdf\) expired on 2027-06-30"):
        refuse_without_agreement("acme", client, date(2027, 7, 1))
    forbidden = client.model_copy(update={"agreement": client.agreement.model_copy(update={"permitted": False})})
    with pytest.raises(HostkitError, match="does not permit an agent"):
        refuse_without_agreement("acme", forbidden, date(2027, 1, 1))


@pytest.mark.parametrize("name", ["../x", "docker", "ACME", ""])
def test_an_unknown_client_is_refused_with_the_names_that_are_known(name):
    with pytest.raises(HostkitError, match=r"unknown client .*: acme"):
        find_client(POLICY, name)


def test_the_plan_prints_whole():
    plain = json.loads(PLAN.to_json())
    assert set(plain) == {field.name for field in dataclasses.fields(PLAN)}
    assert any("is not enforced on" in note for note in plain["notes"])
