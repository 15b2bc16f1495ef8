"""What of other machines is mounted here, or would be on a touch."""

from hostkit.bootstrap.plays import distribution
from hostkit.errors import CannotTell
from hostkit.host import SHARED_FILE_SYSTEMS, Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every
from hostkit.posture.readings import mounted

_TABLES = ("/etc/auto.master", "/etc/auto.master.d/*.autofs")


@check(
    "mounts-network",
    severity="high",
    unhardened="ok fail",
    why="A mounted share is somebody's files within the agent's reach.",
    fix="hostkit bootstrap (play 20-mounts), or umount it and take it out of /etc/fstab.",
)
def nothing_shared_is_mounted(host: Host, policy: Policy) -> Verdict:
    """No network or host-shared file system is mounted."""
    return every(
        [f"{place} ({kind})" for place, kind, _ in mounted(host) if kind in SHARED_FILE_SYSTEMS], "none mounted"
    )


@check(
    "mounts-automatic",
    severity="medium",
    unhardened="ok fail",
    why="What mounts itself on a touch is as good as mounted, and no look at the mounts shows it.",
    fix="hostkit bootstrap (play 20-mounts), or stop autofs and take the line out of /etc/fstab.",
)
def nothing_shared_mounts_itself(host: Host, policy: Policy) -> Verdict:
    """No automounter and no line of fstab brings a share back."""
    faults = [f"{place} (autofs)" for place, kind, _ in mounted(host) if kind == "autofs" and "binfmt" not in place]
    faults += [f"{words[1]} in /etc/fstab" for words in _fstab(host) if words[2] in SHARED_FILE_SYSTEMS]
    faults += [path for table in _TABLES for path in host.glob(table) if _has_lines(host, path)]
    return every(faults, "nothing mounts itself")


def _fstab(host: Host) -> list[list[str]]:
    if host.stat("/etc/fstab") is None:
        return []
    lines = [line.split() for line in host.read("/etc/fstab").splitlines() if not line.lstrip().startswith("#")]
    return [words for words in lines if len(words) >= 3]


def _has_lines(host: Host, path: str) -> bool:
    try:
        lines = host.read(path).splitlines()
    except CannotTell:
        return True
    return any(line.strip() and not line.lstrip().startswith(("#", "+")) for line in lines)


@check(
    "mounts-servers",
    severity="high",
    unhardened="ok fail unknown",
    why="A file server hands this machine's files, the clients' among them, to whoever asks on the network.",
    fix="hostkit bootstrap (play 20-mounts).",
)
def nothing_serves_files(host: Host, policy: Policy) -> Verdict:
    """No file server runs here, and none would start at boot."""
    names = distribution(host.read("/etc/os-release"))
    if names is None:
        raise CannotTell("which file servers this distribution has is not known")
    said = host.run("systemctl", "show", "--property=Id,ActiveState,UnitFileState", *names["file_servers"])
    units = [dict(line.partition("=")[::2] for line in part.splitlines()) for part in said.split("\n\n")]
    faults = [f"{unit.get('Id')} runs" for unit in units if unit.get("ActiveState") == "active"]
    faults += [f"{unit.get('Id')} is enabled" for unit in units if unit.get("UnitFileState") == "enabled"]
    return every(faults, f"none of {len(units)} runs or is enabled")
