"""The engine's settings: hostkit's over its owner's, the same text again, and what is refused."""

import json

import pytest

from hostkit.bootstrap.engine import WANTED, daemon, is_bridge, pools, refuse_tcp
from hostkit.errors import HostkitError
from tests.conftest import make_policy

POLICY = make_policy({"lan": ["192.168.7.0/24"]})


def made(before="", addresses=("192.168.7.20", "fe80::1")):
    return json.loads(daemon(before, POLICY, addresses))


def test_hostkits_settings_win_and_the_owners_others_stay():
    found = made('{"icc": true, "data-root": "/srv/docker", "log-opts": {"max-size": "1m", "tag": "x"}}')
    assert {key: found[key] for key in WANTED} == WANTED
    assert found["data-root"] == "/srv/docker"
    assert found["log-opts"] == {"max-size": "1m", "max-file": "3", "tag": "x"}


def test_an_owners_driver_of_logs_keeps_its_own_bounds():
    found = made('{"log-driver": "journald"}')
    assert (found["log-driver"], "log-opts" in found) == ("journald", False)


def test_the_next_run_writes_the_same_text_whatever_networks_came_up_since():
    first = daemon("", POLICY, ("192.168.7.20",))
    assert daemon(first, POLICY, ("192.168.7.20", "10.233.0.1")) == first


def test_the_engines_networks_overlap_neither_the_policys_nor_this_hosts():
    assert made()["default-address-pools"] == [{"base": "10.233.0.0/16", "size": 24}]
    assert made(addresses=("10.233.4.4",))["default-address-pools"][0]["base"] == "172.28.0.0/16"


@pytest.mark.parametrize(("before", "says"), [("{", "is not JSON"), ("[]", "holds no JSON object")])
def test_what_the_engine_could_not_read_either_is_refused(before, says):
    with pytest.raises(HostkitError, match=f"/etc/docker/daemon.json {says}"):
        made(before)


def test_with_no_network_left_it_says_which_it_tried():
    with pytest.raises(HostkitError, match=r"none of 10\.233\.0\.0/16, 172\.28\.0\.0/16"):
        daemon("", make_policy({"lan": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}), ())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/docker/daemon.json", '{"hosts": ["fd://", "tcp://0.0.0.0:2375"]}'),
        ("/etc/systemd/system/docker.service.d/api.conf", "ExecStart=/usr/bin/dockerd -H tcp://127.0.0.1:2375\n"),
    ],
)
def test_an_engine_that_listens_on_tcp_is_a_refusal_that_names_the_file(path, text):
    with pytest.raises(HostkitError, match=f"{path} lets the container engine listen on TCP"):
        refuse_tcp({path: text})
    refuse_tcp({path: f"# {text}"})


@pytest.mark.parametrize("given", ['[{"base": "ten"}]', '["10.0.0.0/8"]', '{"base": 1}', "7"])
def test_an_owners_pools_that_are_none_are_refused(given):
    with pytest.raises(HostkitError, match="default-address-pools is no list of networks; mend it"):
        pools(daemon(f'{{"default-address-pools": {given}}}', POLICY, ()))


def test_an_owners_pools_stay_and_are_known():
    settings = daemon('{"default-address-pools": [{"base": "10.9.0.0/16", "size": 24}]}', POLICY, ())
    assert pools(settings) == ("10.9.0.0/16",)
    assert [is_bridge(name) for name in ("docker0", "br-12ab", "eth0", "brand0")] == [True, True, False, False]
