"""The one range of uids that hostkit takes on a host, and whether a started agent runs under the planned one."""

from collections.abc import Mapping

from hostkit.errors import HostkitError
from hostkit.host import Host
from hostkit.policy.uids import UIDS

_ACCOUNTS = ("/etc/passwd", "/etc/group")
_DELEGATED = ("/etc/subuid", "/etc/subgid")
FILES = (*_ACCOUNTS, *_DELEGATED)


def collisions(files: Mapping[str, str]) -> list[str]:
    """Return `file: line` for each account, group or delegated range that takes an id of hostkit's range."""
    found = []
    for path in FILES:
        for line in files.get(path, "").splitlines():
            taken = _taken(path, line)
            if taken.start < UIDS.stop and UIDS.start < taken.stop:
                found.append(f"{path}: {line.strip()}")
    return found


def refuse_collisions(host: Host) -> None:
    """Raise HostkitError if an account, group or delegated range of this host has an id of hostkit's range."""
    found = collisions({path: host.read(path) for path in FILES if host.stat(path) is not None})
    if found:
        do = f"move it out of {UIDS.start}-{UIDS.stop - 1}: sandboxes run under these ids"
        raise HostkitError("; ".join(found[:3]), do)


def _taken(path: str, line: str) -> range:
    words = line.split(":")
    numbers = [int(word) if word.isdigit() else None for word in words[1:3]]
    if len(numbers) < 2 or numbers[1] is None:
        return range(0)
    if path in _ACCOUNTS:
        return range(numbers[1], numbers[1] + 1)
    return range(0) if numbers[0] is None else range(numbers[0], numbers[0] + numbers[1])


def mapped(uid_map: str) -> bool:
    """Return whether a uid map changes any uid: the whole range on itself is one line, 0 0 4294967295."""
    return [line.split() for line in uid_map.splitlines()] != [["0", "0", "4294967295"]]


def wrong_uid(planned: int, status: str, uid_map: str) -> str:
    """Return how a process's host uids (from /proc) differ from the planned one, empty if they do not."""
    if mapped(uid_map):
        lines = ", ".join(" ".join(line.split()) for line in uid_map.splitlines())
        return f"the engine maps uids ({lines or 'no map'}); hostkit's audit and volumes need the planned ones"
    found = next((line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")), [])
    if found == [str(planned)] * 4:
        return ""
    return f"on the host the agent is uid {'/'.join(found) or 'unknown'}, not {planned}"
