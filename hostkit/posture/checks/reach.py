"""What the agent's account and a client's uid can really reach on this host: tried, or read off the paths."""

import json
import sys
from pathlib import Path
from typing import Any

import hostkit
from hostkit import health
from hostkit.errors import CannotTell
from hostkit.host import Host, accounts
from hostkit.policy import Policy
from hostkit.policy.uids import UIDS
from hostkit.posture import attempt
from hostkit.posture.access import Paths, Reader, paths, untrusted
from hostkit.posture.homes import people
from hostkit.posture.model import Verdict, check, every, fail

_FILES = ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key",
          "/var/log/audit/audit.log", "/var/log/auth.log", "/proc/1/environ", "/proc/1/mem", "/proc/kcore", "/dev/mem",
          "/dev/sda", "/dev/vda", "/dev/nvme0n1")  # fmt: skip
_FOLDERS = ("/proc/1/root", "/var/lib/docker", "/var/lib/docker/volumes", "/var/lib/containerd")
_SOCKETS = ("/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
            "/run/crio/crio.sock", "/run/incus/unix.socket", "/var/lib/incus/unix.socket", "/var/lib/lxd/unix.socket",
            "/var/snap/lxd/common/lxd/unix.socket", "/run/libvirt/libvirt-sock")  # fmt: skip
_VOLUMES = "/var/lib/docker/volumes"
_KNOWN = (("directory", "/"), ("file", "/etc/passwd"))
"""What everybody may open: an attempt that cannot open either proves nothing."""
_DENIED = {"EACCES", "EPERM"}
_ABSENT = {"ENOENT", "ENXIO", "ENODEV", "ESRCH"}
_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
_MOST = 2000
_CLIENT = UIDS.stop - 1
"""The last uid of the clients' range: one of them, and most likely nobody's own."""


def _canaries(host: Host, policy: Policy, own: str) -> list[tuple[str, str]]:
    """Return (kind, path) of what nobody but its owner may open, as far as it is there."""
    files, state = [*_FILES, policy.path], str(health.state_directory())
    folders = [*_FOLDERS, state, *(home for home in people(host) if home != own)]
    volumes = host.names(_VOLUMES) if host.stat(_VOLUMES) else ()
    folders += [f"{_VOLUMES}/{name}/_data" for name in volumes if name.startswith("hostkit")]
    wanted = [("file", path) for path in files] + [("socket", path) for path in _SOCKETS]
    wanted += [("directory", path) for path in dict.fromkeys(folders)]
    found = [(kind, path) for kind, path in wanted if host.stat(path) is not None]
    if len(found) > _MOST:
        raise CannotTell(f"there are {len(found)} homes, volumes and files to try, more than {_MOST}")
    return found


_PATIENCE = 9.0
"""Seconds for the child that tries: a little less than a probe has, so that what it lacks is told by name."""


def _tried(host: Host, uid: int, gid: int, order: dict[str, Any]) -> dict[str, str]:
    """Return how it went for a child of root's that became this uid; raise CannotTell if it could open nothing."""
    whole = {"uid": uid, "gid": gid, "name": "", **order, "paths": [*_KNOWN, *order["paths"]]}
    said = host.run(sys.executable, "-I", "-S", attempt.__file__, timeout=_PATIENCE, stdin=json.dumps(whole))
    try:
        told = dict(json.loads(said).items())
    except (ValueError, AttributeError):
        raise CannotTell(f"what the attempt as uid {uid} said is not understood") from None
    if all(told.get(path) != "opened" for _, path in _KNOWN):
        raise CannotTell(f"uid {uid} could open not even {_KNOWN[0][1]}, so that nothing opened says nothing")
    return told


def _account(host: Host, policy: Policy) -> tuple[int, int, str] | None:
    """Return the uid, the gid and the home of the agent's account."""
    entry = next((line for line in accounts(host) if line[0] == policy.host.account), None)
    return (int(entry[2]), int(entry[3]), entry[5]) if entry else None


def _need_root(host: Host) -> None:
    if not host.is_root:
        raise CannotTell("only root can become another uid", "sudo hostkit check")


@check(
    "reach-files",
    severity="critical",
    unhardened="fail",
    kind="probe",
    why="Modes, groups, lists and mounts add up in the kernel only; what an agent could open is seen by opening it.",
    fix="chmod o-rwx the named path, take the account out of the group that owns it, or stop what serves the socket.",
    references=("NIST SP 800-53 AC-3", "NIST SP 800-53 AC-6"),
)
def what_is_not_the_agents_does_not_open(host: Host, policy: Policy) -> Verdict:
    """Tried as the agent's account and as a client: no home, secret, volume, state or engine of others opens."""
    _need_root(host)
    account = _account(host, policy)
    if account is None:
        return fail(f"there is no account {policy.host.account}")
    uid, gid, own = account
    wanted = _canaries(host, policy, own)
    told = {"the agent's account": _tried(host, uid, gid, {"paths": wanted, "name": policy.host.account})}
    told["a client"] = _tried(host, _CLIENT, _CLIENT, {"paths": wanted})
    faults, odd = [], []
    for who, answers in told.items():
        faults += [f"{path} opens for {who}" for _, path in wanted if answers.get(path) in {"opened", "ECONNREFUSED"}]
        odd += [f"{path}: {answers.get(path)}" for _, path in wanted if answers.get(path) not in _DENIED | _ABSENT]
    if odd and not faults:
        raise CannotTell(f"not all was denied, nor opened: {', '.join(odd[:3])}")
    return every(faults, f"{len(wanted)} tried as uid {uid} and as {_CLIENT}, all denied")


@check(
    "reach-processes",
    severity="high",
    unhardened="ok fail",
    kind="probe",
    why="Who can attach to a process takes its memory, and every secret in it, without opening a file.",
    fix="hostkit bootstrap (play 45-kernel) sets kernel.yama.ptrace_scope to 1.",
    play="45-kernel",
    references=("NIST SP 800-53 AC-6",),
)
def no_process_can_be_taken_hold_of(host: Host, policy: Policy) -> Verdict:
    """Tried as a client: it attaches to no process but its own children, and reads no other's memory or environment."""
    _need_root(host)
    wanted = [("file", f"/proc/1/{name}") for name in ("environ", "mem", "maps")]
    told = _tried(host, _CLIENT, _CLIENT, {"paths": wanted, "attach": True})
    faults = [f"{path} opens" for _, path in wanted if told.get(path) == "opened"]
    faults += ["one process takes hold of another of its uid"] if told.get("beside") == "opened" else []
    odd = [key for key in (*(path for _, path in wanted), "beside") if told.get(key) not in _DENIED | _ABSENT]
    if odd and not faults:
        raise CannotTell(f"not all was denied, nor opened: {', '.join(f'{key}: {told.get(key)}' for key in odd)}")
    scope = host.read(_SCOPE).strip() if host.stat(_SCOPE) else "not there"
    if told.get("child") != "opened" and scope not in {"2", "3"} and not faults:
        raise CannotTell("the attempt could not take hold of its own child either, so that it failed says nothing")
    return every(faults, f"a process holds no more than its children (yama's ptrace_scope is {scope})")


_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_STARTED = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/run/systemd/system",
            "/etc/init.d", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
            "/etc/cron.monthly", "/var/spool/cron", "/var/spool/cron/crontabs")  # fmt: skip
_SETTINGS = ("/etc", "/etc/apt/apt.conf.d", "/etc/apt/sources.list.d", "/etc/apt/trusted.gpg.d", "/etc/docker",
             "/etc/hostkit", "/etc/ld.so.conf.d", "/etc/logrotate.d", "/etc/modprobe.d", "/etc/modules-load.d",
             "/etc/pam.d", "/etc/profile.d", "/etc/security", "/etc/ssh", "/etc/ssh/sshd_config.d", "/etc/sudoers.d",
             "/etc/sysctl.d", "/etc/tmpfiles.d", "/etc/udev/rules.d", "/root", "/boot", "/usr/lib/modules")  # fmt: skip


@check(
    "reach-writes",
    severity="critical",
    unhardened="ok fail",
    why="What root runs, reads or starts tomorrow is what somebody could write today.",
    fix="chown root the named path and chmod go-w it, and each folder above it.",
    references=("CIS Debian 12 5.4.2.5", "NIST SP 800-53 CM-5", "NIST SP 800-53 SI-7"),
)
def nothing_that_root_runs_can_be_written(host: Host, policy: Policy) -> Verdict:
    """Neither the agent's account nor a client can write what root runs, starts or goes by, or move it away."""
    _need_root(host)
    readers, seen = untrusted(host, policy), paths(host)
    ways = [seen.way(folder) for folder in (*_PATH, *_STARTED, *_SETTINGS, *_own())]
    folders = dict.fromkeys(way[-1] for way in ways if way)
    inside = [f"{folder.rstrip('/')}/{name}" for folder in folders for name in host.names(folder)]
    files = [policy.path, sys.executable, str(health.state_directory())]
    doubtful = [*folders, *files, *(place for place in inside if _is_doubtful(seen, place, readers))]
    faults = [place for place in doubtful if any(seen.may_change(reader, place) for reader in readers)]
    return every(sorted(set(faults)), f"{len(inside)} paths in {len(folders)} folders")


def _is_doubtful(seen: Paths, place: str, readers: tuple[Reader, ...]) -> bool:
    """Return whether a path in a folder that is judged itself could still be written by one of the readers."""
    facts = seen.facts(place)
    if facts is None:
        return False
    loose = facts.kind == "link" or bool(facts.mode & 0o022)
    return loose or any(facts.uid in reader.uids for reader in readers)


def _own() -> tuple[str, ...]:
    """Return the folders of hostkit's own code, and of what it imports."""
    code = Path(hostkit.__file__).parent
    inside = [str(path) for path in code.iterdir() if path.is_dir()]
    return (
        str(code),
        *inside,
        *(path for path in sys.path if path.endswith("site-packages")),
        str(Path(sys.prefix, "bin")),
    )
