"""What the kernel's audit sees of a sandbox: every command, under the very uid that the plan names."""

import json
import re
import secrets
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from hostkit.policy.uids import SLOTS, UID_BASE
from tests.machines.machine import local, unavailable

pytestmark = [pytest.mark.docker, pytest.mark.audit]

CONFIG = """\
log_file = {folder}/audit.log
log_format = RAW
local_events = yes
write_logs = yes
flush = INCREMENTAL_ASYNC
freq = 1
max_log_file = 8
num_logs = 2
max_log_file_action = IGNORE
space_left = 2
admin_space_left = 1
space_left_action = IGNORE
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
plugin_dir = {folder}/plugins
"""
RANGE = ("-F", f"uid>={UID_BASE}", "-F", f"uid<={UID_BASE + 2 * SLOTS - 1}")
RULES = [("-F", f"arch={arch}", "-S", "execve,execveat", *RANGE) for arch in ("b64", "b32")]


def daemon():
    """Return the pid of the audit daemon that the kernel talks to, 0 if there is none."""
    return int(re.search(r"^pid (\d+)", local("auditctl", "-s").stdout, re.MULTILINE)[1])


@pytest.fixture
def audit_log(tmp_path):
    """A log of every command of hostkit's uids: two rules for the whole range, as the design has it."""
    if missing := [tool for tool in ("auditd", "auditctl") if not shutil.which(tool)]:
        unavailable(f"not installed: {', '.join(missing)}; run: scripts/prepare test")
    own = None
    if not daemon():
        (tmp_path / "plugins").mkdir()
        (tmp_path / "auditd.conf").write_text(CONFIG.format(folder=tmp_path))
        own = subprocess.Popen(["auditd", "-n", "-c", str(tmp_path)], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not daemon():
            assert own.poll() is None, "auditd ended"
            assert time.monotonic() < end, "auditd did not start within 10 s"
            time.sleep(0.05)
    for rule in RULES:
        local("auditctl", "-a", "always,exit", *rule)
    try:
        yield tmp_path / "audit.log" if own else Path("/var/log/audit/audit.log")
    finally:
        for rule in RULES:
            local("auditctl", "-d", "always,exit", *rule)
        if own:
            own.terminate()
            own.wait(10)
            local("auditctl", "-e", "0")


def commands(log, word, seconds=5):
    """Return the uid of each recorded program whose arguments hold the word."""
    end = time.monotonic() + seconds
    while True:
        lines = log.read_text(errors="replace").splitlines()
        serials = {re.search(r":(\d+)\)", line)[1] for line in lines if "type=EXECVE" in line and word in line}
        uids = [
            int(re.search(r" uid=(\d+)", line)[1])
            for line in lines
            if "type=SYSCALL" in line and re.search(r":(\d+)\)", line)[1] in serials
        ]
        if uids or time.monotonic() > end:
            return uids
        time.sleep(0.1)


def test_every_command_of_an_agent_is_recorded_under_the_uid_that_its_plan_names(hostkit, audit_log):
    assert hostkit("launch", "e2e-one").returncode == 0
    planned = json.loads(hostkit("plan", "e2e-one").stdout)["host_uid"]
    for way in (
        ("true",),
        ("sh", "-c", "true {}; exec true {}"),
        ("python3", "-c", "import os; os.execvp('true', ['true', '{}'])"),
    ):
        word = secrets.token_hex(8)
        assert commands(audit_log, word, 0) == []
        done = hostkit(
            "exec", "e2e-one", "--", *(part.replace("{}", word) for part in way), *([word] if way == ("true",) else [])
        )
        assert done.returncode == 0, done.stderr
        assert set(commands(audit_log, word)) == {planned}


def test_two_clients_are_told_apart_by_their_uid(hostkit, audit_log):
    for client in ("e2e-one", "e2e-two"):
        assert hostkit("launch", client).returncode == 0
    word = secrets.token_hex(8)
    uids = []
    for client in ("e2e-one", "e2e-two"):
        hostkit("exec", client, "--", "true", f"{word}-{client}")
        uids += set(commands(audit_log, f"{word}-{client}"))
    assert len(set(uids)) == 2
