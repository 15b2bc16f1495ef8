"""Where a run keeps what nobody else may see and no disk may hold: in memory, root's own, gone afterwards."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hostkit.errors import CannotTell, HostkitError

RUN = Path("/var/run/hostkit" if sys.platform == "darwin" else "/run/hostkit")
"""Where a run has its lock and its folder; macOS empties it at a start, and has no file system in memory."""
_IN_MEMORY = {"tmpfs", "ramfs"}
_PREFIX = "ansible-"


def refuse_disk(mountinfo: str, path: str = str(RUN)) -> None:
    """Raise HostkitError unless what lies at the path lies in memory, from the text of /proc/self/mountinfo."""
    lines = [line.split() for line in mountinfo.splitlines()]
    mounts = [(words[4], words[words.index("-") + 1]) for words in lines if "-" in words]
    above = [(place, kind) for place, kind in mounts if f"{path}/".startswith(f"{place.rstrip('/')}/")]
    # of two mounts on one place the later one is what is seen
    place, kind = max(enumerate(above), key=lambda found: (len(found[1][0]), found[0]), default=(0, ("/", "nothing")))[
        1
    ]
    if kind not in _IN_MEMORY:
        do = "mount a tmpfs on /run, as every systemd machine has; what Ansible is given must not reach a disk"
        raise HostkitError(f"{path} lies on {place}, which is {kind}, not tmpfs", do)


@contextmanager
def alone(folder: Path = RUN) -> Iterator[None]:
    """Hold this machine's bootstrap; raise HostkitError if another one does. A killed one holds nothing."""
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = _locked(folder / "bootstrap.lock")
    if handle is None:
        raise HostkitError("another bootstrap is under way on this machine", "wait until it has ended")
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def private_folder(parent: Path = RUN) -> Iterator[Path]:
    """Give a folder of root's own that is gone afterwards; sweep what killed runs left, but no live one's."""
    parent.mkdir(mode=0o700, exist_ok=True)
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)
    if folder.exists():
        raise CannotTell(f"{folder} could not be removed", "remove it: it holds what Ansible was given")


def _sweep(parent: Path) -> None:
    """Remove the folders of runs that live no more: a run holds its folder's lock as long as it lives."""
    for left in parent.glob(f"{_PREFIX}*"):
        handle = _locked(left, os.O_RDONLY | os.O_DIRECTORY)
        if handle is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(handle)


def _locked(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int | None:
    """Return a handle that holds the path's lock, None if somebody else does or it is gone."""
    with suppress(FileNotFoundError):
        handle = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        os.close(handle)
    return None
