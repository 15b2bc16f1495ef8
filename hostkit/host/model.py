"""What may be asked of a machine, and the values of its answers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from hostkit.host.attempts import Outcome, Try
from hostkit.host.traffic import Connection
from hostkit.host.trees import Thing

SHARED_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "davfs", "fuse.davfs", "fuse.glusterfs", "fuse.rclone", "fuse.sshfs"}
    | {"fuse.vmhgfs-fuse", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)
"""Types, as mount(8) names them, of file systems whose files belong to another machine or to a VM's host."""
NO_SHELLS = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false")
"""Shells that let nobody in."""


@dataclass(frozen=True)
class Listener:
    """A socket that takes packets from elsewhere: protocol is tcp or udp, owner may be unknown."""

    protocol: str
    address: str
    port: int
    process: str = ""


@dataclass(frozen=True)
class Process:
    """A running program: `words` are its command line, `started` is in seconds since the epoch."""

    pid: int
    parent: int
    name: str
    words: tuple[str, ...]
    uid: int
    started: float = 0.0


@dataclass(frozen=True)
class Space:
    """A file system's size and what root may still fill of it, in bytes and in files (0 where it has no such limit)."""

    total: int
    free: int
    files: int = 0
    free_files: int = 0


@dataclass(frozen=True)
class Clock:
    """How well the kernel says that its clock keeps time, in seconds; `kept` is False where nobody sets it."""

    kept: bool
    offset: float
    error: float


@dataclass(frozen=True)
class FileFacts:
    """What lstat says of a path that is there: mode is the permission bits, modified in seconds since the epoch."""

    mode: int
    uid: int
    gid: int
    kind: str
    size: int = 0
    modified: float = 0.0


@dataclass(frozen=True)
class Entry:
    """One line of an access control list: `tag` is one of acl(5)'s, `bits` of rwx, `number` a uid or gid."""

    tag: int
    bits: int
    number: int


@dataclass(frozen=True)
class Login:
    """A live SSH session: the local address and port it came in on, and its peer."""

    address: str
    port: int
    peer: str


@dataclass(frozen=True)
class Said:
    """What a command answered, whatever it came to: its exit code and both its streams."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def both(self) -> str:
        """Return what it printed, errors last, for tools that answer on either."""
        return self.out + self.err


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

    def pour(
        self, *command: str, timeout: float, codes: tuple[int, ...], environment: Mapping[str, str], shown: bool = False
    ) -> Iterator[str]:
        """Give the lines that a long command prints, as they come; its stderr is dropped, or `shown` to the terminal.

        Raise CannotTell if it is missing, ends with none of the codes or takes over `timeout` s. It ends with whoever
        asked for it.
        """

    def things(self, root: str) -> Iterator[Thing]:
        """Return everything below a root, itself included, no link followed and no other file system entered."""

    def ask(self, *command: str, timeout: float = 5.0, stdin: str = "") -> Said:
        """Return what the command answered, for where an exit code or an error is an answer too.

        Raise CannotTell if it is missing or takes over `timeout` s.
        """

    def read(self, path: str) -> str:
        """Return a text file's content, at most 4 MiB; raise CannotTell if it cannot be read."""

    def stat(self, path: str) -> FileFacts | None:
        """Return facts of the path itself (no link followed), None if it is not there."""

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the paths that match an absolute pattern, sorted."""

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory, none if it is not there; raise CannotTell past 10,000 of them."""

    def acl(self, path: str) -> tuple[Entry, ...]:
        """Return the access control list that goes beyond a path's mode, none if it has no such list."""

    def link(self, path: str) -> str | None:
        """Return where a symbolic link points, as it is written; None if there is no link at that path."""

    def space(self, path: str) -> Space:
        """Return how much the file system below a path holds."""

    def clock(self) -> Clock:
        """Return how far the kernel's clock may be from the time, as the kernel itself says."""

    def close(self, path: str, mode: int, owner: int = -1, group: int = -1) -> None:
        """Take from a path the permission bits that `mode` has not, then give it away as chown(2) does; see `shut`."""

    def processes(self) -> tuple[Process, ...]:
        """Return every process that this user may see, kernel threads left out."""

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

    def attempts(self, uid: int, gid: int, tries: tuple[Try, ...]) -> tuple[Outcome, ...]:
        """Return what came of each try, made as that account; raise CannotTell where it cannot be taken."""

    def below(self, tree: str, most: int) -> tuple[tuple[str, str | None], ...]:
        """Return (path, where it points if it is a link) of all but the folders below a tree; none if it is not there.

        No link is followed. Raise CannotTell for a tree of more than `most` entries, or with a closed folder.
        """


def accounts(host: Host) -> list[list[str]]:
    """Return the seven fields of each account of /etc/passwd."""
    lines = [line.split(":") for line in host.read("/etc/passwd").splitlines()]
    return [line for line in lines if len(line) == 7]


def globbed(host: Host, patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the paths that match one of these patterns, pattern by pattern."""
    return tuple(path for pattern in patterns for path in host.glob(pattern))


def apt_sources(host: Host) -> tuple[str, ...]:
    """Return the paths of the files that say where apt fetches from; none where there is no apt."""
    patterns = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*.list", "/etc/apt/sources.list.d/*.sources")
    return globbed(host, patterns)
