"""The kernel's own record of what was run, where no agent can reach it."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.policy.uids import UIDS
from hostkit.posture.files import writable
from hostkit.posture.model import Verdict, check, every, fail, skip
from hostkit.posture.readings import groups, in_container, once

_TOOL = "/sbin/auditctl"
_CONFIG = "/etc/audit/auditd.conf"
_LOG = "/var/log/audit/audit.log"
_AROUND = "the kernel's audit belongs to the machine around this container"
_STOPS = {"halt", "single", "suspend"}


@once
def _state(host: Host) -> dict[str, str]:
    """Return what the kernel says of its audit, by name; empty where no tool of it is installed."""
    return dict(line.partition(" ")[::2] for line in _told(host, "-s"))


@once
def _rules(host: Host) -> list[str]:
    return _told(host, "-l")


def _told(host: Host, flag: str) -> list[str]:
    if host.stat(_TOOL) is None:
        return []
    if not host.is_root:
        raise CannotTell("the kernel tells its rules to root only", "sudo hostkit check")
    return host.run(_TOOL, flag).splitlines()


@once
def _settings(host: Host) -> dict[str, str]:
    """Return what auditd goes by, words in small letters and paths as they are; empty where it is not installed."""
    if host.stat(_CONFIG) is None:
        return {}
    lines = [line.partition("=") for line in host.read(_CONFIG).splitlines() if not line.startswith("#")]
    told = {key.strip().lower(): value.strip() for key, _, value in lines}
    return {key: value if value.startswith("/") else value.lower() for key, value in told.items()}


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
    play="55-audit",
    references=("NIST SP 800-53 AU-12",),
)
def the_kernel_records_commands(host: Host, policy: Policy) -> Verdict:
    """The kernel records each command of every client's uid, 32-bit ones too, and a daemon writes it down."""
    if in_container(host):
        return skip(_AROUND)
    if host.stat(_TOOL) is None:
        return fail("auditd is not installed")
    state, listed = _state(host), _rules(host)
    faults = [] if state.get("enabled") in {"1", "2"} else ["the kernel's audit is off"]
    faults += [] if state.get("pid", "0") != "0" else ["no daemon takes its records"]
    faults += [f"no rule for {arch}" for arch in ("b64", "b32") if not any(map(_rule(arch).fullmatch, listed))]
    locked = policy.host.audit_immutable and state.get("enabled") != "2"
    faults += ["the rules are not locked until the next boot"] if locked else []
    return every(faults, f"uids {UIDS.start}-{UIDS.stop - 1}, {state.get('lost', '?')} records lost")


def _closed(host: Host, policy: Policy) -> tuple[tuple[str, ...], ...]:
    path = _settings(host).get("log_file", _LOG)
    log = host.stat(path)
    return (("chmod", "o-rwx", "--", path),) if log and log.mode & 0o007 else ()


@check(
    "audit-log",
    severity="medium",
    unhardened="fail skip unknown",
    why="A log that fills the disk stops the host, and one that stops itself keeps no record.",
    fix="hostkit bootstrap (play 55-audit).",
    play="55-audit",
    mend=_closed,
    references=("CIS Debian 12 6.2.4.1", "NIST SP 800-53 AU-5"),
)
def the_record_turns_over(host: Host, policy: Policy) -> Verdict:
    """The audit's log turns over within bounds, stops neither host nor itself, and is closed to everybody else."""
    if in_container(host):
        return skip(_AROUND)
    settings = _settings(host)
    if not settings:
        return fail("auditd is not installed")
    action = settings.get("max_log_file_action")
    faults = [] if action == "rotate" else [f"max_log_file_action is {action}"]
    faults += [f"{key} is {word}" for key, word in settings.items() if key.endswith("_action") and word in _STOPS]
    log = host.stat(settings.get("log_file", _LOG))
    faults += [f"the log's mode is {log.mode:04o}"] if log and log.mode & 0o007 else []
    return every(faults, f"{settings.get('num_logs')} files of {settings.get('max_log_file')} MB")


_MIB = 1024 * 1024


@check(
    "audit-space",
    severity="medium",
    unhardened="ok fail skip unknown",
    why="On a full disk the record ends in the very hour that somebody filled it.",
    fix="Make room on the file system of /var/log/audit, or ask for less in /etc/audit/auditd.conf.",
    references=("NIST SP 800-53 AU-4",),
)
def the_record_has_room(host: Host, policy: Policy) -> Verdict:
    """The disk holds all that the audit's log may still become, and then as much as it wants left free."""
    if in_container(host):
        return skip(_AROUND)
    settings = _settings(host)
    if not settings:
        return fail("auditd is not installed")
    if not host.is_root:
        raise CannotTell("the log's folder is root's to read", "sudo hostkit check")
    log = settings.get("log_file", _LOG)
    written = sum(facts.size for path in host.glob(f"{log}*") if (facts := host.stat(path)))
    size, number = (_number(settings, name) for name in ("max_log_file", "num_logs"))
    space = host.space(str(PurePosixPath(log).parent))
    part = space.total // 100 if settings.get("space_left", "").endswith("%") else _MIB
    wanted = max(0, size * number * _MIB - written) + _number(settings, "space_left") * part
    told = f"{space.free // _MIB} MiB free, {wanted // _MIB} wanted"
    return every([told] if space.free < wanted else [], told)


def _number(settings: dict[str, str], name: str) -> int:
    word = settings.get(name, "").rstrip("%")
    if not word.isdigit():
        raise CannotTell(f"{_CONFIG} does not say {name}", f"grep {name} {_CONFIG}")
    return int(word)


@check(
    "audit-config",
    severity="medium",
    unhardened="fail skip unknown",
    why="Whoever opens a wall changes one of these files first; the record says who, and when.",
    fix="hostkit bootstrap (play 55-audit); with audit_immutable a change waits for the next boot.",
    play="55-audit",
    references=("CIS Debian 12 6.2.3.1", "CIS Docker 1.1.9", "NIST SP 800-53 AU-12"),
)
def the_kernel_watches_the_walls(host: Host, policy: Policy) -> Verdict:
    """The kernel records each change to the policy, to sudo, SSH and the audit itself, and to the engine's socket."""
    if in_container(host):
        return skip(_AROUND)
    if host.stat(_TOOL) is None:
        return fail("auditd is not installed")
    watched = [place for rule in _rules(host) if (place := _watched(rule))]
    walls = ("/etc/hostkit", "/etc/sudoers", "/etc/sudoers.d", "/etc/audit", "/etc/ssh", "/run/docker.sock")
    wanted = [path for path in (policy.path, *walls) if path in {policy.path, "/run/docker.sock"} or host.stat(path)]
    faults = [f"{path} is not watched" for path in dict.fromkeys(wanted) if not _covered(path, watched)]
    faults += [] if _state(host).get("enabled") in {"1", "2"} else ["the kernel's audit is off"]
    return every(faults, f"{len(watched)} watches")


_WATCH = re.compile(r"-w (\S+) -p ([rwxa]+)(?: -k \S+)?")
_LONG = re.compile(r"-a always,exit(?: -F arch=b(?:32|64))?(?: -S \S+)? -F (?:path|dir)=(\S+) -F perm=([rwxa]+)"
                   r"(?: -F key=\S+)?")  # fmt: skip


def _watched(rule: str) -> str:
    """Return what a rule watches for every write and change of mode, empty for a rule of another sort or a narrower."""
    found = _WATCH.fullmatch(rule.strip()) or _LONG.fullmatch(rule.strip())
    return found[1].rstrip("/") if found and {"w", "a"} <= set(found[2]) else ""


def _covered(path: str, watched: Iterable[str]) -> bool:
    names = {path, path.replace("/run/", "/var/run/", 1), *map(str, PurePosixPath(path).parents)}
    return bool(names & set(watched))


@check(
    "audit-lost",
    severity="medium",
    unhardened="ok fail skip unknown",
    why="Whoever has something to hide makes so much noise that its record is lost in the flood.",
    fix="Give the kernel a longer queue (-b 16384 in /etc/audit/rules.d), find who floods it (aureport -x --summary),"
    " then auditctl --reset-lost.",
    references=("NIST SP 800-53 AU-5",),
)
def no_record_was_lost(host: Host, policy: Policy) -> Verdict:
    """No record of the kernel's audit was lost since it started, its queue is half empty, and it never halts."""
    if in_container(host):
        return skip(_AROUND)
    state = _state(host)
    if not state:
        return fail("auditd is not installed")
    words = {name: state.get(name, "") for name in ("lost", "backlog", "backlog_limit", "failure")}
    if odd := [name for name, word in words.items() if not word.isdigit()]:
        raise CannotTell(f"auditctl does not tell {', '.join(odd)}", "sudo auditctl -s")
    lost, waiting, limit, failure = (int(word) for word in words.values())
    faults = [] if state.get("enabled") in {"1", "2"} else ["the kernel's audit is off"]
    faults += [f"{lost} records are lost"] if lost else []
    faults += [f"{waiting} of {limit} wait in the queue"] if waiting * 2 > limit else []
    faults += ["a lost record halts the machine (failure 2)"] if failure == 2 else []
    return every(faults, f"none lost, {waiting} of {limit} wait")


@check(
    "audit-readable",
    severity="high",
    unhardened="ok fail skip unknown",
    why="Who reads the record learns the secrets on others' command lines; who writes it was never there.",
    fix="chmod -R o-rwx,g-w /var/log/audit; chown -R root /var/log/audit; gpasswd -d the account from the group.",
    references=("CIS Debian 12 6.2.4.1", "CIS Debian 12 6.2.4.2", "CIS Debian 12 6.2.4.4", "NIST SP 800-53 AU-9"),
)
def the_record_is_closed(host: Host, policy: Policy) -> Verdict:
    """Only root writes the audit's log and settings, and neither the agent's account nor a stranger reads the log."""
    if in_container(host):
        return skip(_AROUND)
    log = _settings(host).get("log_file", _LOG)
    if host.stat(log) is None and host.stat(_CONFIG) is None:
        return fail("auditd is not installed")
    if not host.is_root:
        raise CannotTell("the log's folder is root's to read", "sudo hostkit check")
    logs = (str(PurePosixPath(log).parent), *host.glob(f"{log}*"))
    facts = {path: found for path in logs if (found := host.stat(path))}
    faults = writable(host, (*logs, "/etc/audit", *host.glob("/etc/audit/*"), *host.glob("/etc/audit/rules.d/*")))
    faults += [f"{path}: mode {found.mode:04o}" for path, found in facts.items() if found.mode & 0o005]
    if readers := {found.gid for found in facts.values() if found.mode & 0o040 and found.gid}:
        faults += _agents(host, policy, readers)
    return every(faults, f"{len(facts)} files and folders")


def _agents(host: Host, policy: Policy, readers: set[int]) -> list[str]:
    """Return which of these groups holds the agent's account."""
    entries = [line.split(":") for line in host.read("/etc/group").splitlines() if line.count(":") == 3]
    names = [entry[0] for entry in entries if entry[2].isdigit() and int(entry[2]) in readers]
    members = groups(host)
    return [f"{policy.host.account} is in {name}" for name in names if policy.host.account in members.get(name, ())]
