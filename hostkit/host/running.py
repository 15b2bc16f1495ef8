"""What runs on the machine this process runs on, and which sockets it holds; psutil is loaded when one asks."""

import functools
import socket
import sys
from collections.abc import Callable
from typing import Any

from hostkit.errors import CannotTell
from hostkit.host.model import Listener, Process
from hostkit.host.traffic import Connection

_FIELDS = ("pid", "ppid", "name", "cmdline", "uids", "create_time")
_KERNEL = 2 if sys.platform == "linux" else 0
"""kthreadd, the parent of all kernel threads, which have no command line."""


def _told(facts: dict[str, Any]) -> Process:
    uids = facts["uids"]
    words, uid = tuple(facts["cmdline"] or ()), uids.effective if uids else -1
    return Process(facts["pid"], facts["ppid"] or 0, facts["name"] or "", words, uid, facts["create_time"] or 0.0)


def processes() -> tuple[Process, ...]:
    """Do what `Host.processes` guarantees."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    try:
        seen = [_told(entry.info) for entry in psutil.process_iter(_FIELDS)]
    except psutil.Error as why:
        raise CannotTell(f"processes: {why}") from None
    return tuple(entry for entry in seen if entry.words or _KERNEL not in {entry.pid, entry.parent})


def listeners() -> tuple[Listener, ...]:
    """Do what `Host.listeners` guarantees."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    try:
        sockets = psutil.net_connections(kind="inet")
    except psutil.Error as why:
        raise CannotTell(f"sockets: {why}") from None
    named = functools.cache(owner)  # of 20,000 sockets, ten processes' may be all
    return tuple(sorted({_listener(entry, named) for entry in sockets if _listens(entry)}, key=repr))


def _listens(entry: Any) -> bool:
    return entry.status == "LISTEN" or (entry.type == socket.SOCK_DGRAM and not entry.raddr)


def _listener(entry: Any, named: Callable[[int | None], str]) -> Listener:
    protocol = "udp" if entry.type == socket.SOCK_DGRAM else "tcp"
    return Listener(protocol, entry.laddr.ip, entry.laddr.port, named(entry.pid))


def conversations() -> tuple[Connection, ...]:
    """Return every live connection of this host, for where there is no /proc; raise CannotTell unless all may be seen.

    A Mac tells them to root alone.
    """
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    try:
        sockets = psutil.net_connections(kind="inet")
    except psutil.Error as why:
        raise CannotTell(f"sockets: {why}") from None
    listening = {entry.laddr.port for entry in sockets if entry.laddr and entry.status == "LISTEN"}
    talking = [entry for entry in sockets if entry.raddr and entry.status in {"ESTABLISHED", "NONE"}]
    return tuple(sorted({_connection(entry, listening) for entry in talking}, key=repr))


def _connection(entry: Any, listening: set[int]) -> Connection:
    protocol = "udp" if entry.type == socket.SOCK_DGRAM else "tcp"
    near, far = bare(entry.laddr.ip), bare(entry.raddr.ip)
    inward = protocol == "tcp" and entry.laddr.port in listening
    name, uid = owner(entry.pid), _uid(entry.pid)
    return Connection(protocol, near, entry.laddr.port, far, entry.raddr.port, uid, name, inward=inward)


def _uid(pid: int | None) -> int:
    """Return whose a process is, -1 where that is not to be seen."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    try:
        return int(psutil.Process(pid).uids().effective) if pid else -1
    except psutil.Error:
        return -1


def bare(address: str) -> str:
    """Return an address without its zone, a v4 one that a v6 socket shows as itself."""
    return address.partition("%")[0].removeprefix("::ffff:")


def owner(pid: int | None) -> str:
    """Return the name of the process that holds a socket, empty where it is not to be seen."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    if pid is None:
        return ""
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return ""
