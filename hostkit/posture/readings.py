"""What several checks read, read once a run."""

import threading
from typing import Any

from hostkit import engine
from hostkit.errors import CannotTell
from hostkit.host import Host, accounts

_lock = threading.Lock()
_kept: dict[str, Any] = {}


def forget() -> None:
    """Drop what an earlier run read."""
    with _lock:
        _kept.clear()


def containers() -> list[dict[str, Any]]:
    """Return the inspect document of every container, none if there is no engine; raise CannotTell if it is deaf."""
    if not engine.exists():
        return []
    with _lock:
        if "containers" not in _kept:
            _kept["containers"] = _asked()
        found = _kept["containers"]
    if isinstance(found, CannotTell):
        raise found
    documents: list[dict[str, Any]] = found
    return documents


def _asked() -> Any:
    try:
        return engine.containers(all=True)
    except CannotTell as why:
        return why


def named(document: dict[str, Any]) -> str:
    """Return a container's name."""
    return str(document.get("Name", "?")).lstrip("/")


def mounted(host: Host) -> list[tuple[str, str, str]]:
    """Return (mount point, type, source) of everything mounted, octal escapes undone."""
    found = []
    for line in host.read("/proc/self/mountinfo").splitlines():
        words = line.split()
        dash = words.index("-")
        found.append((_plain(words[4]), words[dash + 1], _plain(words[dash + 2])))
    return found


def _plain(word: str) -> str:
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        word = word.replace(escape, character)
    return word


def groups(host: Host) -> dict[str, tuple[str, ...]]:
    """Return the members of each group of /etc/group, those whose primary group it is included."""
    entries = [line.split(":") for line in host.read("/etc/group").splitlines() if line.count(":") == 3]
    primary = [(line[3], line[0]) for line in accounts(host)]
    return {
        name: (*(m for m in members.split(",") if m), *(user for gid, user in primary if gid == number))
        for name, _, number, members in entries
    }


def in_container(host: Host) -> bool:
    """Return whether this machine's kernel is another machine's, by systemd's own word for it."""
    return host.stat("/run/systemd/container") is not None
