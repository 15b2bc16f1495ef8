"""A sandbox on a host behind the fence, in the second engine's network namespace: no rule touches this machine."""

import json

import pytest

from hostkit.bootstrap.fence import ruleset
from hostkit.policy import load
from tests.e2e.second_engine import LAN

pytestmark = [pytest.mark.docker, pytest.mark.second_engine, pytest.mark.timeout(600)]
TCP = "import socket,sys\ntry:\n socket.create_connection((sys.argv[1], int(sys.argv[2])), 2); print('reached')\n"
TCP += "except OSError as why: print(type(why).__name__)"


@pytest.fixture
def fenced(hostkit, engine, tmp_path):
    """The namespace of the second engine, its fence up."""
    (tmp_path / "fence.nft").write_text(ruleset(load(hostkit.policy), {}))
    done = engine.run("nft", "-f", str(tmp_path / "fence.nft"))
    assert done.returncode == 0, done.stderr
    yield hostkit
    engine.run("nft", "delete", "table", "inet", "hostkit")


@pytest.mark.parametrize("engine", ["docker-26.1"], indirect=True)
def test_behind_the_fence_a_launch_proves_its_walls_and_every_probe_is_held_and_escapes_in_its_twin(fenced):
    launched = fenced("launch", "e2e-one")
    assert launched.returncode == 0, launched.stderr
    done = fenced("drill", "e2e-one", "--json")
    found = json.loads(done.stdout)
    assert {entry["id"]: entry["why"] for entry in found["probes"] if entry["answer"] != "held"} == {}
    assert done.returncode == 0


@pytest.mark.parametrize("engine", ["docker-26.1"], indirect=True)
def test_the_fence_closes_other_containers_and_the_hosts_own_way_out(fenced, engine, tmp_path):
    listen = ("timeout", "60", "python3", "-m", "http.server", "--bind", LAN, "8088", "--directory", str(tmp_path))
    fenced("launch", "e2e-one")
    image = json.loads(fenced.docker("inspect", "hostkit-e2e-one-agent").stdout)[0]["Image"]
    started = engine.start(*listen)
    try:
        inside = ("run", "--rm", image, "python3", "-c", TCP, LAN, "8088")
        assert fenced.docker(*inside).stdout.strip() == "TimeoutError"
        assert engine.run("nft", "delete", "table", "inet", "hostkit").returncode == 0
        assert fenced.docker(*inside).stdout.strip() == "reached"
    finally:
        started.kill()
        started.wait()
