"""The plan is the product's promise: what it asks of the engine is judged here, without an engine."""

import dataclasses
import json
from datetime import date

import pytest

from hostkit.errors import Exit, HostkitError
from hostkit.gateway.rules import parse as parse_rules
from hostkit.launch.plan import (
    WALLS,
    EngineFacts,
    Slot,
    agent_image,
    bridge_name,
    choose_slot,
    find_client,
    gateway_image,
    make_plan,
    network_options,
    refuse_bridge_twins,
    refuse_taken_bridges,
    refuse_without_agreement,
)
from hostkit.policy import parse
from tests.policy.test_load import GOOD

POLICY = parse(GOOD)
SLOT = Slot(3, "10.231.0.8/29", "10.231.0.16/29")
IMAGES = {gateway_image(): "sha256:" + "a" * 64, agent_image(POLICY.clients["acme"]): "sha256:" + "b" * 64}
ENGINE = EngineFacts((20, 10, 24), IMAGES, ("192.0.2.2", "fd00::2", "127.0.0.1"))
PLAN = make_plan(POLICY, "acme", SLOT, ENGINE)
ISOLATED = "com.docker.network.bridge.gateway_mode_ipv4"
TWINS = ("c17439", "c24164")
"""Two names of which SHA-256 begins with the same eight digits."""
INHIBIT = "com.docker.network.bridge.inhibit_ipv4"


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
    assert set(rules.refuse) == {"10.231.0.0/20", "192.0.2.2/32", "fd00::2/128", "127.0.0.1/32"}


@pytest.mark.parametrize("version", [(20, 10, 24), (25, 0, 5), (26, 1, 5), (27, 5, 1)])
def test_engines_before_28_hide_the_host_by_taking_its_address_off_the_bridge(version):
    options = network_options(version, "hki0", internal=True)
    assert options[INHIBIT] == "true"
    assert ISOLATED not in options


@pytest.mark.parametrize("version", [(28, 0, 0), (29, 1, 2)])
def test_engines_from_28_are_asked_for_isolation_as_well(version):
    options = network_options(version, "hki0", internal=True)
    assert (options[INHIBIT], options[ISOLATED]) == ("true", "isolated")


def test_the_way_out_keeps_its_address():
    assert set(network_options((28, 0, 0), "hke0", internal=False)) == {"com.docker.network.bridge.name"}


@pytest.mark.parametrize("version", [(25, 0, 5), (25, 0, 6), (26, 0, 0), (26, 1, 2)])
def test_an_engine_with_the_broken_dns_option_is_refused_before_anything_is_planned(version):
    says = f"Docker {'.'.join(map(str, version))} .*moby issue 47821.*; upgrade the engine to 26.1.3 or later"
    with pytest.raises(HostkitError, match=says) as refusal:
        make_plan(POLICY, "acme", SLOT, dataclasses.replace(ENGINE, version=version))
    assert refusal.value.code == Exit.REFUSED


@pytest.mark.parametrize("version", [(20, 10, 24), (23, 0, 11), (25, 0, 4), (26, 1, 3), (26, 1, 5), (28, 0, 0)])
def test_every_other_engine_is_planned_for(version):
    assert make_plan(POLICY, "acme", SLOT, dataclasses.replace(ENGINE, version=version)).client == "acme"


def test_two_clients_whose_bridges_would_have_one_name_are_refused():
    assert bridge_name("hki", TWINS[0]) == bridge_name("hki", TWINS[1])
    with pytest.raises(HostkitError, match=f"{TWINS[0]} and {TWINS[1]} would share the bridge hki"):
        refuse_bridge_twins(TWINS[0], ["acme", *TWINS])
    refuse_bridge_twins(TWINS[0], ["acme", TWINS[0]])


@pytest.mark.parametrize("kind", ["hki", "hke"])
def test_an_interface_that_has_a_bridges_name_already_is_never_taken_over(kind):
    bridge = bridge_name(kind, "acme")
    with pytest.raises(HostkitError, match=f"interface {bridge} is there and is no network of acme; see `ip link"):
        refuse_taken_bridges(PLAN, ["lo", "eth0", bridge])
    refuse_taken_bridges(PLAN, ["lo", "eth0", bridge_name(kind, "beta")])


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


def test_a_slot_is_kept():
    assert choose_slot(POLICY, {"acme": SLOT}, (), "acme") == SLOT


def test_a_new_slot_avoids_other_clients_and_live_routes():
    taken = {"beta": Slot(0, "10.231.0.0/29", "10.231.0.8/29")}
    slot = choose_slot(POLICY, taken, ("10.231.0.16/28", "192.168.1.0/24"), "acme")
    assert slot == Slot(1, "10.231.0.32/29", "10.231.0.40/29")


def test_a_pool_that_is_used_up_says_so():
    with pytest.raises(HostkitError, match=r"no two free /29 networks; widen host\.pool"):
        choose_slot(POLICY, {}, ("10.231.0.0/16",), "acme")


def test_bridge_names_fit_linux_and_tell_clients_apart():
    assert len(bridge_name("hki", "acme")) == 11
    assert bridge_name("hki", "acme") != bridge_name("hki", "beta")


@pytest.mark.parametrize("wall", sorted(WALLS))
def test_each_wall_can_be_taken_out_and_changes_the_plan(wall):
    twin = PLAN.without(wall)
    assert twin != PLAN
    assert dataclasses.replace(twin, agent=PLAN.agent, inside=PLAN.inside) == PLAN


def test_a_wall_that_is_not_known_is_not_taken_out_in_silence():
    with pytest.raises(KeyError, match="moat"):
        PLAN.without("moat")


def test_the_plan_prints_whole():
    plain = json.loads(PLAN.to_json())
    assert set(plain) == {field.name for field in dataclasses.fields(PLAN)}
    assert any("is not enforced on" in note for note in plain["notes"])
