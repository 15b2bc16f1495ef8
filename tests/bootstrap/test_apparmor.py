"""The agents' AppArmor profile: what it lets through is what the launch plan needs, and no more."""

import json
import re

import jinja2
import pytest
import yaml

from hostkit.bootstrap.apparmor import NAME, mode, rules
from hostkit.bootstrap.plays import FOLDER, Machine, plays, variables
from hostkit.shipped import shipped
from tests.conftest import make_policy
from tests.launch.test_plan import PLAN

DISTRIBUTIONS = yaml.safe_load((FOLDER / "linux/distributions.yml").read_text())
LINES = [line.strip() for line in rules().splitlines() if line.startswith("  ") and not line.strip().startswith("#")]
FILE = re.compile(r"(?P<deny>(?:audit )?deny )?(?:owner )?(?P<path>/\S*) (?P<may>[a-z]+),")
AARE = {"**": ".*", "*": "[^/]*", "{": "(", "}": ")", ",": "|", ".": r"\."}
UNWRITTEN = """
/hostkit /etc/passwd /usr/bin/python3 /root/.ssh/authorized_keys /home/other/x /run/agents/x
/proc/sys/kernel/core_pattern /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_forward /proc/irq/1/x /proc/sysrq-trigger
/proc/7/mem /proc/7/uid_map /proc/7/attr/current /proc/7/attr/apparmor/exec
/sys/fs/cgroup/memory.max /sys/kernel/mm/ksm/run /sys/module/x/parameters/y /sys/fs/x /sys/x/y
/dev/kmsg /dev/mem /dev/sda /dev/fuse /dev/mqueue/x
"""
UNREAD = """
/proc/kcore /proc/kallsyms /proc/keys /proc/kpagecount /proc/sysrq-trigger /proc/timer_list
/sys/firmware/efi/efivars/x /sys/kernel/security/apparmor/profiles /sys/kernel/debug/x
/sys/devices/virtual/powercap/intel-rapl/energy_uj
"""
FAMILIES = {"unix": 1, "inet": 2, "inet6": 10, "netlink": 16}


def written(distribution):
    """Return what the play writes into /etc/apparmor.d on a distribution."""
    play = next(play for play in plays() if play.subject == "apparmor")
    tasks = yaml.safe_load(play.file.read_text())[0]["tasks"]
    content = next(task["ansible.builtin.copy"]["content"] for task in tasks if "ansible.builtin.copy" in task)
    given = variables(make_policy(), "console", Machine(DISTRIBUTIONS[distribution]))
    return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(content).render(given)


def matches(pattern, path):
    """Return whether a path is one that a file rule names, as AppArmor reads its globs."""
    plain = re.sub(r"\*\*|[*{},.]", lambda found: AARE[found[0]], pattern)
    return path != "/" and re.fullmatch(plain, path) is not None


def may(path, permission):
    """Return whether the profile grants a permission on a path: a denial wins over every grant."""
    found = [rule for rule in map(FILE.fullmatch, LINES) if rule and matches(rule["path"], path)]
    said = {bool(rule["deny"]) for rule in found if permission in rule["may"]}
    return said == {False}


@pytest.mark.parametrize("part", [PLAN.agent, PLAN.probe], ids=lambda part: part.name)
def test_every_place_that_the_plan_writes_can_be_written(part):
    places = [*part.tmpfs, *(mount.target for mount in part.mounts if not mount.read_only)]
    assert [place for place in places if not may(f"{place}/made", "w")] == []


@pytest.mark.parametrize("path", ["/workspace/.venv/lib/x.so", "/home/agent/.local/bin/tool", "/tmp/x/y"])
def test_what_an_agent_builds_it_can_link_lock_load_and_run(path):
    assert [permission for permission in "rwklmx" if not may(path, permission)] == []


@pytest.mark.parametrize("path", UNWRITTEN.split())
def test_nothing_of_the_image_the_kernel_or_the_machine_is_written_locked_or_linked(path):
    kinds = "wl" + ("k" if path.startswith(("/proc", "/sys")) else "")
    assert [permission for permission in kinds if may(path, permission)] == []


@pytest.mark.parametrize("path", UNREAD.split())
def test_what_tells_of_the_machine_is_not_even_read(path):
    assert not may(path, "r")


@pytest.mark.parametrize("path", ["/proc/meminfo", "/proc/self/status", "/sys/fs/cgroup/memory.max", "/etc/passwd"])
def test_what_programs_ask_to_know_how_much_they_may_use_is_read(path):
    assert may(path, "r")


def test_besides_files_there_are_rules_for_sockets_signals_and_seeing_ones_own_kind():
    rest = [line for line in LINES if not FILE.fullmatch(line)]
    assert {line.split()[0] for line in rest} == {"network", "signal", "ptrace"}
    assert [line for line in rest if line.startswith("ptrace")] == ["ptrace (read, readby) peer=hostkit-agent,"]
    senders = [line for line in rest if line.startswith("signal receive")]
    assert senders == ["signal receive peer={unconfined,runc,crun},"]


def test_sockets_are_of_the_four_families_of_the_system_call_filter_and_raw_only_to_ask_for_addresses():
    sockets = {tuple(line.rstrip(",").split()[1:]) for line in LINES if line.startswith("network")}
    calls = json.loads((shipped("sandbox") / "seccomp.json").read_text())["syscalls"]
    filtered = {call["args"][0]["value"] for call in calls if call["names"] == ["socket"]}
    assert {FAMILIES[family] for family, _ in sockets} == filtered
    assert {family for family, kind in sockets if kind == "raw"} == {"netlink"}
    assert {kind for _, kind in sockets} <= {"stream", "dgram", "seqpacket", "raw"}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_play_writes_it_with_the_abi_of_the_distributions_parser(distribution):
    text = written(distribution)
    assert text.splitlines()[1] == f"abi <abi/{DISTRIBUTIONS[distribution]['apparmor_abi']}>,"
    assert text.endswith(rules())
    assert f"\nprofile {NAME} flags=" in text


@pytest.mark.parametrize(
    ("profiles", "found"),
    [
        ("docker-default (enforce)\nhostkit-agent (enforce)\n", "enforce"),
        ("hostkit-agent (complain)\n", "complain"),
        ("not-hostkit-agent (enforce)\nhostkit-agent//sub (enforce)\n", ""),
        ("", ""),
    ],
)
def test_the_kernel_tells_in_which_mode_it_holds_the_profile(profiles, found):
    assert mode(profiles) == found
