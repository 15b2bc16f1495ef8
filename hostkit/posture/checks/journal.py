"""The journal: what happened here, kept within bounds."""

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every

_KEPT = ("SystemMaxUse", "MaxRetentionSec")


@check(
    "journal-kept",
    severity="medium",
    unhardened="fail",
    why="Without it nobody can say what happened before the last reboot, and without bounds it fills the disk.",
    fix="hostkit bootstrap (play 50-journal).",
)
def journal_is_kept_within_bounds(host: Host, policy: Policy) -> Verdict:
    """The journal is on disk, kept over reboots, and has a size and an age at which it ends."""
    said = host.run("systemd-analyze", "cat-config", "systemd/journald.conf")
    lines = [line.partition("=") for line in said.splitlines() if not line.startswith("#")]
    settings = {key.strip(): value.strip() for key, _, value in lines}
    storage = settings.get("Storage", "auto")
    faults = [] if storage in {"auto", "persistent"} else [f"Storage is {storage}"]
    faults += [] if host.stat("/var/log/journal") else ["/var/log/journal is not there"]
    faults += [f"{key} is not set" for key in _KEPT if not settings.get(key)]
    return every(faults, ", ".join(f"{key} {settings.get(key)}" for key in _KEPT))
