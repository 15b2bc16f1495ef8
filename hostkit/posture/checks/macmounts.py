"""What of other machines is mounted on a Mac, or would be on a touch."""

import re

from hostkit.errors import CannotTell
from hostkit.host import SHARED_FILE_SYSTEMS, Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, printed
from hostkit.posture.model import Verdict, every

_OWN = frozenset({"apfs", "cd9660", "devfs", "exfat", "hfs", "msdos", "ntfs", "nullfs", "tmpfs", "udf"})
"""Types of file systems that lie on this machine."""
_MORE = frozenset({"acfs", "afpfs", "autofs", "ftp", "macfuse", "osxfuse", "webdav"})
"""Types that only a Mac has, of file systems elsewhere, and the automounter's."""
_STOCK = {"+auto_master", "/home auto_home", "/Network/Servers -fstab", "/- -static"}
_LINES = 10_000


def _mounted(host: Host) -> list[tuple[str, list[str]]]:
    """Return (source and place, type and options) of everything mounted.

    A share's name is its server's: it may hold " on ", "(apfs, local)" and line breaks. mount writes the true options
    last, so they are read from the end; a line that ends in none is part of such a name.
    """
    lines = printed(host, "/sbin/mount").splitlines()[:_LINES]
    found = [re.fullmatch(r"(.+) \(([^()]*)\)", line) for line in lines]
    whole = [(match.group(1), match.group(2).split(", ")) for match in found if match]
    if not any(place.endswith(" on /") for place, _ in whole) or len(lines) == _LINES:
        raise CannotTell(f"mount said nothing that is known: {brief(' '.join(lines[:3]))}")
    if len(whole) != len(lines):
        odd = next(line for line, match in zip(lines, found, strict=True) if match is None)
        raise CannotTell(f"mount lists something in a form that is not known: {brief(odd)}")
    return whole


@check(
    "macmounts-network",
    severity="high",
    why="A mounted share is somebody's files within the agent's reach.",
    fix="hostkit bootstrap (play 20-mounts); by hand: "
    "umount it, and take it out of the login items, /etc/auto_master and /etc/fstab.",
    play="20-mounts",
    references=("NIST SP 800-53 AC-20",),
)
def nothing_shared_is_mounted(host: Host, policy: Policy) -> Verdict:
    """No network file system is mounted, and none of a kind that hostkit does not know."""
    entries = [(place, options) for place, options in _mounted(host) if options[0] != "autofs"]
    away = [(place, options[0]) for place, options in entries if options[0] not in _OWN or "local" not in options]
    return every([f"{brief(place)} ({brief(kind)})" for place, kind in away], f"{len(entries)} mounted, all local")


@check(
    "macmounts-automatic",
    severity="medium",
    why="What mounts itself on a touch is as good as mounted, and no look at the mounts shows it.",
    fix="hostkit bootstrap (play 20-mounts); by hand: "
    "Take the line out of /etc/auto_master or /etc/fstab, then sudo automount -cv.",
    play="20-mounts",
    references=("NIST SP 800-53 CM-6",),
)
def nothing_shared_mounts_itself(host: Host, policy: Policy) -> Verdict:
    """No automounter and no line of fstab brings a share back, beyond the maps that macOS ships."""
    mounted = _mounted(host)
    if odd := next(
        (place for place, options in mounted if options[0] not in {*_OWN, *SHARED_FILE_SYSTEMS, *_MORE}), ""
    ):
        raise CannotTell(f"{brief(odd)} is of a kind that is not known")
    maps = [place for place, options in mounted if options[0] == "autofs"]
    faults = [brief(place) for place in maps if not place.startswith("map auto_home on ")]
    faults += [f"{brief(line)} in /etc/auto_master" for line in _lines(host, "/etc/auto_master") if not _stock(line)]
    return every(faults + [f"{brief(line)} in /etc/fstab" for line in _fstab(host)], "only what macOS ships")


def _lines(host: Host, path: str) -> list[str]:
    if host.stat(path) is None:
        return []
    lines = [line.partition("#")[0].strip() for line in host.read(path).splitlines()]
    return [line for line in lines if line]


def _stock(line: str) -> bool:
    return " ".join(line.split()[:2]) in _STOCK


def _fstab(host: Host) -> list[str]:
    lines = [line.split() for line in _lines(host, "/etc/fstab")]
    return [" ".join(words) for words in lines if len(words) < 3 or words[2] not in {*_OWN, "swap"}]
