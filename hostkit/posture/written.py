"""A file that is written whole or not at all, and only where a plain file may stand."""

import os
import stat
import tempfile
from pathlib import Path

from hostkit.errors import HostkitError


def refuse_unwritable(path: Path) -> None:
    """Raise HostkitError if there can be no file at `path`: what is no plain file there is not replaced."""
    if not path.parent.is_dir():
        raise HostkitError(f"{path}: no such folder", f"make it first: mkdir -p {path.parent}")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as why:
        raise HostkitError(f"{path}: {why.strerror}", "give a path that can be written") from None
    if not stat.S_ISREG(mode):
        raise HostkitError(f"{path}: is there and no plain file", "give the path of a file, not of a link or a device")


def private_folder(state: Path, name: str) -> Path:
    """Return a folder of the state directory that only its owner enters, made if need be; raise OSError if not."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = state / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file of that mode; a reader or a kill finds the old one or the new one. Raise OSError if not."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:40]}.", delete=False) as new:
        try:
            new.write(content)
            new.flush()
            os.fchmod(new.fileno(), mode)
            os.fsync(new.fileno())
            Path(new.name).replace(path)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
