"""A path closed without ever following a link that somebody other than root could have laid there.

chmod(1) follows links at every step of a path, and whoever may write to one of its folders chooses where it ends:
root's own files, say. Here each folder is opened from the one above it, and what was opened is what is changed.
"""

import os
import stat
from contextlib import suppress
from pathlib import PurePosixPath

from hostkit.errors import CannotTell

_LOOK: int = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_NOFOLLOW | os.O_CLOEXEC
_HOPS = 8


def shut(path: str, mode: int, owner: int = -1, group: int = -1) -> None:
    """Take from a path the permission bits that `mode` has not, then change who owns it as chown(2); never add a bit.

    Raise CannotTell where a link that root did not lay stands in the way, or a file has a second name: one of the two
    may be somebody else's.
    """
    try:
        handle = _opened(PurePosixPath(path), _HOPS)
    except OSError as why:
        raise CannotTell(f"{path}: {why.strerror}") from None
    try:
        _shut(handle, path, mode, owner, group)
    except OSError as why:
        raise CannotTell(f"{path}: {why.strerror}") from None
    finally:
        os.close(handle)


def _shut(handle: int, path: str, mode: int, owner: int, group: int) -> None:
    facts = os.fstat(handle)
    if stat.S_ISLNK(facts.st_mode):
        raise CannotTell(f"{path}: is a link now; it was not followed")
    if facts.st_nlink > 1 and not stat.S_ISDIR(facts.st_mode):
        raise CannotTell(f"{path}: has a second name, which may be somebody else's")
    before = stat.S_IMODE(facts.st_mode)
    if before & mode != before:
        _change_mode(handle, before & mode)
    if (owner, group) != (-1, -1):
        os.chown(_itself(handle), owner, group)


def _itself(handle: int) -> str | int:
    """Return what names an opened file itself: a handle made only for looking takes no change of mode directly."""
    return f"/proc/self/fd/{handle}" if hasattr(os, "O_PATH") else handle


def _change_mode(handle: int, mode: int) -> None:
    os.chmod(_itself(handle), mode)  # noqa: PTH101 - a handle, or its name in /proc


def _opened(path: PurePosixPath, hops: int) -> int:
    """Return a handle of the path itself."""
    if not path.is_absolute() or ".." in path.parts:
        raise CannotTell(f"{path}: is no plain absolute path")
    handle, own = os.open("/", _LOOK | os.O_DIRECTORY), True
    for number, part in enumerate(path.parts[1:], 2):
        own = own and _roots_alone(handle)
        try:
            if target := _link(handle, part):
                if not own or not hops:
                    raise CannotTell(
                        f"{path}: a link stands in its way at {part!r}, which others could have laid there"
                    )
                above = PurePosixPath(*path.parts[: number - 1])
                rest = PurePosixPath(target, *path.parts[number:])
                return _opened(PurePosixPath(os.path.normpath(above / rest)), hops - 1)
            below = os.open(part, _LOOK, dir_fd=handle)
        finally:
            os.close(handle)
        handle = below
    return handle


def _roots_alone(handle: int) -> bool:
    """Return whether only root can lay something in this folder."""
    facts = os.fstat(handle)
    return facts.st_uid == 0 and not facts.st_mode & 0o022


def _link(handle: int, name: str) -> str:
    """Return where a link of a folder points, empty if there is none of that name."""
    with suppress(OSError):
        return os.readlink(name, dir_fd=handle)
    return ""
