"""The SSH sessions into the machine this process runs on, and the one that it runs in itself."""

import functools
from typing import Any

from hostkit.errors import CannotTell
from hostkit.host.model import Login
from hostkit.host.running import bare, owner


def ssh_sessions() -> tuple[Login, ...]:
    """Do what `Host.ssh_sessions` guarantees."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    try:
        sockets: list[Any] = psutil.net_connections(kind="tcp")
    except psutil.Error as why:
        raise CannotTell(f"sockets: {why}") from None
    named = functools.cache(owner)
    listening = {c.laddr.port: named(c.pid) for c in sockets if c.status == "LISTEN"}
    ports = {port for port, name in listening.items() if name in _SSH_LISTENERS}
    ports = ports or {port for port, name in listening.items() if not name}
    live = [c for c in sockets if c.status == "ESTABLISHED" and c.laddr.port in ports and _is_ssh(named(c.pid))]
    return tuple(sorted({_login(connection) for connection in live}, key=repr))


def own_session() -> float | None:
    """Do what `Host.own_session` guarantees."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    try:
        servers = _ssh_servers()
        return float(servers[0].create_time() - psutil.boot_time()) if servers else None
    except psutil.Error as why:
        raise CannotTell(f"who called hostkit cannot be seen: {why}") from None


def own_peer() -> str:
    """Do what `Host.own_peer` guarantees."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    try:
        found = [_peers(server) for server in _ssh_servers()]
    except psutil.Error as why:
        raise CannotTell(f"where this session comes from cannot be seen: {why}") from None
    if found and not any(found):
        raise CannotTell("where this session comes from cannot be seen: sshd does not show its sockets")
    return next((peers[0] for peers in found if peers), "")


def _ssh_servers() -> list[Any]:
    """Return the processes of sshd that this one runs below, the nearest first."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    return [process for process in psutil.Process().parents() if process.name().startswith("sshd")]


_SSH_LISTENERS = frozenset({"launchd", "sshd", "systemd"})
"""Who listens for SSH: sshd, or systemd and launchd for it; where none is to be seen, whoever hides its name."""


def _is_ssh(name: str) -> bool:
    """Return whether a connection's holder may be sshd: launchd listens for other services too."""
    return not name or name.startswith("sshd") or name == "systemd"


def _peers(server: Any) -> list[str]:
    """Return the other ends of a server's sockets; of its two processes the user's own may hide them, root's does not.

    They are one connection's: sshd holds the one that it serves.
    """
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    try:
        sockets = server.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return []
    return [bare(entry.raddr.ip) for entry in sockets if entry.status == "ESTABLISHED"]


def _login(connection: Any) -> Login:
    near, far = connection.laddr, connection.raddr
    return Login(bare(near.ip), near.port, f"{bare(far.ip)}:{far.port}")
