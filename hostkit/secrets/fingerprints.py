"""Keyed fingerprints: whether two secrets are the same, told without either of them."""

import hashlib
import hmac
import os
from pathlib import Path

from hostkit.errors import CannotTell
from hostkit.health import state_directory
from hostkit.secrets import private

_SIZE = 32


def key(directory: Path | None = None) -> bytes:
    """Return this host's key, made when it is missing; raise CannotTell if others could have read it."""
    path = (directory or state_directory()) / "fingerprint.key"
    if (value := private.read(path)) is None:
        private.make(path, os.urandom(_SIZE))
        value = private.read(path)
    if value is None or len(value) != _SIZE:
        raise CannotTell(f"{path} is no key of {_SIZE} bytes", "remove it: it is made anew")
    return value


def of(value: bytes, secret: bytes) -> str:
    """Return the fingerprint of a value under a key: half of an HMAC-SHA256, in hexadecimal."""
    return hmac.new(secret, value.strip(b" \t\r\n\"'"), hashlib.sha256).hexdigest()[:32]
