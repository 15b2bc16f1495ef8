import dataclasses
import ipaddress
import json
from datetime import UTC, datetime

import pytest

from hostkit.drill import service, twin
from hostkit.drill.lacking import lacking
from hostkit.drill.walls import OPEN_GATEWAY, WALLS
from hostkit.gateway.inspect.vault import open_vault
from hostkit.gateway.marks import mark
from hostkit.gateway.rules import parse
from hostkit.gateway.services import Credential, Service
from hostkit.launch.model import EngineFacts, Slot
from hostkit.launch.plan import make_plan
from hostkit.policy import Policy

POLICY = {
    "version": 1,
    "host": {"resolvers": ["198.51.100.53"]},
    "clients": {
        "acme": {
            "agreement": {"permitted": True, "document": "c.pdf", "expires": "2099-01-01"},
            "trust": "analyst",
            "agent": {"preset": "shell"},
            "egress": [{"name": "*.slack.com"}, {"name": "api.example.com", "ports": [443, 8443]}],
        }
    },
}

PAPERS = service.minted("acme", 1, datetime.now(UTC))


@pytest.fixture
def stage():
    images = {name: "sha256:" + name for name in ("hostkit/agent:0.1.0", "hostkit/gateway:0.1.0")}
    facts = EngineFacts((20, 10, 24), images, ("192.0.2.7",))
    slot = Slot(0, "10.231.0.0/29", "10.231.0.8/29")
    plan = make_plan(Policy.model_validate_json(json.dumps(POLICY)), "acme", slot, facts)
    twins, other = Slot(1, "10.231.1.0/29", "10.231.1.8/29"), Slot(2, "10.231.2.0/29", "10.231.2.8/29")
    return twin.Stage(plan, twins, other, 40000, PAPERS)


def test_the_attacker_inside_has_the_agents_plan_and_an_address_beside_it(stage):
    probe, agent = twin.inside_probe(stage), stage.plan.agent
    assert probe.address == "10.231.0.6"
    assert (probe.user, probe.mounts, probe.dns, probe.seccomp) == (agent.user, agent.mounts, agent.dns, agent.seccomp)
    assert (probe.cap_drop, probe.memory, probe.pids, probe.network) == (
        ("ALL",),
        agent.memory,
        agent.pids,
        agent.network,
    )


def test_a_twin_has_no_credentials_no_workspace_and_no_agent_code(stage):
    for out in [frozenset({wall}) for wall in WALLS]:
        found = twin.twin_agent(stage, out)
        assert not [m for m in found.mounts if m.volume.startswith("hostkit-acme-") and "-drill-" not in m.volume]
        assert set(found.environment.values()) <= {PAPERS.shaped}
        assert bool(found.environment) is ("placeholders" in out)
        assert found.command == ("sleep", "infinity")


@pytest.mark.parametrize(
    "wall", ["read_only", "user", "capabilities", "no_new_privileges", "seccomp", "pids", "memory"]
)
def test_a_twin_lacks_exactly_the_wall_that_is_out(stage, wall):
    whole, without = twin.twin_agent(stage, frozenset()), twin.twin_agent(stage, frozenset({wall}))
    assert whole != without
    assert lacking(stage.plan, wall).agent != stage.plan.agent


def test_a_twin_is_confined_by_no_profile_which_would_hold_what_it_is_to_let_out(stage):
    assert twin.twin_agent(stage, frozenset({"seccomp"})).apparmor == "unconfined"
    assert twin.inside_probe(stage).apparmor == stage.plan.agent.apparmor


def test_a_twins_network_is_never_on_a_bridge_of_a_real_client(stage):
    for network in (twin.twin_network(stage, frozenset()), twin.far_network(stage), twin.other_network(stage)):
        assert network.bridge.startswith("hkd")
        assert len(network.bridge) <= 15
        assert network.options["com.docker.network.bridge.name"] == network.bridge


def test_the_twins_network_keeps_the_walls_that_are_not_out(stage):
    kept = twin.twin_network(stage, frozenset({"ipv6_off"}))
    assert kept.internal
    assert kept.options["com.docker.network.bridge.inhibit_ipv4"] == "true"
    assert kept.ipv6
    opened = twin.twin_network(stage, frozenset({"internal_network", "inhibit_host"}))
    assert not opened.internal
    assert "com.docker.network.bridge.inhibit_ipv4" not in opened.options


def test_the_rehearsal_gateway_grants_names_that_nobody_owns_and_nothing_else(stage):
    rehearsal = twin.rehearsal(stage, "10.231.1.10")
    assert [grant.name for grant in rehearsal.rules.grants] == ["rebinding.drill.invalid", "*.service.drill.invalid"]
    assert rehearsal.rules.forwards == ()
    assert rehearsal.rules.address == "10.231.0.5"


def test_the_rehearsal_gateway_may_dial_the_collector_and_nothing_else_of_hostkits(stage):
    rules = twin.rehearsal(stage, "10.231.1.10").rules
    assert [grant.networks for grant in rules.grants] == [(), ("10.231.1.10/32",)]
    refused = [ipaddress.ip_network(network) for network in rules.refuse]
    pool = ipaddress.ip_network("10.231.0.0/20")
    held = {str(one) for one in pool if not any(one in network for network in refused)}
    assert held == {"10.231.1.10"}
    assert any(ipaddress.ip_address("192.0.2.7") in network for network in refused)


def test_the_rehearsal_gateway_reads_its_rules_and_its_vault(stage, tmp_path):
    plan = twin.rehearsal(stage, "10.231.1.10")
    rules = parse(plan.rules.to_json())
    assert rules == plan.rules
    place = tmp_path / str(rules.generation)
    place.mkdir()
    for name, content in service.vault_files(PAPERS).items():
        (place / name).write_bytes(content)
    assert open_vault(tmp_path, rules).keys == {"drill": PAPERS.key}


def test_a_drill_takes_no_key_and_no_authority_of_the_client(stage):
    known = Credential("bot", "the-clients-own-placeholder", ("header:authorization=Bearer {}",))
    rules = dataclasses.replace(stage.plan.rules, services=(Service("own", ("own.example",), (), (known,)),))
    stage = dataclasses.replace(stage, plan=dataclasses.replace(stage.plan, rules=rules))
    parts = [twin.twin_agent(stage, frozenset({wall})) for wall in WALLS]
    parts += [twin.collector(stage), twin.rehearsal(stage, "10.231.1.10").gateway, twin.writer(stage)]
    made = [*map(str, parts), twin.rehearsal(stage, "10.231.1.10").rules.to_json()]
    assert not [text for text in made if "own.example" in text or "the-clients-own" in text]
    assert not [m.volume for part in parts for m in part.mounts if "-drill-" not in m.volume]
    files = {name: content for name, content, *_ in twin.volume_entries(stage, stage.plan.rules) if content}
    assert set(files) == {"rules/rules.json", "stand/hostkit-other-client", "stand/authority.pem", "leaf/leaf.pem"}
    assert twin.common_targets(stage, {})["swapped"] == "bot"


def test_the_keys_that_a_drill_mints_are_of_nobody_and_are_not_told():
    assert PAPERS.key not in repr(PAPERS)
    assert mark("acme") in PAPERS.placeholder
    assert mark("acme") not in PAPERS.stranger
    assert service.minted("acme", 1, datetime.now(UTC)).key != PAPERS.key


def test_the_listed_name_of_the_controls_is_an_exact_one_where_there_is_one(stage):
    assert twin.common_targets(stage, {})["listed"] == "api.example.com"


def test_the_collector_meets_the_twin_only_where_a_wall_of_the_network_is_out():
    assert twin.needs_collector(OPEN_GATEWAY)
    assert not twin.needs_collector(frozenset({"seccomp", "inhibit_host"}))


def test_all_that_a_drill_makes_is_removed_by_stop(stage):
    parts = (twin.collector(stage), twin.inside_probe(stage), twin.twin_agent(stage, frozenset()), twin.writer(stage))
    for part in (*parts, twin.rehearsal(stage, "10.231.1.10").gateway, twin.drill_filler(stage)):
        assert part.name.startswith("hostkit-acme-drill-")
        assert part.labels["hostkit.client"] == "acme"
