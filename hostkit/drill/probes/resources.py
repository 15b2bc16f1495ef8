# ruff: noqa: D401, PTH123
"""Taking so much that others have none."""

from hostkit.drill.model import Witness, control, probe

LIMIT = Witness.none("the kernel's limit answers the process itself")


@control("resources")
def a_task_starts() -> str:
    """One more task, file and megabyte can be had."""
    import threading

    task = threading.Thread(target=bytes, args=(1 << 20,))
    task.start()
    task.join()
    return "works"


@probe("resources-tasks", group="resources", walls=("pids",), held="limited", escaped="unlimited", witness=LIMIT)
def tasks(pids: str) -> str:
    """A fork bomb stops at the sandbox's own limit."""
    import os
    import signal

    children = []
    try:
        for _ in range(int(pids) + 32):
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    except OSError:
        return "limited"
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
    return "unlimited"


@probe("resources-memory", group="resources", walls=("memory",), held="killed", escaped="unlimited", witness=LIMIT)
def memory(memory: str) -> str:
    """Memory past the limit kills the one that took it, and only inside."""
    import os

    child = os.fork()
    if child == 0:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
        taken = [bytearray(b"x" * (8 << 20)) for _ in range((int(memory) >> 23) + 4)]
        os._exit(0 if taken else 1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return "killed"
    return "unlimited" if status == 0 else "refused"


@probe("resources-files", group="resources", walls=("nofile",), held="limited", escaped="unlimited", witness=LIMIT)
def open_files(nofile: str) -> str:
    """Open files stop at the sandbox's own limit."""
    import os
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        for _ in range(int(nofile) + 32):
            os.open("/dev/null", os.O_RDONLY)
    except OSError:
        return "limited"
    return "unlimited"


@probe("resources-tmp", group="resources", walls=("tmpfs",), held="limited", escaped="unlimited", witness=LIMIT)
def fill_tmp(tmpfs: str) -> str:
    """A file that fills /tmp stops at its size."""
    import os
    import tempfile

    with tempfile.TemporaryFile(dir="/tmp", buffering=0) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, int(tmpfs) + (4 << 20))
        except OSError:
            return "limited"
    return "unlimited"


@probe(
    "resources-connections",
    group="resources",
    walls=("gateway_limits",),
    held="limited",
    escaped="unlimited",
    witness=Witness.gateway("too-many"),
)
def connections(rehearsal: str, gateway: str, proxy_port: str, unlisted: str) -> str:
    """A flood of connections is cut at one gateway's limit, and the gateway beside it goes on answering."""
    import contextlib
    import errno
    import socket
    import time

    cut = 0
    with contextlib.ExitStack() as held:
        wires = []
        for _ in range(200):
            try:
                wires.append(held.enter_context(socket.create_connection((rehearsal, int(proxy_port)), timeout=5)))
                wires[-1].sendall(b"GET")
            except OSError as why:
                if why.errno == errno.EMFILE:
                    return "too few files of its own"
                cut += 1
        time.sleep(1)
        for wire in wires:
            wire.setblocking(False)
            try:
                cut += not wire.recv(1)
            except BlockingIOError:
                continue
            except OSError:
                cut += 1
        with socket.create_connection((gateway, int(proxy_port)), timeout=5) as beside:
            beside.sendall(f"CONNECT {unlisted}:443 HTTP/1.1\r\nHost: {unlisted}:443\r\n\r\n".encode())
            if not beside.recv(64):
                return "the neighbour is down"
    return "limited" if cut else "unlimited"
