"""The networks of a client: its slot, its bridges, and what each engine is told."""

import dataclasses

import pytest

from hostkit.errors import Exit, HostkitError
from hostkit.launch.model import Slot
from hostkit.launch.networks import bridge_name, choose_slot, network_options, refuse_bridge_twins, refuse_taken_bridges
from hostkit.launch.plan import make_plan
from tests.launch.test_plan import ENGINE, PLAN, POLICY, SLOT

ISOLATED = "com.docker.network.bridge.gateway_mode_ipv4"
INHIBIT = "com.docker.network.bridge.inhibit_ipv4"
TWINS = ("c17439", "c24164")
"""Two names of which SHA-256 begins with the same eight digits."""


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
