import json
import os
import subprocess
import time

import pytest

from tests.e2e.conftest import Cli

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

OPENED = """\
version: 1
host: {{resolvers: [198.51.100.53], profile: solo, pool: 10.231.144.0/20}}
clients:
  e2e-drill-opened:
    agreement: {{permitted: true, document: one.pdf, expires: 2099-01-01}}
    trust: contributor
    agent: {{preset: shell}}
    services: {{anthropic: {{secret: key}}}}
    secrets: {{key: {{source: "file:{secret}"}}}}
"""


def test_every_probe_is_held_inside_and_escapes_when_its_walls_are_out(hostkit):  # on 26.1 behind a fence: test_fenced
    assert hostkit("launch", "e2e-one").returncode == 0
    done = hostkit("drill", "e2e-one", "--json")
    found = json.loads(done.stdout)
    assert {entry["id"]: entry["why"] for entry in found["probes"] if entry["answer"] != "held"} == {}
    assert len(found["probes"]) >= 68
    assert done.returncode == 0
    assert "e2e-one-drill" not in hostkit.docker("ps", "-a", "--format", "{{.Names}}").stdout
    assert "e2e-one-drill" not in hostkit.docker("network", "ls", "--format", "{{.Name}}").stdout


@pytest.fixture
def opened(engine, tmp_path):
    """The command line for a client whose services are opened, with a key that looks like one."""
    secret = tmp_path / "key"
    secret.write_text("sk-ant-api03-0123456789abcdef0123456789abcdef")
    secret.chmod(0o600)
    policy = tmp_path / "hostkit.yml"
    policy.write_text(OPENED.format(secret=secret))
    cli = Cli(policy, tmp_path / "state", engine)
    yield cli
    cli("remove", "e2e-drill-opened", "--yes")
    cli.docker("volume", "rm", "-f", "hostkit-e2e-drill-opened-records")


def test_a_client_with_a_key_holds_its_placeholder_and_nothing_that_it_trusts_can_be_changed(opened):
    done = opened("launch", "e2e-drill-opened")
    assert done.returncode == 0, done.stderr
    done = opened("drill", "e2e-drill-opened", "--json", "--quick", "--only", "credentials")
    found = json.loads(done.stdout)
    assert {entry["id"]: entry["answer"] for entry in found["probes"]} == {
        f"credentials-{name}": "held"
        for name in ("foreign-key", "other-client", "plain-http", "held", "authority", "given")
    }
    assert done.returncode == 0


def test_an_agent_that_runs_with_another_wall_than_planned_is_refused_and_the_wall_is_named(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    assert hostkit.docker("update", "--pids-limit", "999", "hostkit-e2e-one-agent").returncode == 0
    done = hostkit("drill", "e2e-one", "--quick")
    assert done.returncode == 2
    assert "other walls than planned: PidsLimit" in done.stderr
    assert "e2e-one-drill" not in hostkit.docker("ps", "-a", "--format", "{{.Names}}").stdout


def test_a_second_drill_of_a_client_is_refused_and_the_first_goes_on(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    words = hostkit.command("drill", "e2e-one", "--quick", "--only", "separation")
    env = {**os.environ, "HOSTKIT_STATE": str(hostkit.state)}
    first = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 30
    while "e2e-one-drill" not in hostkit.docker("ps", "--format", "{{.Names}}").stdout:
        assert time.monotonic() < until
    second = hostkit("drill", "e2e-one", "--quick")
    assert (second.returncode, "another hostkit is at the same work; wait" in second.stderr) == (2, True), second
    said, _ = first.communicate(timeout=120)
    assert first.returncode == 0, said


def test_a_client_that_does_not_run_is_told_how_to_launch_it(hostkit):
    done = hostkit("drill", "e2e-one")
    assert (done.returncode, done.stderr) == (2, "hostkit: e2e-one is not running; hostkit launch e2e-one\n")


def test_a_word_that_is_no_probe_is_refused(hostkit):
    done = hostkit("drill", "e2e-one", "--only", "netwrok")
    assert done.returncode == 2
    assert "no probe or group is called netwrok" in done.stderr
