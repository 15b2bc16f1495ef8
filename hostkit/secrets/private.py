"""Files that only their owner reads: made whole or not at all, and refused once others could have read them."""

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hostkit.errors import CannotTell

_LIMIT = 64 * 1024


def read(path: Path) -> bytes | None:
    """Return what a file holds, None if it is not there; raise CannotTell if others could have read it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as why:
        raise _refusal(path, why) from None
    with os.fdopen(fd, "rb") as file:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077 or facts.st_uid not in {0, os.geteuid()}:
            raise CannotTell(f"{path} is no file that only its owner reads", "remove it: it is made anew")
        return file.read(_LIMIT)


def make(path: Path, content: bytes) -> None:
    """Make a file unless it is there; a reader never sees half of it, and of two makers the first is kept."""
    with suppress(FileExistsError):
        _beside(path, content, os.link)


def replace(path: Path, content: bytes) -> None:
    """Make a file or put it in the place of the old one, whole at every moment."""
    _beside(path, content, os.replace)


def folder(path: Path) -> Path:
    """Return a folder, made when it is missing; raise CannotTell if it is a link or others can look into it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = path.lstat()
    except OSError as why:
        raise _refusal(path, why) from None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_mode & 0o077 or facts.st_uid not in {0, os.geteuid()}:
        raise CannotTell(f"{path} is no folder that only its owner enters", f"chmod 700 {path}, or remove it")
    return path


def _beside(path: Path, content: bytes, put: Callable[[Path, Path], None]) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(fd)
        put(beside, path)
    except FileExistsError:
        raise
    except OSError as why:
        raise _refusal(path, why) from None
    finally:
        beside.unlink(missing_ok=True)


def _refusal(path: Path, why: OSError) -> CannotTell:
    return CannotTell(f"{path}: {why.strerror}", "run hostkit as root")
