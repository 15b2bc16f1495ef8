"""What a launch refuses on a real engine, and that it leaves what it found."""

import json

import pytest

from hostkit.launch.networks import bridge_name

pytestmark = pytest.mark.docker


def rewrite(hostkit, old, new):
    text = hostkit.policy.read_text()
    assert old in text
    hostkit.policy.write_text(text.replace(old, new, 1))


def started(hostkit):
    return json.loads(hostkit.docker("inspect", "hostkit-e2e-one-agent").stdout)[0]["State"]["StartedAt"]


def test_a_volume_of_our_name_that_somebody_else_made_is_refused_and_kept(hostkit):
    hostkit.docker("volume", "create", "--label", "hostkit.client=somebody", "hostkit-e2e-one-workspace")
    try:
        done = hostkit("launch", "e2e-one")
        assert done.returncode == 2
        assert "volume hostkit-e2e-one-workspace was not made by hostkit for e2e-one" in done.stderr
        assert hostkit.docker("volume", "inspect", "hostkit-e2e-one-workspace").returncode == 0
        assert hostkit.docker("ps", "-aq", "--filter", "label=hostkit.client=e2e-one").stdout == ""
    finally:
        hostkit.docker("volume", "rm", "hostkit-e2e-one-workspace")


@pytest.mark.second_engine
@pytest.mark.parametrize("engine", ["docker-26.1"], indirect=True)
def test_an_interface_of_the_bridges_name_is_refused_and_kept(hostkit):
    bridge = bridge_name("hki", "e2e-one")
    assert hostkit.engine.run("ip", "link", "add", bridge, "type", "bridge").returncode == 0
    try:
        done = hostkit("launch", "e2e-one")
        assert done.returncode == 2
        assert f"interface {bridge} is there and is no network of e2e-one" in done.stderr
    finally:
        assert hostkit.engine.run("ip", "link", "del", bridge).returncode == 0


def test_a_running_agent_whose_plan_changed_is_named_and_runs_on_until_it_is_stopped(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    before = started(hostkit)
    rewrite(hostkit, "trust: analyst", "trust: analyst\n    limits: {memory: 512MiB}")
    done = hostkit("launch", "e2e-one")
    assert done.returncode == 2
    assert "agent.memory: 1073741824 -> 536870912" in done.stderr
    assert "hostkit stop e2e-one, then launch it again" in done.stderr
    assert started(hostkit) == before
    assert hostkit("stop", "e2e-one").returncode == 0
    assert hostkit("launch", "e2e-one").returncode == 0


def test_a_wall_taken_down_behind_hostkits_back_is_named(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    assert hostkit.docker("update", "--pids-limit", "999", "hostkit-e2e-one-agent").returncode == 0
    done = hostkit("launch", "e2e-one")
    assert (done.returncode, "other walls than planned: PidsLimit" in done.stderr) == (2, True)


def test_new_ways_out_reach_a_running_agent_without_a_restart(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    before = started(hostkit)
    rewrite(hostkit, "{name: listed.example}", "{name: listed.example}, {name: new.example}")
    done = hostkit("launch", "e2e-one")
    assert "already running, walls proved again" in done.stdout, done.stderr
    assert started(hostkit) == before


def test_an_agent_that_ends_at_once_is_told_with_its_last_words(hostkit):
    rewrite(hostkit, "agent: {preset: shell}", 'agent: {preset: shell, command: [sh, -c, "echo no such plan; exit 3"]}')
    done = hostkit("launch", "e2e-one")
    assert done.returncode == 3
    assert "the agent ended at once (exit 3): 'no such plan'" in done.stderr
    assert hostkit.docker("ps", "-aq", "--filter", "label=hostkit.client=e2e-one").stdout == ""
