"""What a container was granted: by what the kernel does to its first process, else by the engine's own account."""

import json
import posixpath
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from hostkit.posture.boxes import NAMESPACES, Box, shown

_CAPABILITIES = """\
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"""
"""By number, as linux/capability.h has them."""
_DEFAULT = frozenset(
    {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"}
    | {"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
)
"""What an engine gives every container that asks for nothing."""
_TREES = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/sbin", "/sys", "/usr", "/run/systemd"),
    *("/run/dbus", "/run/docker", "/run/containerd", "/var/lib/containerd", "/var/lib/containers", "/var/lib/docker"),
    *("/var/lib/hostkit", "/var/lib/systemd", "/var/log", "/var/spool/cron", "/private/etc", "/Library", "/System"),
)
_HOMES = ("/home", "/Users")
_READABLE = (
    *("/etc/localtime", "/etc/timezone", "/etc/ssl/certs", "/etc/ca-certificates", "/usr/share/zoneinfo"),
    "/usr/share/ca-certificates",
)
"""What may be seen, not changed: it holds nothing that is a secret."""
_ENGINES = (
    *("/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/crio/crio.sock"),
    *("/run/k3s/containerd/containerd.sock", "/run/host-services/docker.proxy.sock"),
)
_RUNTIME = re.compile(r"/run/user(/\d+(/podman)?)?")
"""The folders that an engine without root has its socket in."""
_ENGINE_NAMES = frozenset(map(posixpath.basename, _ENGINES)) | {"docker.raw.sock", "docker_engine"}
_HARMLESS_DEVICES = frozenset(f"/dev/{name}" for name in ("full", "null", "random", "urandom", "zero"))


class Bind(NamedTuple):
    """A file or folder of the host, or of a volume that is one of the host's, in a container."""

    source: str
    writable: bool
    shared: bool


def unlocked(box: Box) -> list[str]:
    """Return whether it has all that there is, or the kernel's own files unmasked."""
    found = ["privileged"] if box.config.get("Privileged") else []
    open_files = box.config.get("MaskedPaths") == [] or "unmask=ALL" in box.options
    return found or (["the kernel's files in /proc and /sys are not masked"] if open_files else [])


def capabilities(box: Box) -> list[str]:
    """Return the capabilities that it can come by beyond those that an engine gives every container."""
    asked = {str(name).upper().removeprefix("CAP_") for name in box.config.get("CapAdd") or ()}
    if box.config.get("Privileged") or "ALL" in asked:
        return ["every capability"]
    bits = int(box.seen.get("CapBnd") or "0", 16)
    held = {name for number, name in enumerate(_CAPABILITIES.split()) if bits >> number & 1}
    return [f"capability {shown(name)}" for name in sorted((asked | held) - _DEFAULT)]


def undropped(box: Box) -> list[str]:
    """Return whether it keeps what an engine gives every container."""
    dropped = {str(name).upper().removeprefix("CAP_") for name in box.config.get("CapDrop") or ()}
    kept = sorted(_DEFAULT - dropped) if "ALL" not in dropped else []
    return [f"keeps {len(kept)} capabilities that it may not need, {kept[0]} first"] if kept else []


def namespaces(box: Box, everyone: Iterable[Box], *, mapped: bool) -> list[str]:
    """Return the namespaces of the host, and those of a sandbox that is not its own, that it is in."""
    found = []
    for key, kind, word in NAMESPACES:
        mode = str(box.config.get(key) or "")
        found += [f"the host's {word}"] if mode == "host" or box.seen.get(kind) == "host" else []
        other = _joined(mode, everyone)
        foreign = other is not None and other.owner != box.owner
        found += [f"{other.name}'s {word}"] if other is not None and foreign and (other.owner or box.owner) else []
    return found + (["the host's user ids"] if mapped and box.config.get("UsernsMode") == "host" else [])


def _joined(mode: str, everyone: Iterable[Box]) -> Box | None:
    if not mode.startswith("container:"):
        return None
    which = mode.partition(":")[2]
    ids = {key: box for box in everyone for key in (str(box.document.get("Id")), box.name)}
    return ids.get(which) or next((box for key, box in ids.items() if which and key.startswith(which)), None)


def binds(box: Box, volumes: Iterable[dict[str, Any]]) -> list[Bind]:
    """Return what it sees of the host: mounts, and volumes that are a folder of the host by another name."""
    folders = {str(v.get("Name")): device for v in volumes if (device := _device(v))}
    found = []
    for mount in box.document.get("Mounts") or ():
        source = mount.get("Source") if mount.get("Type") in {"bind", "npipe"} else folders.get(str(mount.get("Name")))
        if source:
            shared = mount.get("Propagation") in {"shared", "rshared"}
            found.append(Bind(_plain(str(source)), bool(mount.get("RW", True)), shared))
    return found


def _device(volume: dict[str, Any]) -> str:
    options = volume.get("Options") or {}
    device = str(options.get("device") or "")
    return device if device.startswith("/") and "bind" in str(options.get("o") or "") else ""


def _plain(source: str) -> str:
    path = posixpath.normpath(source).replace("//", "/")
    for before, after in (("/host_mnt/", "/"), ("/var/run/", "/run/"), ("/private/var/run/", "/run/")):
        path = after + path.removeprefix(before) if path.startswith(before) else path
    return {"/var/run": "/run", "/host_mnt": "/"}.get(path, path)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def sensitive(bind: Bind, trees: Iterable[str] = ()) -> bool:
    """Return whether a bind shows what makes the host the host: its system, `trees`, or a home."""
    path = bind.source
    if not bind.writable and any(_within(path, harmless) for harmless in _READABLE):
        return False
    if any(_within(path, tree) or _within(tree, path) for tree in (*_TREES, *trees)):
        return True
    home = next((home for home in _HOMES if _within(path, home)), "")
    below = path.removeprefix(home).strip("/").split("/") if home else ()
    return bool(home) and (len(below) == 1 or any(word.startswith(".") or word == "Library" for word in below))


def is_engine(bind: Bind, own: str) -> bool:
    """Return whether a bind is an engine's socket, or a folder that one is in."""
    places = (*_ENGINES, *((_plain(own),) if own else ()))
    named = posixpath.basename(bind.source) in _ENGINE_NAMES
    return named or any(_within(place, bind.source) for place in places) or bool(_RUNTIME.fullmatch(bind.source))


def worded(bind: Bind) -> str:
    """Return a bind in words."""
    return f"{shown(bind.source)} of the host{'' if bind.writable else ', to read'}"


def devices(box: Box) -> list[str]:
    """Return the devices of the host that it was given."""
    asked = [str(entry.get("PathOnHost", "?")) for entry in box.config.get("Devices") or ()]
    found = [shown(path) for path in asked if path not in _HARMLESS_DEVICES]
    found += [f"devices {shown(str(rule))}" for rule in box.config.get("DeviceCgroupRules") or ()]
    return found + [f"a {shown(str(r.get('Driver') or 'gpu'))} device" for r in box.config.get("DeviceRequests") or ()]


def root(box: Box, *, mapped: bool) -> list[str]:
    """Return whether it starts as the host's root; with a map of user ids its root is nobody there."""
    if uids := box.seen.get("Uid"):
        return ["runs as the host's root"] if "0" in uids.split() else []
    named = box.user.partition(":")[0] in {"", "0", "root"}
    safe = mapped and box.config.get("UsernsMode") != "host"
    return ["runs as root"] if named and not safe else []


def unfiltered(box: Box, engines: Iterable[str]) -> list[str]:
    """Return whether it may make every system call."""
    if "Seccomp" in box.seen:
        return ["no filter of system calls"] if box.seen["Seccomp"] != "2" else []
    asked = box.config.get("Privileged") or "seccomp=unconfined" in box.options
    default = next((option for option in engines if option.startswith("name=seccomp")), "profile=unconfined")
    own = any(option.startswith("seccomp=") for option in box.options)
    unheld = asked or (not own and "profile=unconfined" in default)
    return ["no filter of system calls"] if unheld else []


def unlabelled(box: Box) -> list[str]:
    """Return whether no profile of AppArmor and no label of SELinux holds it."""
    label = box.seen.get("label") or str(box.document.get("AppArmorProfile") or box.document.get("ProcessLabel") or "")
    if label.endswith("(complain)"):
        return [f"{shown(label)} only reports"]
    return [f"{shown(label) or 'nothing'} holds it"] if not label or "unconfined" in label or "spc_t" in label else []


def gaining(box: Box, engines: Iterable[str]) -> list[str]:
    """Return whether a program in it may gain what it was not started with."""
    if "NoNewPrivs" in box.seen:
        return ["may gain privileges"] if box.seen["NoNewPrivs"] != "1" else []
    held = {"no-new-privileges", "no-new-privileges=true"}.intersection(box.options)
    default = any(option.startswith("name=no-new-privileges") for option in engines)
    off = "no-new-privileges=false" in box.options
    return [] if held or (default and not off) else ["may gain privileges"]


def writable(box: Box) -> list[str]:
    """Return whether its own system can be changed."""
    return [] if box.config.get("ReadonlyRootfs") else ["its system can be written"]


def unlimited(box: Box) -> list[str]:
    """Return which of memory, processes and processor it may take all of."""
    asked = box.config
    found = {
        "memory": (asked.get("Memory") or 0) > 0,
        "processes": (asked.get("PidsLimit") or 0) > 0,
        "processor": (asked.get("NanoCpus") or 0) > 0 or (asked.get("CpuQuota") or 0) > 0 or asked.get("CpusetCpus"),
    }
    without = [word for word, bound in found.items() if not bound]
    return [f"no limit of {' and '.join(without)}"] if without else []


def filtered_by_us(box: Box) -> bool:
    """Return whether a filter of its own is written into it, as hostkit writes one into each of its own."""
    own = [option.removeprefix("seccomp=") for option in box.options if option.startswith("seccomp=")]
    try:
        return any(isinstance(json.loads(text), dict) for text in own)
    except ValueError:
        return False
