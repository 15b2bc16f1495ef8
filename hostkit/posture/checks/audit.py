"""The kernel's own record of what was run, where no agent can reach it."""

import re

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.policy.uids import UIDS
from hostkit.posture.model import Verdict, check, every, fail, skip
from hostkit.posture.readings import in_container

_TOOL = "/sbin/auditctl"
_CONFIG = "/etc/audit/auditd.conf"
_AROUND = "the kernel's audit belongs to the machine around this container"
_STOPS = {"halt", "single", "suspend"}


def _rule(arch: str) -> re.Pattern[str]:
    """Return how the kernel lists the rule that covers every client's uid: flags in an order of its own."""
    calls = r"-S (execve,execveat|execveat,execve)"
    return re.compile(
        rf"-a always,exit -F arch={arch} {calls} -F uid>={UIDS.start} -F uid<={UIDS.stop - 1}( -F key=\S+)?"
    )


@check(
    "audit-commands",
    severity="high",
    unhardened="fail skip unknown",
    why="Without it nobody can say what an agent ran.",
    fix="hostkit bootstrap (play 55-audit); with audit_immutable a change waits for the next boot.",
)
def the_kernel_records_commands(host: Host, policy: Policy) -> Verdict:
    """The kernel records each command of every client's uid, 32-bit ones too, and a daemon writes it down."""
    if in_container(host):
        return skip(_AROUND)
    if host.stat(_TOOL) is None:
        return fail("auditd is not installed")
    if not host.is_root:
        raise CannotTell("the kernel tells its rules to root only", "sudo hostkit check")
    state = dict(line.partition(" ")[::2] for line in host.run(_TOOL, "-s").splitlines())
    listed = host.run(_TOOL, "-l").splitlines()
    faults = [] if state.get("enabled") in {"1", "2"} else ["the kernel's audit is off"]
    faults += [] if state.get("pid", "0") != "0" else ["no daemon takes its records"]
    faults += [f"no rule for {arch}" for arch in ("b64", "b32") if not any(map(_rule(arch).fullmatch, listed))]
    locked = policy.host.audit_immutable and state.get("enabled") != "2"
    faults += ["the rules are not locked until the next boot"] if locked else []
    return every(faults, f"uids {UIDS.start}-{UIDS.stop - 1}, {state.get('lost', '?')} records lost")


@check(
    "audit-log",
    severity="medium",
    unhardened="fail skip unknown",
    why="A log that fills the disk stops the host, and one that stops itself keeps no record.",
    fix="hostkit bootstrap (play 55-audit).",
)
def the_record_turns_over(host: Host, policy: Policy) -> Verdict:
    """The audit's log turns over within bounds, stops neither host nor itself, and is closed to everybody else."""
    if in_container(host):
        return skip(_AROUND)
    if host.stat(_CONFIG) is None:
        return fail("auditd is not installed")
    lines = [line.partition("=") for line in host.read(_CONFIG).splitlines() if not line.startswith("#")]
    settings = {key.strip(): value.strip().lower() for key, _, value in lines}
    action = settings.get("max_log_file_action")
    faults = [] if action == "rotate" else [f"max_log_file_action is {action}"]
    faults += [f"{key} is {word}" for key, word in settings.items() if key.endswith("_action") and word in _STOPS]
    log = host.stat(settings.get("log_file", "/var/log/audit/audit.log"))
    faults += [f"the log's mode is {log.mode:04o}"] if log and log.mode & 0o007 else []
    return every(faults, f"{settings.get('num_logs')} files of {settings.get('max_log_file')} MB")
