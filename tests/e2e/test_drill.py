import json

import pytest

from tests.e2e.second_engine import both_engines

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@both_engines
def test_every_probe_is_held_inside_and_escapes_when_its_walls_are_out(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    done = hostkit("drill", "e2e-one", "--json")
    found = json.loads(done.stdout)
    assert {entry["id"]: entry["why"] for entry in found["probes"] if entry["answer"] != "held"} == {}
    assert len(found["probes"]) >= 25
    assert done.returncode == 0
    assert "drill" not in hostkit.docker("ps", "-a", "--format", "{{.Names}}").stdout
    assert "drill" not in hostkit.docker("network", "ls", "--format", "{{.Name}}").stdout


def test_an_agent_that_runs_with_another_wall_than_planned_is_refused_and_the_wall_is_named(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    assert hostkit.docker("update", "--pids-limit", "999", "hostkit-e2e-one-agent").returncode == 0
    done = hostkit("drill", "e2e-one", "--quick")
    assert done.returncode == 2
    assert "other walls than planned: PidsLimit" in done.stderr
    assert "drill" not in hostkit.docker("ps", "-a", "--format", "{{.Names}}").stdout


def test_a_client_that_does_not_run_is_told_how_to_launch_it(hostkit):
    done = hostkit("drill", "e2e-one")
    assert (done.returncode, done.stderr) == (2, "hostkit: e2e-one is not running; hostkit launch e2e-one\n")


def test_a_word_that_is_no_probe_is_refused(hostkit):
    done = hostkit("drill", "e2e-one", "--only", "netwrok")
    assert done.returncode == 2
    assert "no probe or group is called netwrok" in done.stderr
