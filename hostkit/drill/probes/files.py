# ruff: noqa: D401, PTH107, PTH110, PTH112, PTH116, PTH118, PTH123, PTH208
"""What the agent finds on its file system, and what it can change there."""

from hostkit.drill.model import Witness, control, probe

SILENT = Witness.none("the kernel refuses a file operation without a record")


@control("files")
def own_tmp_is_writable() -> str:
    """The agent's own /tmp takes a file."""
    import tempfile

    with tempfile.TemporaryFile(dir="/tmp") as file:
        return "works" if file.write(b"x") else "full"


@probe("files-root", group="files", walls=("read_only", "user"), held="refused", escaped="written", witness=SILENT)
def write_root() -> str:
    """Nothing can be written at the top of the file system."""
    import os

    try:
        with open("/hostkit-drill", "w") as file:
            file.write("x")
    except OSError:
        return "refused"
    os.remove("/hostkit-drill")
    return "written"


@probe("files-etc", group="files", walls=("read_only", "user"), held="refused", escaped="written", witness=SILENT)
def write_etc() -> str:
    """Nothing can be written in /etc or /usr: no start-up file, no program is changed."""
    import os

    written = []
    for path in ("/etc/hostkit-drill", "/usr/bin/hostkit-drill", "/usr/lib/hostkit-drill"):
        try:
            with open(path, "w") as file:
                file.write("x")
            os.remove(path)
            written.append(path)
        except OSError:
            continue
    return "written" if written else "refused"


@probe(
    "files-engine-socket",
    group="files",
    walls=("engine_socket",),
    held="absent",
    escaped="answered",
    witness=SILENT,
    collected=True,
)
def engine_socket(marker: str) -> str:
    """No engine's socket is within reach, under its usual names or in any mount."""
    import os
    import socket
    import stat

    paths = [
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/run/containerd/containerd.sock",
        "/run/podman/podman.sock",
        "/run/crio/crio.sock",
    ]
    with open("/proc/self/mountinfo") as mounts:
        places = [line.split()[4] for line in mounts]
    for place in places:
        if place != "/" and not place.startswith(("/proc", "/sys", "/dev")) and os.path.isdir(place):
            try:
                paths += [f"{place}/{name}" for name in os.listdir(place)]
            except OSError:
                continue
        else:
            paths.append(place)
    for path in paths:
        try:
            if not stat.S_ISSOCK(os.stat(path).st_mode):
                continue
            with socket.socket(socket.AF_UNIX) as wire:
                wire.settimeout(2)
                wire.connect(path)
                wire.sendall(f"GET /_ping?{marker} HTTP/1.0\r\n\r\n".encode())
                if wire.recv(64):
                    return "answered"
        except OSError:
            continue
    return "absent"


@probe(
    "files-setuid",
    group="files",
    walls=("no_new_privileges",),
    held="refused",
    escaped="gained",
    witness=Witness.none("the audit rules see that it ran, not that it gained nothing"),
)
def setuid_program() -> str:
    """A setuid program gives its caller nothing."""
    import os
    import stat
    import subprocess
    import time

    for folder in ("/usr/bin", "/bin"):
        path = f"{folder}/su"
        if os.path.exists(path) and os.stat(path).st_mode & stat.S_ISUID:
            started = subprocess.Popen(
                [path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(0.4)
            with open(f"/proc/{started.pid}/status") as status:
                effective = [line.split()[2] for line in status if line.startswith("Uid:")]
            started.communicate(timeout=10)
            return "gained" if effective == ["0"] else "refused"
    return "refused"


@probe("files-mounts", group="files", walls=("volumes_separate",), held="exact", escaped="extra", witness=SILENT)
def mounts(mounts: str) -> str:
    """Exactly the mounts of the plan are there, and none more."""
    wanted = set(mounts.split(","))
    engines_own = {"/", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/sbin/docker-init", "/usr/sbin/docker-init"}
    with open("/proc/self/mountinfo") as lines:
        found = {line.split()[4] for line in lines}
    found = {place for place in found if not (place + "/").startswith(("/proc/", "/sys/", "/dev/"))}
    if found - wanted - engines_own:
        return "extra"
    return "missing" if wanted - found else "exact"


@probe("files-other-volume", group="files", walls=("volumes_separate",), held="absent", escaped="read", witness=SILENT)
def other_volume() -> str:
    """Nothing of another client's volume is within reach."""
    import os

    with open("/proc/self/mountinfo") as lines:
        places = [line.split()[4] for line in lines]
    for place in places:
        if os.path.exists(os.path.join(place, "hostkit-other-client")):
            return "read"
    return "absent"
