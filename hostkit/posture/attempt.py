"""What one uid can really open: run by root as a program of its own, it becomes that uid, tries, and says how it went.

It is given one JSON object on its standard input and imports nothing of hostkit, so that it starts in a moment.
"""

import ctypes
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17  # of ptrace(2)
_DUMPABLE = 4  # of prctl(2)
_ALL = 0x40000000  # __WALL of wait(2)


def become(uid: int, gid: int, name: str) -> None:
    """Take the uid, its group and all the groups that the account's name has; there is no way back."""
    if name:
        os.initgroups(name, gid)
    else:
        os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or 0 in os.getgroups():
        raise SystemExit("this process could not become another")


def tried(kind: str, path: str) -> str:
    """Return `opened`, or the name of the error that the kernel gave."""
    try:
        _WAYS[kind](path)
    except OSError as why:
        return errno.errorcode.get(why.errno or 0, "EIO")
    return "opened"


def _open(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))


def _connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(1)
        wire.connect(path)


_WAYS: dict[str, Callable[[str], object]] = {"file": _open, "directory": os.listdir, "socket": _connect}


def attached() -> dict[str, str]:
    """Return how it went to take hold of a process of the same uid: for one beside it, and for its parent."""
    reader, writer = os.pipe()
    other = _child(lambda: _wait_to_be_taken(writer))
    os.read(reader, 1)
    beside = _child(lambda: os.write(writer, _seized(other).encode()))
    said = os.read(reader, 64).decode()
    os.waitpid(beside, 0)
    mine = _seized(other)
    os.kill(other, signal.SIGKILL)
    return {"beside": said, "child": mine}


def _child(does: Callable[[], object]) -> int:
    pid = os.fork()
    if not pid:
        does()
        os._exit(0)
    return pid


def _wait_to_be_taken(ready: int) -> None:
    """Be as open as any program is: whoever changed its uid is closed to ptrace until it says otherwise."""
    ctypes.CDLL(None).prctl(_DUMPABLE, 1, 0, 0, 0)
    os.write(ready, b".")
    signal.pause()


def _seized(pid: int) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_SEIZE, pid, None, None):
        return errno.errorcode.get(ctypes.get_errno(), "EIO")
    libc.ptrace(_INTERRUPT, pid, None, None)
    os.waitpid(pid, _ALL)
    libc.ptrace(_DETACH, pid, None, None)
    return "opened"


def main() -> None:
    """Say how each attempt of the order went, as a JSON object by path."""
    order: dict[str, Any] = json.load(sys.stdin)
    become(order["uid"], order["gid"], order["name"])
    told = {path: tried(kind, path) for kind, path in order["paths"]}
    if order.get("attach"):
        told |= attached()
    print(json.dumps(told))  # noqa: T201 - it is a program


if __name__ == "__main__":
    main()
