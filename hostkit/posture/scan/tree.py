"""Which files the secret scan reads, and which it will not: chosen by data, walked before anything is read."""

import posixpath
import sys
from dataclasses import dataclass
from pathlib import PurePosixPath

from hostkit import engine
from hostkit.errors import CannotTell
from hostkit.health import state_directory
from hostkit.host import SHARED_FILE_SYSTEMS, Host, accounts
from hostkit.host.trees import Thing
from hostkit.policy import Policy
from hostkit.posture.readings import containers, mounted

LARGEST = 1024 * 1024 * 1024
"""Bytes above which a file is told instead of read."""
CLOSED = "cannot be opened"
_MOST = 5_000_000
_WHOLE = ("/etc", "/opt", "/srv", "/var/backups", "/var/crash", "/var/lib/systemd/coredump")
_JOURNAL = "/var/log/journal"
"""Compressed, in a form of its own: the scanner would read noise."""
_VOLUMES = "/var/lib/docker/volumes/hostkit-*/_data"
_PSEUDO = frozenset(
    {"autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs"}
    | {"fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "securityfs", "sysfs", "tracefs"}
)
_ARCHIVES = (".7z", ".bz2", ".gz", ".jar", ".lz4", ".rar", ".tar", ".tgz", ".xz", ".zip", ".zst")
_REPOSITORY = {"HEAD", "objects", "refs"}


@dataclass(frozen=True)
class Walk:
    """What lies below the roots: `skipped` is not entered, `unread` says of each place that is not read why."""

    roots: tuple[str, ...]
    skipped: tuple[str, ...]
    repositories: tuple[str, ...]
    unread: tuple[str, ...]
    files: int
    size: int
    archives: int


def chosen(host: Host, policy: Policy) -> tuple[str, ...]:
    """Return the folders and files to read: the policy's, hostkit's and its clients', homes, /etc, /opt, /srv, logs."""
    found = [*_WHOLE, str(PurePosixPath(policy.path).parent), str(state_directory())]
    for name, _, uid, _, _, home, _ in accounts(host):
        if name == policy.host.account:
            found.append(home)
        elif home.count("/") > 0 and home != "/" and (uid == "0" or (uid.isdigit() and 1000 <= int(uid) < 65534)):
            found += [path for path in host.glob(f"{home}/.*") if posixpath.basename(path) not in {".", ".."}]
    logs = [path for path in host.glob("/var/log/*") if path != _JOURNAL]
    return _outermost([*found, *logs, *host.glob(_VOLUMES), *_of_containers()])


def _of_containers() -> list[str]:
    """Return where the volumes and the output of hostkit's clients lie."""
    ours = [document for document in containers() if engine.owner(document)]
    mounts = [mount for document in ours for mount in document.get("Mounts") or ()]
    volumes = [str(mount.get("Source", "")) for mount in mounts if mount.get("Type") == "volume"]
    return [*volumes, *(str(document.get("LogPath") or "") for document in ours)]


def is_store(path: str) -> bool:
    """Return whether a path lies in a volume that hands a client its secrets."""
    return any(part.startswith("hostkit-") and part.endswith("-secrets") for part in path.split("/"))


def _outermost(paths: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted({path.rstrip("/") for path in paths if path.startswith("/") and not is_store(path)} - {""}):
        if not kept or not f"{path}/".startswith(f"{kept[-1]}/"):
            kept.append(path)
    return tuple(kept)


def walked(host: Host, roots: tuple[str, ...]) -> Walk:
    """Return what lies below the roots; a local file system that is mounted there is walked too.

    Where hostkit itself is installed is skipped: its packages come by their hashes, and with examples of secrets.
    """
    tally = _Tally(sys.prefix)
    kinds = {place: kind for place, kind, _ in mounted(host)}
    waiting = [*roots]
    while waiting:
        for entry in host.things(waiting.pop()):
            if entry.kind == "mount" and kinds.get(entry.path, "?") not in SHARED_FILE_SYSTEMS | _PSEUDO | {"?"}:
                waiting.append(entry.path)
            else:
                tally.add(entry, kinds.get(entry.path, "?"))
    return tally.walk(tuple(root for root in roots if root in tally.there))


class _Tally:
    def __init__(self, own: str) -> None:
        self._own = f"{own}/"
        self._skipped = [own]
        self.there: set[str] = set()
        self._parts: dict[str, set[str]] = {}
        self._unread: list[str] = []
        self._files = self._size = self._archives = self._seen = 0

    def add(self, entry: Thing, mount: str) -> None:
        self._seen += 1
        if self._seen > _MOST:
            raise CannotTell(
                f"more than {_MOST} files below what is scanned", "move what is no configuration elsewhere"
            )
        self.there.add(entry.path)
        if entry.path.startswith(self._own):
            return
        folder, _, name = entry.path.rpartition("/")
        if name in _REPOSITORY:
            self._parts.setdefault(folder, set()).add(name)
        if entry.kind == "file":
            self._file(entry)
        elif entry.kind == "closed":
            self._unread.append(f"{entry.path} {CLOSED}")
        elif entry.kind == "mount":
            self._skipped.append(entry.path)
            self._unread += [] if mount in _PSEUDO else [f"{entry.path} is another file system ({mount})"]

    def _file(self, entry: Thing) -> None:
        if entry.size > LARGEST:
            self._unread.append(f"{entry.path} is {entry.size / LARGEST:.1f} GiB")
            return
        self._files, self._size = self._files + 1, self._size + entry.size
        self._archives += entry.path.endswith(_ARCHIVES)

    def walk(self, roots: tuple[str, ...]) -> Walk:
        repositories = tuple(sorted(folder for folder, parts in self._parts.items() if parts == _REPOSITORY))
        unread, skipped = tuple(sorted(self._unread)), tuple(self._skipped)
        return Walk(roots, skipped, repositories, unread, self._files, self._size, self._archives)
