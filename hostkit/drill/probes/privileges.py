# ruff: noqa: D401, PTH123
"""What the kernel lets the agent become and ask for."""

from hostkit.drill.model import Witness, control, probe

STATE = Witness.none("it is a reading of the process's own state, not an attempt")
REFUSED_CALL = Witness.none("the filter answers with an error and leaves no record")


@control("privileges")
def own_state_is_readable() -> str:
    """The process can read its own state."""
    with open("/proc/self/status") as status:
        return "works" if "CapEff:" in status.read() else "empty"


@probe("privileges-uid", group="privileges", walls=("user",), held="unprivileged", escaped="root", witness=STATE)
def user_id() -> str:
    """The agent is not root, in no sense and by no group."""
    import os

    ids = {*os.getresuid(), *os.getresgid(), *os.getgroups()}
    return "root" if 0 in ids else "unprivileged"


@probe(
    "privileges-capabilities", group="privileges", walls=("capabilities",), held="none", escaped="some", witness=STATE
)
def capabilities() -> str:
    """All five capability sets are empty, so nothing can be regained."""
    with open("/proc/self/status") as status:
        sets = [line.split()[1] for line in status if line.startswith("Cap")]
    return "none" if len(sets) == 5 and not any(int(value, 16) for value in sets) else "some"


@probe(
    "privileges-no-new", group="privileges", walls=("no_new_privileges",), held="set", escaped="unset", witness=STATE
)
def no_new_privileges() -> str:
    """The no_new_privs flag is set."""
    with open("/proc/self/status") as status:
        flags = [line.split()[1] for line in status if line.startswith("NoNewPrivs:")]
    return "set" if flags == ["1"] else "unset"


@probe(
    "privileges-filter", group="privileges", walls=("seccomp",), held="filtered", escaped="unfiltered", witness=STATE
)
def system_call_filter() -> str:
    """A system call filter is in force."""
    with open("/proc/self/status") as status:
        modes = [line.split()[1] for line in status if line.startswith("Seccomp:")]
    return "filtered" if modes == ["2"] else "unfiltered"


@probe(
    "privileges-user-namespace",
    group="privileges",
    walls=("seccomp",),
    held="refused",
    escaped="made",
    witness=REFUSED_CALL,
)
def user_namespace() -> str:
    """A user namespace, the door to most kernel bugs, cannot be made."""
    import ctypes

    return "refused" if ctypes.CDLL(None).unshare(0x10000000) else "made"


@probe(
    "privileges-mount", group="privileges", walls=("seccomp",), held="refused", escaped="mounted", witness=REFUSED_CALL
)
def mount() -> str:
    """Nothing can be mounted, not even in namespaces of one's own."""
    import ctypes

    libc = ctypes.CDLL(None)
    libc.unshare(0x10000000 | 0x00020000)
    refused = libc.mount(b"none", b"/tmp", b"tmpfs", 0, b"size=4k")
    return "refused" if refused else "mounted"


@probe(
    "privileges-io-uring", group="privileges", walls=("seccomp",), held="refused", escaped="made", witness=REFUSED_CALL
)
def io_uring() -> str:
    """io_uring, which walks past system call filters, cannot be set up."""
    import ctypes

    made = ctypes.CDLL(None).syscall(425, 4, ctypes.create_string_buffer(256))
    return "refused" if made < 0 else "made"


@probe(
    "privileges-keyring",
    group="privileges",
    walls=("seccomp",),
    held="refused",
    escaped="reached",
    witness=REFUSED_CALL,
)
def keyring() -> str:
    """The kernel's keyrings, which containers share, are out of reach."""
    import ctypes
    import platform

    number = {"x86_64": 250, "aarch64": 219}[platform.machine()]
    found = ctypes.CDLL(None).syscall(number, 0, -4, 1)
    return "refused" if found < 0 else "reached"


@probe(
    "privileges-socket-families",
    group="privileges",
    walls=("seccomp",),
    held="refused",
    escaped="reached",
    witness=REFUSED_CALL,
)
def socket_families() -> str:
    """Kernel crypto, VM sockets, SCTP and DCCP are refused, also where a number has bits that only a filter reads."""
    import ctypes
    import errno
    import platform

    number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    families = [(family, 1, 0) for family in (38, 40, 38 | 1 << 32, 40 | 1 << 32)]
    for asked in (*families, (2, 1, 132), (2, 1, 132 | 1 << 32), (2, 6, 0), (2, 6 | 1 << 32, 33)):
        ctypes.set_errno(0)
        libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, asked))
        if ctypes.get_errno() != errno.EPERM:
            return "reached"
    return "refused"


@probe(
    "privileges-userfaultfd",
    group="privileges",
    walls=("seccomp",),
    held="refused",
    escaped="made",
    witness=REFUSED_CALL,
)
def userfaultfd() -> str:
    """userfaultfd, a tool for winning races in the kernel, is refused."""
    import ctypes
    import platform

    number = {"x86_64": 323, "aarch64": 282}[platform.machine()]
    return "refused" if ctypes.CDLL(None).syscall(number, 1) < 0 else "made"


@probe(
    "privileges-other-memory",
    group="privileges",
    walls=("seccomp",),
    held="refused",
    escaped="read",
    witness=REFUSED_CALL,
)
def other_memory() -> str:
    """The memory of another process, a child's even, is not read by system call, nor is it traced."""
    import ctypes
    import os
    import platform
    import signal
    import time

    read_call, trace_call = {"x86_64": (310, 101), "aarch64": (270, 117)}[platform.machine()]
    libc, word, found = ctypes.CDLL(None), ctypes.create_string_buffer(b"of the child"), ctypes.create_string_buffer(16)
    child = os.fork()
    if not child:
        time.sleep(10)
        os._exit(0)
    near, far = ((ctypes.c_void_p * 2)(ctypes.addressof(place), 12) for place in (found, word))
    read = libc.syscall(read_call, child, ctypes.byref(near), 1, ctypes.byref(far), 1, 0)
    traced = libc.syscall(trace_call, 16, child, None, None)
    os.kill(child, signal.SIGKILL)
    return "read" if read > 0 or traced == 0 else "refused"
