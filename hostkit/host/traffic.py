"""Live connections of every network namespace, from /proc alone: only from there are containers' to be seen."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hostkit.errors import CannotTell

_ESTABLISHED, _LISTEN = "01", "0A"
_CONTAINER = re.compile(r"[0-9a-f]{64}")
_UNIT = re.compile(r"[^/]+\.(?:service|scope)")


@dataclass(frozen=True)
class Connection:
    """A live connection: TCP that is established, or UDP that has a peer; whose it is, and where that one runs.

    `place` is its unit or container. `inward`: the other side opened it. Not `own`: it is in a network namespace other
    than this host's, so this host forwards it.
    """

    protocol: str
    near: str
    near_port: int
    far: str
    far_port: int
    uid: int
    process: str = ""
    place: str = ""
    inward: bool = False
    own: bool = True


@dataclass(frozen=True)
class Row:
    """A line of /proc/net/tcp, tcp6, udp or udp6."""

    protocol: str
    near: str
    near_port: int
    far: str
    far_port: int
    state: str
    uid: int
    inode: str


def rows(text: str, protocol: str) -> list[Row]:
    """Return the lines of one file of /proc/net."""
    return [_row(words, protocol) for line in text.splitlines()[1:] if len(words := line.split()) > 9]


def _row(words: list[str], protocol: str) -> Row:
    near, far = (_address(word) for word in words[1:3])
    return Row(protocol, *near, *far, words[3], int(words[7]), words[9])


def _address(word: str) -> tuple[str, int]:
    """Return the address and port of `0100007F:0016`: each four bytes are a number in this machine's own order."""
    number, _, port = word.partition(":")
    packed = b"".join(bytes.fromhex(number[i : i + 8])[::-1] for i in range(0, len(number), 8))
    address = ipaddress.ip_address(packed)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address), int(port, 16)


def live(found: Iterable[Row]) -> list[tuple[Row, bool]]:
    """Return the connections among the rows, each with whether the other side opened it."""
    every = tuple(found)
    listening = {row.near_port for row in every if row.protocol == "tcp" and row.state == _LISTEN}
    own = {row.near for row in every}
    kept = [row for row in every if row.state == _ESTABLISHED and row.far_port and not _inside(row, own)]
    return [(row, row.protocol == "tcp" and row.near_port in listening) for row in kept]


def _inside(row: Row, own: set[str]) -> bool:
    far = ipaddress.ip_address(row.far)
    return far.is_loopback or far.is_unspecified or row.far in own


def place(cgroup: str) -> str:
    """Return the container or the unit that a process's cgroup names: `container 0123456789ab`, `backup.service`."""
    paths = [line.rpartition(":")[2] for line in cgroup.splitlines()]
    ids = [found[0] for path in paths if (found := _CONTAINER.findall(path))]
    units = [found[-1] for path in paths if (found := _UNIT.findall(path))]
    return f"container {ids[0][:12]}" if ids else units[0] if units else ""


def connections(proc: Path = Path("/proc")) -> tuple[Connection, ...]:
    """Return what lives in any namespace; raise CannotTell if this host's own cannot be read."""
    spaces = _spaces(proc)
    own = _space(proc / "self")
    if own not in spaces:
        raise CannotTell(f"{proc}/self/ns/net: whose connections live here cannot be seen")
    found = [(row, inward, space == own) for space, process in spaces.items() for row, inward in live(_read(process))]
    holders = _holders(proc, {row.inode for row, _, _ in found})
    made = {_connection(row, inward, mine, holders) for row, inward, mine in found}
    return tuple(sorted(made, key=repr))


def _connection(row: Row, inward: bool, own: bool, holders: Mapping[str, Path]) -> Connection:  # noqa: FBT001
    holder = holders.get(row.inode)
    process, where = (_text(holder / "comm").strip(), place(_text(holder / "cgroup"))) if holder else ("", "")
    return Connection(
        row.protocol, row.near, row.near_port, row.far, row.far_port, row.uid, process, where, inward, own
    )


def _processes(proc: Path) -> Iterator[Path]:
    return (path for path in proc.iterdir() if path.name.isdecimal())


def _space(process: Path) -> str:
    with suppress(OSError):
        return str((process / "ns/net").readlink())
    return ""


def _spaces(proc: Path) -> dict[str, Path]:
    """Return one process of each network namespace; the one that looks stands for its own."""
    found = {space: process for process in _processes(proc) if (space := _space(process))}
    return {**found, _space(proc / "self"): proc / "self"} if _space(proc / "self") else found


def _read(process: Path) -> list[Row]:
    names = (("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp"))
    return [row for name, protocol in names for row in rows(_text(process / "net" / name), protocol)]


def _holders(proc: Path, inodes: set[str]) -> dict[str, Path]:
    """Return a process that holds each socket; one that ends meanwhile holds nothing."""
    found: dict[str, Path] = {}
    for process in _processes(proc):
        with suppress(OSError):
            for handle in (process / "fd").iterdir():
                inode = _inode(handle)
                if inode in inodes:
                    found.setdefault(inode, process)
    return found


def _inode(handle: Path) -> str:
    with suppress(OSError):
        return str(handle.readlink()).removeprefix("socket:[").removesuffix("]")
    return ""


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text("utf-8", errors="replace")
    return ""
