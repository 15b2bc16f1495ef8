"""The machine this process runs on, as a Host."""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from hostkit.errors import CannotTell
from hostkit.host import attempts, commands, files, logins, running
from hostkit.host.attempts import Outcome, Try
from hostkit.host.model import Clock, Entry, FileFacts, Listener, Login, Process, Said, Space
from hostkit.host.shut import shut
from hostkit.host.traffic import Connection, connections
from hostkit.host.trees import Thing, below, things

PATIENT = 30.0
"""Seconds that each command of what changes the machine has."""
_NOT_KEPT, _NANOSECONDS = 0x40, 0x2000  # STA_UNSYNC and STA_NANO of adjtimex(2)


class LocalHost:
    """The machine this process runs on; each command has `patience` seconds at least.

    A check has a deadline and can be asked anew. What changes the machine waits for an answer on a slow one, too:
    without KVM and beside other work, systemctl once took more than 5 s.
    """

    def __init__(self, patience: float = 0.0) -> None:
        self._patience = patience

    @property
    def platform(self) -> str:
        return sys.platform

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0

    def run(self, *command: str, timeout: float = 5.0, stdin: str = "") -> str:
        said = self.ask(*command, timeout=timeout, stdin=stdin)
        if said.code != 0:
            raise CannotTell(f"{' '.join(command[:3])} failed: {said.err.strip()[:200] or said.code}")
        return said.out

    def ask(self, *command: str, timeout: float = 5.0, stdin: str = "") -> Said:
        return commands.ask(*command, timeout=max(timeout, self._patience), stdin=stdin)

    def pour(
        self, *command: str, timeout: float, codes: tuple[int, ...], environment: Mapping[str, str], shown: bool = False
    ) -> Iterator[str]:
        return commands.pour(*command, timeout=timeout, codes=codes, environment=environment, shown=shown)

    def things(self, root: str) -> Iterator[Thing]:
        return things(root)

    def read(self, path: str) -> str:
        return files.read(path)

    def stat(self, path: str) -> FileFacts | None:
        return files.facts(path)

    def glob(self, pattern: str) -> tuple[str, ...]:
        return files.glob(pattern)

    def names(self, path: str) -> tuple[str, ...]:
        return files.names(path)

    def acl(self, path: str) -> tuple[Entry, ...]:
        return files.acl(path)

    def link(self, path: str) -> str | None:
        return files.link(path)

    def space(self, path: str) -> Space:
        return files.space(path)

    def clock(self) -> Clock:
        import ctypes  # noqa: PLC0415 - one check asks

        if sys.platform != "linux":
            raise CannotTell("the kernel's clock is read on Linux only")
        told = (ctypes.c_long * 64)()  # struct timex: modes, offset, freq, maxerror, esterror, status
        if ctypes.CDLL(None, use_errno=True).adjtimex(told) < 0:
            raise CannotTell(f"adjtimex: {os.strerror(ctypes.get_errno())}", "sudo hostkit check")
        status, unit = told[5] & 0xFFFFFFFF, 1e9 if told[5] & _NANOSECONDS else 1e6
        return Clock(not status & _NOT_KEPT, told[1] / unit, told[3] / 1e6)

    def close(self, path: str, mode: int, owner: int = -1, group: int = -1) -> None:
        shut(path, mode, owner, group)

    def processes(self) -> tuple[Process, ...]:
        return running.processes()

    def listeners(self) -> tuple[Listener, ...]:
        return running.listeners()

    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        import netifaces  # noqa: PLC0415 - `hostkit --help` does not pay for it

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
        return logins.ssh_sessions()

    def own_session(self) -> float | None:
        return logins.own_session()

    def own_peer(self) -> str:
        return logins.own_peer()

    def connections(self) -> tuple[Connection, ...]:
        return connections() if sys.platform == "linux" else running.conversations()

    def attempts(self, uid: int, gid: int, tries: tuple[Try, ...]) -> tuple[Outcome, ...]:
        return attempts.made(self.run, uid, gid, tries)

    def below(self, tree: str, most: int) -> tuple[tuple[str, str | None], ...]:
        found = below(tree, most)
        return tuple((entry.path, self.link(entry.path) if entry.kind == "link" else None) for entry in found)
