"""Files of this machine: read with their mode and owner, and put back so that each is whole at any moment."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from hostkit.bootstrap.record import ABSENT, State

LIMIT = 16 * 1024 * 1024
"""Bytes above which a file is not kept: what hostkit writes is configuration."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class Disk:
    """The files below `root`, which is `/` but in tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def at(self, path: str) -> Path:
        """Return where a path of the machine lies."""
        return self._root / path.lstrip("/")

    def matches(self, pattern: str) -> tuple[str, ...]:
        """Return the paths that match an absolute pattern, sorted."""
        found = self._root.glob(pattern.lstrip("/"))
        return tuple(sorted(f"/{path.relative_to(self._root)}" for path in found))

    def look(self, path: str) -> State:
        """Return what is there: its kind, and for a file what tells it from another."""
        place = self.at(path)
        try:
            facts = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        if stat.S_ISLNK(facts.st_mode):
            return {"kind": "link", "target": os.readlink(place)}  # noqa: PTH115 - as it is spelt
        owned = {"mode": stat.S_IMODE(facts.st_mode), "uid": facts.st_uid, "gid": facts.st_gid}
        if stat.S_ISDIR(facts.st_mode):
            return {"kind": "directory", **owned}
        if not stat.S_ISREG(facts.st_mode):
            return {"kind": "other"}
        if facts.st_size > LIMIT:
            return {"kind": "big", "size": facts.st_size}
        return {"kind": "file", **owned, "digest": hashlib.sha256(self.read(path)).hexdigest()}

    def read(self, path: str) -> bytes:
        """Return a regular file's content; no link is followed, and nothing that is no file is waited for."""
        with os.fdopen(os.open(self.at(path), _READ), "rb") as file:
            return file.read(LIMIT + 1)

    def put(self, path: str, state: State, content: bytes = b"") -> None:
        """Make the path what the state says; a file is there whole or as before, whenever this is cut short."""
        place = self.at(path)
        match state["kind"]:
            case "absent":
                self._take_away(place)
            case "directory":
                place.mkdir(exist_ok=True)
                handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                _own(handle, state)
                os.close(handle)
            case "link":
                self._replace(place, lambda temporary: temporary.symlink_to(state["target"]))
            case "file":
                self._replace(place, lambda temporary: _written(temporary, state, content))
            case kind:
                raise OSError(f"{path} was {kind}")

    def set_aside(self, path: str, suffix: str) -> str:
        """Return the path of a copy beside a file, made now; one that lies there already is not overwritten."""
        number = 0
        while self.at(beside := f"{path}{suffix}{f'.{number}' if number else ''}").exists():
            number += 1
        state = self.look(path)
        self.put(beside, state, self.read(path) if state["kind"] == "file" else b"")
        return beside

    @staticmethod
    def _take_away(place: Path) -> None:
        if place.is_dir() and not place.is_symlink():
            place.rmdir()
        else:
            place.unlink(missing_ok=True)
        synced(place.parent)

    @staticmethod
    def _replace(place: Path, write: Callable[[Path], None]) -> None:
        temporary = place.with_name(f".{place.name}.hostkit-new")
        temporary.unlink(missing_ok=True)  # one that was cut short left it
        write(temporary)
        temporary.replace(place)
        synced(place.parent)


def _written(temporary: Path, state: State, content: bytes) -> None:
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        _own(file.fileno(), state)
        file.flush()
        os.fsync(file.fileno())


def _own(handle: int, state: State) -> None:
    """Give what is open away: by its path it could be another's link by now, in a folder that an agent writes."""
    os.fchown(handle, state["uid"], state["gid"])
    os.fchmod(handle, state["mode"])  # after the owner, whose change takes set-uid bits away


def synced(folder: Path) -> None:
    """Make what was renamed in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
