"""What a thief with the disk would read; reported, never changed."""

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, ok
from hostkit.posture.readings import mounted


@check(
    "disk-encryption",
    severity="medium",
    why="A Mini or a small server is carried away in a bag.",
    fix="Reinstall on LUKS; hostkit does not change disks.",
)
def root_is_encrypted(host: Host, policy: Policy) -> Verdict:
    """The root file system lies on an encrypted device."""
    source = next((source for place, _, source in reversed(mounted(host)) if place == "/"), "")
    if not source.startswith("/dev/"):
        return fail(f"/ is on {source or 'nothing'}, no device to look below")
    kinds = host.run("lsblk", "--noheadings", "--inverse", "--output", "TYPE", source).split()
    return ok(f"{source} on crypt") if "crypt" in kinds else fail(f"{source} is on {', '.join(dict.fromkeys(kinds))}")


@check(
    "disk-swap",
    severity="low",
    why="Secrets in memory end up on the disk.",
    fix="Encrypt swap with a random key (crypttab), use zram, or turn it off.",
)
def swap_is_off_or_encrypted(host: Host, policy: Policy) -> Verdict:
    """Swap is off, in memory, or on an encrypted device."""
    areas = [line.split()[0] for line in host.read("/proc/swaps").splitlines()[1:]]
    disks = [area for area in areas if not area.startswith("/dev/zram")]
    open_ones = [
        a for a in disks if "crypt" not in host.run("lsblk", "--noheadings", "--inverse", "--output", "TYPE", a)
    ]
    return every(open_ones, ", ".join(areas) or "no swap")
