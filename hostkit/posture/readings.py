"""What several checks read, read once a run."""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from hostkit import engine
from hostkit.errors import CannotTell
from hostkit.host import Host, Listener, Process, accounts

T = TypeVar("T")
_HOMES = 1000
_lock = threading.Lock()
_kept: dict[tuple[str, int], "_Reading[Any]"] = {}


def forget() -> None:
    """Drop what an earlier run read."""
    with _lock:
        _kept.clear()


class _Reading(Generic[T]):
    """Something that is read when it is first asked for, by one thread while the others wait for it."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read, self._lock = read, threading.Lock()
        self._told: list[T | CannotTell] = []

    def told(self) -> T:
        with self._lock:
            if not self._told:
                self._told.append(self._asked())
        if isinstance(found := self._told[0], CannotTell):
            raise found
        return found

    def _asked(self) -> T | CannotTell:
        try:
            return self._read()
        except CannotTell as why:
            return why


def once(read: Callable[[Host], T]) -> Callable[[Host], T]:
    """Make a reading of the host one that is read once a run; what it could not tell is told to each who asks."""

    @functools.wraps(read)
    def told(host: Host) -> T:
        with _lock:
            reading = _kept.setdefault(
                (f"{read.__module__}.{read.__qualname__}", id(host)), _Reading(lambda: read(host))
            )
        return cast("T", reading.told())

    return told


@once
def processes(host: Host) -> tuple[Process, ...]:
    """Return every process, as Host.processes does."""
    return host.processes()


@once
def listeners(host: Host) -> tuple[Listener, ...]:
    """Return every listening socket, as Host.listeners does."""
    return host.listeners()


def containers() -> list[dict[str, Any]]:
    """Return the inspect document of every container, none if there is no engine; raise CannotTell if it is deaf."""
    if not engine.exists():
        return []
    return _engines("containers", lambda: engine.containers(all=True))


def survey() -> dict[str, Any]:
    """Return what the engine says of itself, its networks and its volumes, nothing of each if there is no engine."""
    if not engine.exists():
        return {"info": {}, "version": {}, "networks": [], "volumes": []}
    return _engines("survey", engine.survey)


def _engines(name: str, read: Callable[[], T]) -> T:
    with _lock:
        reading = _kept.setdefault((name, 0), _Reading(read))
    return cast("T", reading.told())


def all_processes(host: Host) -> tuple[Process, ...]:
    """Return every process; raise CannotTell where those of other accounts are hidden (proc's hidepid)."""
    seen = processes(host)
    if not any(entry.pid == 1 and entry.name for entry in seen):
        raise CannotTell("other accounts' processes are hidden from this one", "sudo hostkit check")
    return seen


def named(document: dict[str, Any]) -> str:
    """Return a container's name."""
    return str(document.get("Name", "?")).lstrip("/")


_INTERPRETERS = ("node", "python", "perl", "ruby", "java", "npx", "npm", "bash", "sh", "deno", "bun")
_WORD = 256


def words_of(process: Process) -> frozenset[str]:
    """Return the names by which a process goes, in lower case: its own, its program's, and its script's.

    What an interpreter runs is the first of its words that is no option. A process may call itself what it likes: who
    wants to hide from this does.
    """
    program = base_name(process.words[0]) if process.words else ""
    script = ""
    if program.startswith(_INTERPRETERS):
        script = next((base_name(word) for word in process.words[1:9] if not word.startswith("-")), "")
    return frozenset({process.name[:_WORD].lower(), program, script} - {""})


def base_name(word: str) -> str:
    """Return a path's last part in lower case, bounded, without what marks it as a script."""
    last = word[-_WORD:].rstrip("/").rpartition("/")[2].lower()
    return last.removesuffix(".py").removesuffix(".js").removesuffix(".exe").strip("\"':;")


@dataclass(frozen=True)
class Mount:
    """Something mounted: `root` is which folder of its file system, `device` the file system's number."""

    place: str
    kind: str
    source: str
    device: str
    root: str
    options: frozenset[str]


@once
def mounts(host: Host) -> tuple[Mount, ...]:
    """Return everything mounted, in the order it was, octal escapes undone."""
    # The kernel escapes blanks, tabs and newlines only: other line breaks of Unicode may stand in anybody's folder.
    lines = [line.split(" ") for line in host.read("/proc/self/mountinfo").split("\n") if line]
    return tuple(_mount(words) for words in lines)


def _mount(words: list[str]) -> Mount:
    try:
        dash = words.index("-", 6)
        place, kind, source = _plain(words[4]), words[dash + 1], _plain(words[dash + 2])
    except (ValueError, IndexError):
        raise CannotTell("/proc/self/mountinfo has a line that cannot be read", "findmnt") from None
    return Mount(place, kind, source, words[2], _plain(words[3]), frozenset(words[5].split(",")))


def mounted(host: Host) -> list[tuple[str, str, str]]:
    """Return (mount point, type, source) of everything mounted."""
    return [(entry.place, entry.kind, entry.source) for entry in mounts(host)]


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


_SSHD = "/usr/sbin/sshd"
_SERVERS = ("sshd", "dropbear", "tinysshd", "ssh3", "teleport")


@once
def sshd(host: Host) -> dict[str, tuple[str, ...]] | None:
    """Return each setting that sshd says it goes by, with its values; None where no SSH server is to be seen."""
    if host.stat(_SSHD) is None:
        running = sorted(
            {entry.name for entry in all_processes(host) if entry.name in _SERVERS and _is_ours(host, entry)}
        )
        if running:
            raise CannotTell(f"{', '.join(running)} runs, and {_SSHD} is not there to say how")
        return None
    if not host.is_root:
        raise CannotTell("sshd shows its settings to root only", "sudo hostkit check")
    return _settings(host.run(_SSHD, "-T"))


def sshd_for(host: Host, name: str) -> dict[str, tuple[str, ...]]:
    """Return sshd's settings for one account, its Match blocks included, as it comes from this machine itself."""
    return _settings(host.run(_SSHD, "-T", "-C", f"user={name},host=localhost,addr=127.0.0.1"))


def _settings(said: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in said.splitlines():
        key, _, value = line.partition(" ")
        found[key] = (*found.get(key, ()), value)
    return found


def _is_ours(host: Host, process: Process) -> bool:
    """Return whether a process is this machine's own and no container's."""
    return host.link(f"/proc/{process.pid}/ns/pid") == host.link("/proc/self/ns/pid")


@once
def homes(host: Host) -> tuple[str, ...]:
    """Return every account's home that is a folder, those without an account too; at most a thousand."""
    if not host.is_root:
        raise CannotTell("homes of other accounts cannot be read without root", "sudo hostkit check")
    told = [line[5] for line in accounts(host)] if host.platform == "linux" else ["/var/root"]
    pattern = "/home/*" if host.platform == "linux" else "/Users/*"
    every_home = dict.fromkeys(home.rstrip("/") for home in (*told, *host.glob(pattern)))
    there = [home for home in every_home if home and (facts := host.stat(home)) and facts.kind == "directory"]
    if len(there) > _HOMES:
        raise CannotTell(f"{len(there)} homes are more than are looked through", "look for .openclaw, .claude in them")
    return tuple(there)
