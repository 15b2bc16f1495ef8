"""The key that a host signs its posture with: made on first use, read by its owner only, never replaced."""

import os
import stat
import tempfile
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hostkit.errors import HostkitError
from hostkit.posture.written import private_folder

_LONGEST = 8192


def private_key(state: Path) -> Ed25519PrivateKey:
    """Return this host's key; raise HostkitError if there is one that others may have read or put there."""
    file = state / "attest" / "key.pem"
    try:
        private_folder(state, "attest")
        if not os.path.lexists(file):
            _make(file)
        text = _own(file)
    except OSError as why:
        raise HostkitError(f"{file}: {why.strerror}", "run it as root") from None
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise HostkitError(
            f"{file}: no Ed25519 key in PEM", "move it away; the next --attest makes another, to be told anew"
        )
    return key


def public_pem(key: Ed25519PrivateKey) -> str:
    """Return what others verify with."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_key(path: Path) -> Ed25519PublicKey:
    """Return the public key in a file; raise HostkitError if there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST)
    except OSError as why:
        raise HostkitError(f"{path}: {why.strerror}", "give the file that `hostkit attest key` was kept in") from None
    if b"PRIVATE KEY" in text:
        raise HostkitError(f"{path}: a private key", "it never leaves its host; give what `hostkit attest key` prints")
    try:
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise HostkitError(
            f"{path}: no Ed25519 public key in PEM", "give what `hostkit attest key` printed on that host"
        )
    return key


def _make(file: Path) -> None:
    """Put a new key there, whole; whoever was first has made it."""
    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".key-") as new:  # it is 0600 from the start
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
        try:
            os.link(new.name, file)
        except FileExistsError:
            return


def _own(file: Path) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as key:
        facts = os.fstat(key.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
            mode = stat.S_IMODE(facts.st_mode)
            raise HostkitError(
                f"{file}: is not a file that only its owner reads (mode {mode:04o}, uid {facts.st_uid})",
                "others may know this key: move it away, and tell whoever trusts it",
            )
        return key.read(_LONGEST)
