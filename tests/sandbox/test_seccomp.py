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


def test_sockets_are_of_four_families_each_by_its_exact_number():
    rules = [rule["args"] for rule in PROFILE["syscalls"] if "socket" in rule["names"]]
    assert all(test["op"] == "SCMP_CMP_EQ" for tests in rules for test in tests)
    unix, inet, inet6, netlink_route = ([(test["index"], test["value"]) for test in tests] for tests in rules)
    assert (unix, inet, inet6) == ([(0, 1)], [(0, 2)], [(0, 10)])
    assert netlink_route == [(0, 16), (2, 0)]
