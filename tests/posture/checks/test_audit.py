from hostkit.host import FileFacts
from hostkit.posture.checks import audit as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
LOCKED = make_policy({"audit_immutable": True})
TOOL = "/sbin/auditctl"
ASKED = ((TOOL, "-s"), (TOOL, "-l"))
STATE = "enabled 1\nfailure 1\npid 312\nlost 0\n"
RULES = "".join(
    f"-a always,exit -F arch={arch} -S execve,execveat -F uid>=70000 -F uid<=70511 -F key=hostkit-exec\n"
    for arch in ("b64", "b32")
)
INSIDE = {"/run/systemd/container": "lxc"}
CONFIG = "max_log_file = 16\nnum_logs = 10\nmax_log_file_action = ROTATE\ndisk_full_action = ROTATE\n"
COMMANDS, LOG = subject.the_kernel_records_commands, subject.the_record_turns_over


def kernel(state=STATE, rules=RULES, **more):
    return FakeHost(dict(zip(ASKED, (state, rules), strict=True)), files={TOOL: ""}, **more)


def config(text, mode=0o640):
    return FakeHost(
        files={"/etc/audit/auditd.conf": text}, facts={"/var/log/audit/audit.log": FileFacts(mode, 0, 4, "file")}
    )


CASES = [
    (COMMANDS, kernel(), P, "ok", "uids 70000-70511, 0 records lost"),
    (COMMANDS, kernel(rules=RULES.splitlines()[0]), P, "fail", "no rule for b32"),
    (COMMANDS, kernel(rules=RULES.replace("uid<=70511", "uid<=70001")), P, "fail", "no rule for b64, no rule for b32"),
    (COMMANDS, kernel(rules=RULES.replace("execve,execveat", "execve")), P, "fail", "no rule for b64"),
    (COMMANDS, kernel(rules=RULES.replace("-F key", "-F success=0 -F key")), P, "fail", "no rule for b64"),
    (COMMANDS, kernel(STATE.replace("enabled 1", "enabled 0")), P, "fail", "audit is off"),
    (COMMANDS, kernel(STATE.replace("pid 312", "pid 0")), P, "fail", "no daemon takes its records"),
    (COMMANDS, kernel(), LOCKED, "fail", "not locked until the next boot"),
    (COMMANDS, kernel(STATE.replace("enabled 1", "enabled 2")), LOCKED, "ok", "uids"),
    (COMMANDS, FakeHost(), P, "fail", "auditd is not installed"),
    (COMMANDS, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (COMMANDS, kernel(root=False), P, "unknown", "to root only"),
    (LOG, config(CONFIG), P, "ok", "10 files of 16 MB"),
    (LOG, config(CONFIG.replace("file_action = ROTATE", "file_action = KEEP_LOGS")), P,
     "fail", "max_log_file_action is keep_logs"),
    (LOG, config(CONFIG.replace("full_action = ROTATE", "full_action = HALT")), P, "fail", "disk_full_action is halt"),
    (LOG, config(CONFIG, 0o644), P, "fail", "mode is 0644"),
    (LOG, FakeHost(), P, "fail", "auditd is not installed"),
    (LOG, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (LOG, FakeHost(facts={"/etc/audit/auditd.conf": FileFacts(0o640, 0, 0, "file")}), P, "unknown", "not taught"),
]  # fmt: skip
