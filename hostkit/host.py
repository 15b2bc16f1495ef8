"""The machine hostkit stands on: the only place that runs a command."""

import itertools
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hostkit.errors import CannotTell
from hostkit.traffic import Connection, connections

SHARED_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "davfs", "fuse.davfs", "fuse.glusterfs", "fuse.rclone", "fuse.sshfs"}
    | {"fuse.vmhgfs-fuse", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)
"""Types, as mount(8) names them, of file systems whose files belong to another machine or to a VM's host."""
NO_SHELLS = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false")
"""Shells that let nobody in."""
_PIECE = 65536
_READ_LIMIT = 4 * 1024 * 1024
_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass(frozen=True)
class Listener:
    """A socket that takes packets from elsewhere: protocol is tcp or udp, owner may be unknown."""

    protocol: str
    address: str
    port: int
    process: str = ""


@dataclass(frozen=True)
class FileFacts:
    """What lstat says of a path that is there: mode is the permission bits only."""

    mode: int
    uid: int
    gid: int
    kind: str


@dataclass(frozen=True)
class Login:
    """A live SSH session: the local address and port it came in on, and its peer."""

    address: str
    port: int
    peer: str


class Host(Protocol):
    """What checks and plans may ask of a machine. Every answer that cannot be had raises CannotTell."""

    @property
    def platform(self) -> str:
        """Return `linux` or `darwin`."""

    @property
    def is_root(self) -> bool:
        """Return whether this process may look everywhere."""

    def run(self, *command: str, timeout: float = 5.0, stdin: str = "") -> str:
        """Return what the command printed; raise CannotTell if it is missing, fails or takes over `timeout` s."""

    def read(self, path: str) -> str:
        """Return a text file's content, at most 4 MiB; raise CannotTell if it cannot be read."""

    def stat(self, path: str) -> FileFacts | None:
        """Return facts of the path itself (no link followed), None if it is not there."""

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the paths that match an absolute pattern, sorted."""

    def listeners(self) -> tuple[Listener, ...]:
        """Return all listening TCP and bound UDP sockets, v4 and v6."""

    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        """Return each interface with its addresses, v4 and v6, without a zone."""

    def default_routes(self) -> tuple[tuple[str, str], ...]:
        """Return (gateway, interface) of each default route, v4 and v6."""

    def ssh_sessions(self) -> tuple[Login, ...]:
        """Return every live SSH session into this machine."""

    def own_session(self) -> float | None:
        """Return when the SSH session began that this process runs in, in seconds since boot; None at the console."""

    def own_peer(self) -> str:
        """Return the address at the other end of the SSH session that this process runs in, empty at the console."""

    def connections(self) -> tuple[Connection, ...]:
        """Return every live connection, v4 and v6, containers' too; those within one namespace are left out."""


class LocalHost:
    """The machine this process runs on."""

    @property
    def platform(self) -> str:
        return sys.platform

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0

    def run(self, *command: str, timeout: float = 5.0, stdin: str = "") -> str:
        program = shutil.which(command[0], path=_ENVIRONMENT["PATH"])
        if program is None:
            raise CannotTell(f"{command[0]} is not installed")
        try:
            done = subprocess.run(  # noqa: S603 - an argument list, never a shell
                [program, *command[1:]],
                input=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                env=_ENVIRONMENT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotTell(f"{command[0]} gave no answer in {timeout:g} s") from None
        if done.returncode != 0:
            raise CannotTell(f"{' '.join(command[:3])} failed: {done.stderr.strip()[:200] or done.returncode}")
        return done.stdout

    def read(self, path: str) -> str:
        try:
            with Path(path).open("rb") as file:
                # In pieces: /proc/sys takes no request for more than the kernel would allocate at once.
                pieces = iter(lambda: file.read1(_PIECE), b"")
                return b"".join(itertools.islice(pieces, _READ_LIMIT // _PIECE)).decode("utf-8", errors="replace")
        except OSError as why:
            raise CannotTell(f"{path}: {why.strerror}") from None

    def stat(self, path: str) -> FileFacts | None:
        try:
            facts = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as why:
            raise CannotTell(f"{path}: {why.strerror}") from None
        return FileFacts(stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid, _kind(facts.st_mode))

    def glob(self, pattern: str) -> tuple[str, ...]:
        return tuple(sorted(str(path) for path in Path("/").glob(pattern.lstrip("/"))))

    def listeners(self) -> tuple[Listener, ...]:
        import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

        try:
            sockets = psutil.net_connections(kind="inet")
        except psutil.Error as why:
            raise CannotTell(f"sockets: {why}") from None
        return tuple(sorted({_listener(entry) for entry in sockets if _listens(entry)}, key=repr))

    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        import netifaces  # noqa: PLC0415 - same

        found = {}
        for name in netifaces.interfaces():
            try:
                families = netifaces.ifaddresses(name)
            except ValueError:  # it went away since it was listed, as a client's bridge does when it is stopped
                continue
            entries = [*families.get(netifaces.AF_INET, []), *families.get(netifaces.AF_INET6, [])]
            found[name] = tuple(entry["addr"].partition("%")[0] for entry in entries)
        return found

    def default_routes(self) -> tuple[tuple[str, str], ...]:
        import netifaces  # noqa: PLC0415 - same

        routes: Any = netifaces.gateways()
        families = (netifaces.AF_INET, netifaces.AF_INET6)
        return tuple((entry[0], entry[1]) for family in families for entry in routes.get(family, []))

    def ssh_sessions(self) -> tuple[Login, ...]:
        import psutil  # noqa: PLC0415 - same

        try:
            sockets: list[Any] = psutil.net_connections(kind="tcp")
        except psutil.Error as why:
            raise CannotTell(f"sockets: {why}") from None
        listening = {c.laddr.port: _process(c.pid) for c in sockets if c.status == "LISTEN"}
        ports = {port for port, name in listening.items() if name in _SSH_LISTENERS}
        ports = ports or {port for port, name in listening.items() if not name}
        live = [c for c in sockets if c.status == "ESTABLISHED" and c.laddr.port in ports]
        return tuple(sorted({_login(connection) for connection in live}, key=repr))

    def own_session(self) -> float | None:
        import psutil  # noqa: PLC0415 - same

        try:
            servers = _ssh_servers()
            return float(servers[0].create_time() - psutil.boot_time()) if servers else None
        except psutil.Error as why:
            raise CannotTell(f"who called hostkit cannot be seen: {why}") from None

    def own_peer(self) -> str:
        import psutil  # noqa: PLC0415 - same

        try:
            found = [_peers(server) for server in _ssh_servers()]
        except psutil.Error as why:
            raise CannotTell(f"where this session comes from cannot be seen: {why}") from None
        if found and not any(found):
            raise CannotTell("where this session comes from cannot be seen: sshd does not show its sockets")
        return next((peers[0] for peers in found if peers), "")

    def connections(self) -> tuple[Connection, ...]:
        return connections()


def _ssh_servers() -> list[Any]:
    """Return the processes of sshd that this one runs below, the nearest first."""
    import psutil  # noqa: PLC0415 - same

    return [process for process in psutil.Process().parents() if process.name().startswith("sshd")]


_SSH_LISTENERS = frozenset({"sshd", "systemd"})
"""Who listens for SSH: sshd, or systemd for a socket unit; where neither is to be seen, whoever hides its name."""


def _peers(server: Any) -> list[str]:
    """Return the other ends of a server's sockets; of its two processes the user's own may hide them, root's does not.

    They are one connection's: sshd holds the one that it serves.
    """
    import psutil  # noqa: PLC0415 - same

    try:
        sockets = server.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return []
    return [_bare(entry.raddr.ip) for entry in sockets if entry.status == "ESTABLISHED"]


def _login(connection: Any) -> Login:
    near, far = connection.laddr, connection.raddr
    return Login(_bare(near.ip), near.port, f"{_bare(far.ip)}:{far.port}")


def _bare(address: str) -> str:
    """Return an address without its zone, a v4 one that a v6 socket shows as itself."""
    return address.partition("%")[0].removeprefix("::ffff:")


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "other")


def _listens(entry: Any) -> bool:
    return entry.status == "LISTEN" or (entry.type == socket.SOCK_DGRAM and not entry.raddr)


def _listener(entry: Any) -> Listener:
    protocol = "udp" if entry.type == socket.SOCK_DGRAM else "tcp"
    return Listener(protocol, entry.laddr.ip, entry.laddr.port, _process(entry.pid))


def _process(pid: int | None) -> str:
    import psutil  # noqa: PLC0415 - same

    if pid is None:
        return ""
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return ""


def accounts(host: Host) -> list[list[str]]:
    """Return the seven fields of each account of /etc/passwd."""
    lines = [line.split(":") for line in host.read("/etc/passwd").splitlines()]
    return [line for line in lines if len(line) == 7]


def apt_sources(host: Host) -> tuple[str, ...]:
    """Return the paths of the files that say where apt fetches from; none where there is no apt."""
    patterns = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*.list", "/etc/apt/sources.list.d/*.sources")
    return tuple(path for pattern in patterns for path in host.glob(pattern))
