"""What of other machines is mounted here, or would be on a touch."""

from collections.abc import Iterator

from hostkit.bootstrap.plays import distribution
from hostkit.errors import CannotTell
from hostkit.host import NO_SHELLS, SHARED_FILE_SYSTEMS, Host, accounts
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every
from hostkit.posture.readings import Mount, all_processes, mounted, mounts, words_of

_TABLES = ("/etc/auto.master", "/etc/auto.master.d/*.autofs")


@check(
    "mounts-network",
    severity="high",
    unhardened="ok fail",
    why="A mounted share is somebody's files within the agent's reach.",
    fix="hostkit bootstrap (play 20-mounts), or umount it and take it out of /etc/fstab.",
    play="20-mounts",
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
    play="20-mounts",
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
    play="20-mounts",
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


_OWN = ("/etc/hostkit", "/var/lib/hostkit", "/usr/local/lib/hostkit")


def _trees(host: Host, policy: Policy) -> list[str]:
    """Return the folders that are hostkit's or the agent's, as they are named: its home, if it has one."""
    homes = [line[5] for line in accounts(host) if line[0] == policy.host.account]
    named = [*_OWN, *(home.rstrip("/") for home in homes)]
    return [tree for tree in dict.fromkeys(named) if tree and host.stat(tree)]


def _real(host: Host, path: str) -> str:
    """Return a path with each link on the way undone; empty where they go round, and the kernel gives up too."""
    parts, done, links = path.split("/")[1:], "", 0
    while parts:
        part = parts.pop(0)
        if part in {"", "."}:
            continue
        if part == "..":
            done = done.rpartition("/")[0]
            continue
        target = host.link(f"{done}/{part}")
        if target is None:
            done = f"{done}/{part}"
            continue
        links += 1
        if links > 40:
            return ""
        done, parts = ("" if target.startswith("/") else done), [*target.split("/"), *parts]
    return done or "/"


def _within(path: str, tree: str) -> bool:
    return f"{path}/".startswith(f"{tree.rstrip('/')}/")


_SYNCERS = frozenset(
    """
    cloud-drive-daemon dropbox dropboxd goodsync google-drive-ocamlfuse grive insync maestral mega-cmd-server megasync
    nextcloud nextcloudcmd odrive odriveagent onedrive onedriver owncloud owncloudcmd pcloud rclone resilio-sync rslsync
    seadrive seaf-cli seaf-daemon syncthing synology-drive unison
    """.split()  # noqa: SIM905 - a list of words reads as one
)
_SYNCED = ("cloudstorage", "dropbox", "google drive", "googledrive", "icloud", "insync", "megasync", "mobile documents",
           "nextcloud", "onedrive", "owncloud", "pclouddrive", "resilio sync", "seafile", "syncthing")  # fmt: skip
_VOLUMES = ("/var/lib/docker",)
"""Where the engine keeps the clients' workspaces."""
_MARKS = (".stfolder", ".dropbox.cache", ".owncloudsync.log", ".nextcloudsync.log", ".megaignore")


@check(
    "mounts-synced",
    severity="high",
    unhardened="ok fail unknown",
    why="A folder that is synced lies on every machine of its owner, and on the provider's.",
    fix="Move the named folder to a disk of this machine, and take the program that syncs off it.",
    references=("NIST SP 800-53 AC-20",),
)
def nothing_is_synced_elsewhere(host: Host, policy: Policy) -> Verdict:
    """Nothing of hostkit's or the agent's lies in a folder that is synced elsewhere, and no program here syncs."""
    trees = [*_trees(host, policy), *(tree for tree in _VOLUMES if host.stat(tree))]
    faults = [f"{tree} lies in {place}" for tree in trees if (place := _synced(host, _real(host, tree)))]
    faults += sorted({f"{word} runs" for entry in all_processes(host) for word in words_of(entry) & _SYNCERS})
    return every(faults, "no synced folder, and nothing that syncs")


def _synced(host: Host, path: str) -> str:
    """Return the synced folder that a path lies in, by its name or by what its program leaves there."""
    parts = path.split("/")[1:]
    for number, part in enumerate(parts, 1):
        place = "/" + "/".join(parts[:number])
        if part.lower().startswith(_SYNCED) or any(host.stat(f"{place}/{mark}") for mark in _MARKS):
            return place
    return ""


_ENTRIES = 20_000


@check(
    "mounts-links",
    severity="critical",
    unhardened="ok fail unknown",
    why="One link is enough, and the agent's folder holds a person's files.",
    fix="Remove the link, or umount the named place and take it out of /etc/fstab.",
    references=("NIST SP 800-53 AC-3",),
)
def nothing_leads_into_a_home(host: Host, policy: Policy) -> Verdict:
    """No link and no bind mount leads from hostkit's or the agent's folders into a person's home."""
    homes, trees = _homes(host, policy), _trees(host, policy)
    faults, unseen = [f"{place} is mounted there from {at}" for place, at in _bound(host, trees, homes)], []
    for tree in trees:
        try:
            faults += [f"{path} leads to {at}" for path, at in _links(host, tree) if _meets(at, homes)]
        except CannotTell as why:
            unseen.append(str(why))
    if unseen and not faults:
        raise CannotTell(unseen[0], "sudo hostkit check")
    return every(faults, f"none in {', '.join(trees) or 'no folder of theirs'}")


def _homes(host: Host, policy: Policy) -> list[str]:
    """Return the homes of people, and root's."""
    people = [line for line in accounts(host) if line[2].isdecimal() and line[6] not in NO_SHELLS]
    homes = [line[5] for line in people if 1000 <= int(line[2]) < 65534 and line[0] != policy.host.account]
    return [home for home in dict.fromkeys(_real(host, home) for home in ("/root", *homes)) if home not in {"", "/"}]


def _meets(path: str, homes: list[str]) -> bool:
    """Return whether a path lies in a home, or holds one."""
    return bool(path) and any(_within(path, home) or _within(home, path) for home in homes)


def _links(host: Host, tree: str) -> Iterator[tuple[str, str]]:
    """Yield (link, where it leads in the end) of a tree and of all below it."""
    real = _real(host, tree)
    if real != tree:
        yield tree, real
    for path, to in host.below(real, _ENTRIES):
        if to is not None:
            yield path, _real(host, to if to.startswith("/") else f"{path.rpartition('/')[0]}/{to}")


def _bound(host: Host, trees: list[str], homes: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (mount point, home) of what is mounted in the trees and shows in a home, or around one, as well."""
    every_one = mounts(host)
    for one in every_one:
        if any(_within(one.place, tree) for tree in trees):
            origins = [_seen_at(one, other) for other in every_one if other.place != one.place]
            yield from ((one.place, origin) for origin in origins if _meets(origin, homes))


def _seen_at(one: Mount, other: Mount) -> str:
    """Return where another mount of the same file system shows the same folder, empty if it does not."""
    if one.device != other.device or not _within(one.root, other.root):
        return ""
    return f"{other.place.rstrip('/')}/{one.root[len(other.root.rstrip('/')) :].lstrip('/')}".rstrip("/") or "/"


_BARE = ("/tmp", "/dev/shm")  # noqa: S108 - they are looked at, nothing is put there
_WANTED = ("nosuid", "nodev")


@check(
    "mounts-options",
    severity="low",
    unhardened="ok fail unknown",
    why="Where everybody may write, a program that runs as root and a device that is the disk are one file away.",
    fix="Mount the named place with nosuid,nodev: systemctl enable --now tmp.mount makes /tmp a tmpfs with both.",
    references=(
        "CIS Debian 12 1.1.2.1.2",
        "CIS Debian 12 1.1.2.1.3",
        "CIS Debian 12 1.1.2.2.2",
        "CIS Debian 12 1.1.2.2.3",
    ),
)
def everybodys_folders_hold_no_setuid(host: Host, policy: Policy) -> Verdict:
    """In /tmp and /dev/shm a setuid program is no setuid program, and a device is no device."""
    deeper = sorted(mounts(host), key=lambda mount: len(mount.place))
    found = {place: mount for mount in deeper for place in _BARE if _within(place, mount.place)}
    if set(found) != set(_BARE):
        raise CannotTell("/proc/self/mountinfo does not show what /tmp and /dev/shm lie on", "findmnt -T /tmp")
    faults = [
        f"{place} lies on {mount.place}, without {_lacks(mount)}" for place, mount in found.items() if _lacks(mount)
    ]
    runs = [place for place, mount in found.items() if "noexec" not in mount.options]
    return every(
        faults, f"nosuid,nodev; programs run from {' and '.join(runs) or 'neither'} (noexec would break installers)"
    )


def _lacks(mount: Mount) -> str:
    return ",".join(word for word in _WANTED if word not in mount.options)
