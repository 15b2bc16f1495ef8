"""Keyed fingerprints: whether two secrets are the same, told without either of them."""

import hashlib
import hmac
import os
import stat
from contextlib import suppress
from pathlib import Path

from hostkit.errors import CannotTell
from hostkit.health import state_directory

_SIZE = 32


def key(directory: Path | None = None) -> bytes:
    """Return this host's key, made when it is missing; raise CannotTell if others could have read it."""
    path = (directory or state_directory()) / "fingerprint.key"
    try:
        with suppress(FileExistsError):
            _make(path)
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            facts, value = os.fstat(fd), file.read(_SIZE + 1)
    except OSError as why:
        raise CannotTell(f"{path}: {why.strerror}", "run hostkit as root") from None
    if len(value) != _SIZE or facts.st_mode & 0o077 or not stat.S_ISREG(facts.st_mode):
        raise CannotTell(f"{path} is no key of {_SIZE} bytes that only its owner reads", "remove it: it is made anew")
    return value


def of(value: bytes, secret: bytes) -> str:
    """Return the fingerprint of a value under a key: half of an HMAC-SHA256, in hexadecimal."""
    return hmac.new(secret, value.strip(b" \t\r\n\"'"), hashlib.sha256).hexdigest()[:32]


def _make(path: Path) -> None:
    """Make the key beside and link it, so that a reader never sees half of it."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(os.urandom(_SIZE))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    finally:
        beside.unlink()
