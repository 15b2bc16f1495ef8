"""What hostkit remembers between launches, in a directory only root sees."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hostkit.errors import HostkitError
from hostkit.health import state_directory
from hostkit.launch.model import Slot

_VERSION = 1


class State:
    """The slots of the clients and what was last proved of each; one file, replaced whole."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or state_directory()

    @contextmanager
    def locked(self, client: str = "", *, wait: bool = True) -> Iterator[None]:
        """Hold the lock of one client, or of the whole state; a second launch waits its turn, or is refused."""
        self._prepare()
        try:
            fd = os.open(self._directory / f"lock-{client}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as why:
            raise self._refusal(why) from None
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise HostkitError("another hostkit is at the same work", "wait until it has ended") from None
            yield
        finally:
            os.close(fd)

    def slots(self) -> dict[str, Slot]:
        """Return the slot of each client ever launched and not removed."""
        return {name: Slot(**entry["slot"]) for name, entry in self._read().items()}

    def launched(self) -> set[str]:
        """Return the clients ever launched and not removed; a slot that a drill borrowed is nobody's."""
        return {name for name in self._read() if "/" not in name}

    def entry(self, client: str) -> dict[str, Any]:
        """Return what is kept of a client: slot, policy, generation, proof; empty if it was never launched."""
        return dict(self._read().get(client, {}))

    def keep_slot(self, client: str, slot: Slot) -> None:
        """Keep a client's slot."""
        self.update(client, slot=asdict(slot))

    def update(self, client: str, **facts: Any) -> None:
        """Keep more facts of a client."""
        with self.locked():
            clients = self._read()
            clients[client] = {**clients.get(client, {}), **facts}
            self._write(clients)

    def forget(self, client: str) -> None:
        """Forget a client, its slot included."""
        with self.locked():
            clients = self._read()
            clients.pop(client, None)
            self._write(clients)

    def _prepare(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as why:
            raise self._refusal(why) from None

    def _read(self) -> dict[str, Any]:
        try:
            plain = json.loads((self._directory / "state.json").read_text())
        except FileNotFoundError:
            return {}
        except OSError as why:
            raise self._refusal(why) from None
        except ValueError:
            do = "restore it, or `hostkit remove` the clients and delete it"
            raise HostkitError(f"{self._directory}/state.json is not readable as JSON", do) from None
        if not isinstance(plain, dict) or plain.get("version") != _VERSION:
            raise HostkitError(f"{self._directory}/state.json is of another version", "use the hostkit that wrote it")
        return dict(plain["clients"])

    def _write(self, clients: dict[str, Any]) -> None:
        temporary = self._directory / "state.json.new"
        try:
            with temporary.open("w") as file:
                json.dump({"version": _VERSION, "clients": clients}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._directory / "state.json")
        except OSError as why:
            raise self._refusal(why) from None

    def _refusal(self, why: OSError) -> HostkitError:
        if isinstance(why, PermissionError):
            return HostkitError(f"{self._directory}: {why.strerror}", "run hostkit as root")
        return HostkitError(f"{self._directory}: {why.strerror}", "make room or give hostkit its directory back")
