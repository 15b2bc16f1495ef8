"""What the proof concludes from what the probe saw."""

import dataclasses

import pytest

from hostkit.errors import CannotTell, WallOpen
from hostkit.launch.walls import Seen, judge
from tests.launch.test_plan import PLAN

NONCES = ("a.gateway.invalid", "b.embedded.invalid")
UID = PLAN.agent.user.split(":")[0]
GOOD = {
    "gateway": "connected",
    "host:192.0.2.2": "silent",
    "host:172.17.0.1": "OSError:101",
    "status": {
        "Uid": "\t".join([UID] * 4),
        "CapEff": "0" * 16,
        "CapPrm": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
        "Seccomp": "2",
    },
    "ipv6": [],
    "pids": str(PLAN.agent.pids),
    "memory": str(PLAN.agent.memory),
    "cpu": ["100000", "100000"],
    "nofile": [PLAN.agent.nofile] * 2,
    "core": [0, 0],
    "tmpfs": {"/tmp": 268435456, "/run/agent": 16777216},
    "uid_map": ["0", "0", "4294967295"],
    "root": "OSError:30",
}
SEEN = Seen(GOOD, frozenset({"192.0.2.2", "172.17.0.1"}), frozenset(NONCES), NONCES)


def report(**changes):
    return dataclasses.replace(SEEN, report={**GOOD, **changes})


def test_with_every_wall_in_place_each_is_named():
    assert any("the host is silent at 172.17.0.1, 192.0.2.2" in sentence for sentence in judge(PLAN, SEEN))


def test_an_agent_that_is_to_have_a_profile_is_seen_under_it_enforced():
    plan = dataclasses.replace(PLAN, agent=dataclasses.replace(PLAN.agent, apparmor="hostkit-agent"))
    held = judge(plan, report(apparmor="hostkit-agent (enforce)"))
    assert any("seccomp on, AppArmor profile hostkit-agent, root file system read-only" in line for line in held)
    for label in ("unconfined", "docker-default (enforce)", "hostkit-agent (complain)", ""):
        with pytest.raises(WallOpen, match=r"AppArmor says .*, not 'hostkit-agent \(enforce\)'"):
            judge(plan, report(apparmor=label))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host:192.0.2.2": "connected"}, "the host answers the sandbox at 192.0.2.2"),
        ({"host:192.0.2.2": "ConnectionRefusedError:111"}, "the host answers the sandbox at 192.0.2.2"),
        ({"status": {**GOOD["status"], "CapEff": "00000000a80425fb"}}, "CapEff is"),
        ({"status": {**GOOD["status"], "CapBnd": "00000000a80425fb"}}, "CapBnd is"),
        ({"status": {**GOOD["status"], "NoNewPrivs": "0"}}, "NoNewPrivs is '0'"),
        ({"status": {**GOOD["status"], "Seccomp": "0"}}, "Seccomp is '0'"),
        ({"status": {**GOOD["status"], "Uid": "0\t0\t0\t0"}}, "Uid is"),
        ({"status": {}}, "Seccomp is None"),
        ({"ipv6": ["eth0"]}, "IPv6 is on: eth0"),
        ({"root": "written"}, "the root file system is not read-only"),
        ({"pids": "max"}, "the process limit is 'max'"),
        ({"memory": "9223372036854771712"}, "the memory limit is"),
        ({"cpu": ["max", "100000"]}, "the cpu limit is max/100000"),
        ({"nofile": [1048576, 1048576]}, r"the limit of open files is \[1048576, 1048576\], not 1024"),
        ({"nofile": [1024, 1048576]}, "the limit of open files is"),
        ({"core": [0, -1]}, r"the size of core dumps is \[0, -1\], not 0"),
        ({"tmpfs": {"/tmp": 12345678901, "/run/agent": 16777216}}, "/tmp has room for 12345678901 bytes"),
        ({"tmpfs": {"/tmp": 268435456}}, "/run/agent has room for None bytes, not 16777216"),
        ({"uid_map": ["0", "100000", "65536"]}, r"the engine maps uids \(0 100000 65536\): turn its userns-remap off"),
        ({"cpu": ["-1", "100000"]}, "the cpu limit is -1/100000"),
    ],
)
def test_an_open_wall_is_a_finding_and_is_named(changes, says):
    with pytest.raises(WallOpen, match=says):
        judge(PLAN, report(**changes))


def test_a_connection_that_only_the_host_noticed_is_a_finding_too():
    with pytest.raises(WallOpen, match=r"the host answers the sandbox at 172\.17\.0\.1"):
        judge(PLAN, dataclasses.replace(SEEN, heard=frozenset({"172.17.0.1"})))


def test_a_gateway_that_does_not_answer_proves_nothing():
    with pytest.raises(CannotTell, match="the gateway does not answer the sandbox"):
        judge(PLAN, report(gateway="TimeoutError:None"))


def test_silence_without_a_listener_that_can_be_reached_proves_nothing():
    with pytest.raises(CannotTell, match="so silence proves nothing"):
        judge(PLAN, dataclasses.replace(SEEN, reachable=frozenset()))


@pytest.mark.parametrize(("missing", "says"), [(0, "asked of the gateway"), (1, "asked of Docker's resolver")])
def test_a_name_that_the_gateway_did_not_deny_went_somewhere_else(missing, says):
    denied = frozenset({NONCES[1 - missing]})
    with pytest.raises(CannotTell, match=says):
        judge(PLAN, dataclasses.replace(SEEN, denied=denied))
