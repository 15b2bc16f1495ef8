"""What a path is, holds and allows, on the machine this process runs on."""

import errno
import itertools
import os
import stat
import struct
from pathlib import Path

from hostkit.errors import CannotTell
from hostkit.host.model import Entry, FileFacts, Space

_PIECE = 65536
_MOST_NAMES = 10_000
_ACL_VERSION = b"\x02\x00\x00\x00"
_READ_LIMIT = 4 * 1024 * 1024


def read(path: str) -> str:
    """Do what `Host.read` guarantees."""
    try:
        with Path(path).open("rb") as file:
            # In pieces: /proc/sys takes no request for more than the kernel would allocate at once.
            pieces = iter(lambda: file.read1(_PIECE), b"")
            return b"".join(itertools.islice(pieces, _READ_LIMIT // _PIECE)).decode("utf-8", errors="replace")
    except OSError as why:
        raise CannotTell(f"{path}: {why.strerror}") from None


def facts(path: str) -> FileFacts | None:
    """Do what `Host.stat` guarantees."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as why:
        raise CannotTell(f"{path}: {why.strerror}") from None
    mode, kind = stat.S_IMODE(found.st_mode), _kind(found.st_mode)
    return FileFacts(mode, found.st_uid, found.st_gid, kind, found.st_size, found.st_mtime)


def glob(pattern: str) -> tuple[str, ...]:
    """Do what `Host.glob` guarantees."""
    return tuple(sorted(str(path) for path in Path("/").glob(pattern.lstrip("/"))))


def names(path: str) -> tuple[str, ...]:
    """Do what `Host.names` guarantees."""
    try:
        with os.scandir(path) as entries:
            found = [entry.name for entry in itertools.islice(entries, _MOST_NAMES + 1)]
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as why:
        raise CannotTell(f"{path}: {why.strerror}") from None
    if len(found) > _MOST_NAMES:
        raise CannotTell(f"{path} holds more than {_MOST_NAMES} names")
    return tuple(found)


def acl(path: str) -> tuple[Entry, ...]:
    """Do what `Host.acl` guarantees."""
    try:
        raw = os.getxattr(path, "system.posix_acl_access", follow_symlinks=False)
    except OSError as why:
        if why.errno in {errno.ENODATA, errno.EOPNOTSUPP}:
            return ()
        raise CannotTell(f"{path}: {why.strerror}") from None
    if raw[:4] != _ACL_VERSION or len(raw) % 8 != 4:
        raise CannotTell(f"{path} has an access control list of a form that is not known")
    return tuple(Entry(*entry) for entry in struct.iter_unpack("<HHI", raw[4:]))


def link(path: str) -> str | None:
    """Do what `Host.link` guarantees."""
    try:
        return os.readlink(path)  # noqa: PTH115 - a Path would tidy what is written there
    except OSError as why:
        if why.errno in {errno.EINVAL, errno.ENOENT, errno.ENOTDIR}:
            return None
        raise CannotTell(f"{path}: {why.strerror}") from None


def space(path: str) -> Space:
    """Do what `Host.space` guarantees."""
    try:
        facts = os.statvfs(path)
    except OSError as why:
        raise CannotTell(f"{path}: {why.strerror}") from None
    size = facts.f_frsize
    return Space(size * facts.f_blocks, size * facts.f_bfree, facts.f_files, facts.f_ffree)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "other")
