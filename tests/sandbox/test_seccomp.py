"""The filter of a sandbox: what it lets through is listed, and the file is the one that the list makes."""

import importlib.util
import json
from pathlib import Path

import pytest

SANDBOX = Path(__file__).parents[2] / "sandbox"
PROFILE = json.loads((SANDBOX / "seccomp.json").read_text())
ALLOWED = {name for rule in PROFILE["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
REFUSED = """\
io_uring_setup io_uring_enter io_uring_register userfaultfd keyctl add_key request_key bpf perf_event_open kexec_load
kexec_file_load mount umount2 move_mount fsopen fsconfig fsmount open_tree mount_setattr pivot_root chroot unshare setns
ptrace process_vm_readv process_vm_writev open_by_handle_at init_module finit_module delete_module socketcall quotactl
syslog acct swapon swapoff reboot iopl ioperm vhangup kcmp modify_ldt fanotify_init settimeofday clock_settime
"""


def test_the_file_is_the_one_that_the_list_makes():
    spec = importlib.util.spec_from_file_location("make_seccomp", SANDBOX / "make_seccomp.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.profile() == PROFILE


def test_what_is_not_listed_is_refused():
    assert (PROFILE["defaultAction"], PROFILE["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)


@pytest.mark.parametrize("name", REFUSED.split())
def test_no_rule_lets_this_call_through(name):
    assert name not in ALLOWED


def passes(value, test):
    if test["op"] == "SCMP_CMP_MASKED_EQ":
        return value & test["value"] == test["valueTwo"]
    assert test["op"] == "SCMP_CMP_EQ"
    return value == test["value"]


def is_let_through(*arguments):
    """Return whether a socket of this family, type and protocol, as 64 bits each, passes a rule."""
    rules = [rule["args"] for rule in PROFILE["syscalls"] if "socket" in rule["names"]]
    return any(all(passes(arguments[test["index"]], test) for test in tests) for tests in rules)


FLAGS = 0o2004000
HIGH = 1 << 32  # which the kernel does not read


@pytest.mark.parametrize("socket", [
    (1, 1, 0), (1, 5, 0), (2, 1, 0), (2, 1, 6), (2, 1, 262), (2, 2, 0), (2, 2, 17), (2, 2, 1), (10, 1, 6), (10, 2, 17),
    (10, 2, 58), (2, 1 | FLAGS, 6), (10, 2 | FLAGS, 0), (16, 3, 0), (16, 2 | FLAGS, 0),
])  # fmt: skip
def test_what_an_agents_programs_use_is_let_through(socket):
    assert is_let_through(*socket)


@pytest.mark.parametrize("socket", [
    (2, 1, 132), (2, 5, 132), (2, 5, 0), (10, 1, 132), (2, 6, 33), (2, 6, 0), (10, 6, 0), (2, 3, 1), (2, 2, 136),
    (2, 2, 58), (2, 10, 0), (2, 6 | FLAGS, 0), (2, 1 | 0x10, 0), (2, HIGH | 6, 0), (2, 1, HIGH | 132),
    (HIGH | 2, 1, 132), (16, 3, 9), (16, 3, HIGH), (17, 3, 3), (21, 5, 0), (29, 3, 1), (30, 2, 0),
    (38, 5, 0), (40, 1, 0), (0, 0, 0),
])  # fmt: skip
def test_what_would_load_a_module_or_reach_the_kernel_is_not(socket):
    assert not is_let_through(*socket)
