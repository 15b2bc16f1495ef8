"""The Linux VMs on a Mac, by the files of those who run them: what each one sees of the Mac."""

import glob
import json
import posixpath
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hostkit.bootstrap.mac.colima import MOUNTS_NOTHING, colima
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.posture.mac import brief, homes, need_root
from hostkit.posture.readings import once, processes

_SIZE = 64 * 1024
_MANY = 50
_LIMA = (
    ".lima/*/lima.yaml",
    ".colima/_lima/*/lima.yaml",
    ".config/colima/_lima/*/lima.yaml",
    "Library/Application Support/rancher-desktop/lima/*/lima.yaml",
)
_COLIMA = (".colima/*/colima.yaml", ".config/colima/*/colima.yaml")
_DOCKER = ("Library/Group Containers/group.com.docker/settings*.json",)
_PODMAN = (".config/containers/podman/machine/*/*.json",)
_ORBSTACK = (".orbstack/run/docker.sock",)
_ALL = {"lima": _LIMA, "colima": _COLIMA, "docker": _DOCKER, "podman": _PODMAN, "orbstack": _ORBSTACK}
RUNNERS = (
    "com.apple.Virtualization.VirtualMachine",
    "com.docker.backend",
    "krunkit",
    "limactl",
    "vfkit",
    "OrbStack Helper",
)
"""Names, or their beginnings, of the programs that hold a VM, or its network."""
_DEFAULT = ("/Users", "/Volumes", "/private", "/tmp", "/var/folders")  # noqa: S108 - what Docker Desktop shares


@dataclass(frozen=True)
class Share:
    """A directory of the Mac that a VM sees."""

    path: str
    writable: bool


@dataclass(frozen=True)
class Machine:
    """A file that says how a VM is run: its kind, the home it lies in and whose, what it says, keys in lower case.

    `exact`: of Colima it is known that it takes `mounts: null` for no mount, as it does from 0.10 on.
    """

    kind: str
    file: str
    home: str
    person: str
    told: Mapping[str, Any]
    exact: bool = True


@once
def machines(host: Host) -> tuple[Machine, ...]:
    """Return every VM of a known kind; raise CannotTell if one runs of which nothing is written."""
    need_root(host, "the virtual machines of other accounts")
    found = [
        (kind, path, home)
        for home in homes(host)
        for kind, patterns in _ALL.items()
        for pattern in patterns
        for path in host.glob(f"{glob.escape(home)}/{pattern}")
    ]
    if len(found) > _MANY:
        raise CannotTell(f"there are {len(found)} files of virtual machines, more than can be read")
    running = sorted({entry.name for entry in processes(host) if entry.name.startswith(RUNNERS)})
    if running and not found:
        raise CannotTell(
            f"a virtual machine runs ({brief(', '.join(running))}) whose settings are not where they are known"
        )
    exact = colima(host)[1] >= MOUNTS_NOTHING
    return tuple(
        Machine(kind, path, home, homes(host)[home], _told(host, kind, path), exact) for kind, path, home in found
    )


def _told(host: Host, kind: str, path: str) -> dict[str, Any]:
    if kind == "orbstack":
        return {}
    facts = host.stat(path)
    if facts is None or facts.kind != "file" or facts.size > _SIZE:  # a link or a pipe would be a trap for root
        raise CannotTell(f"{path} is no file of at most {_SIZE // 1024} KiB")
    text = host.read(path)
    try:
        plain = _parsed(path, text)
    except (ValueError, RecursionError):
        raise CannotTell(f"{path} is in a form that is not known") from None
    if not isinstance(plain, dict):
        raise CannotTell(f"{path} is in a form that is not known")
    return {str(key).lower(): value for key, value in plain.items()}


def _parsed(path: str, text: str) -> Any:
    if path.endswith(".json"):
        return json.loads(text)
    import yaml  # noqa: PLC0415 - a host without a VM does not pay for it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as why:
        raise ValueError from why


def shares(machine: Machine) -> list[Share]:
    """Return what a VM sees of the Mac; raise CannotTell where that is left to defaults that are not known."""
    if machine.kind == "orbstack":
        return [Share("/", writable=True)]
    if machine.kind == "docker":
        listed = machine.told.get("filesharingdirectories", list(_DEFAULT))
        return [Share(_place(machine, path), writable=True) for path in _list(machine, listed)]
    if machine.kind == "podman":
        mounts = _list(machine, machine.told.get("mounts"))
        return [Share(_place(machine, _of(machine, m, "Source")), not m.get("ReadOnly")) for m in mounts]
    return _limas(machine)


def _limas(machine: Machine) -> list[Share]:
    if machine.told.get("plain") is True:
        return []
    if machine.kind == "lima" and (machine.told.get("mounts") is None or machine.told.get("base")):
        raise CannotTell(f"{machine.file} leaves its mounts to a template")
    mounts = machine.told.get("mounts", [])
    if machine.kind == "colima" and mounts == []:  # its default, and not an empty list: null is that
        return [Share(machine.home, writable=True)]
    if machine.kind == "colima" and mounts is None and not machine.exact:
        raise CannotTell(f"{machine.file}: before 0.10 Colima takes `mounts: null` for the whole home")
    told = _list(machine, mounts or [])
    return [Share(_place(machine, _of(machine, m, "location")), bool(m.get("writable"))) for m in told]


def _list(machine: Machine, value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > _MANY:
        raise CannotTell(f"{machine.file} lists its mounts in a form that is not known")
    return value


def _of(machine: Machine, mount: Any, key: str) -> Any:
    if not isinstance(mount, dict):
        raise CannotTell(f"{machine.file} lists its mounts in a form that is not known")
    return mount.get(key)


def _place(machine: Machine, path: Any) -> str:
    if not isinstance(path, str) or "{{" in path or not path.startswith(("/", "~")):
        raise CannotTell(f"{machine.file} names a directory in a form that is not known")
    if path.startswith("~") and path[1:2] not in {"", "/"}:
        raise CannotTell(f"{machine.file} names a directory in a form that is not known")
    return "/" + posixpath.normpath(machine.home + path[1:] if path.startswith("~") else path).lstrip("/")


def fault(host: Host, share: Share) -> str:
    """Return what is wrong with a directory that a VM sees, empty if nothing is."""
    if link := _link(host, share.path):
        return f"{link} is a link: what is shared is elsewhere"
    path, owned = _same(share.path), [_same(home) for home in homes(host)]
    if any(f"{home}/".startswith(f"{path.rstrip('/')}/") for home in [*owned, "/users/nobody", "/system/volumes/data"]):
        return f"{share.path} holds a home"
    home = next((home for home in owned if path.startswith(f"{home}/")), "")
    rest = path[len(home) :].strip("/").split("/")
    if any(part.startswith(".") for part in rest) or (home and rest[0] == "library"):
        return f"{share.path} holds settings"
    if share.writable and not home and not path.startswith(_OPEN):
        return f"{share.path} is the system's, and may be written to"
    return ""


def _link(host: Host, path: str) -> str:
    parts = path.strip("/").split("/")
    above = ["/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return next((place for place in above if place not in _APPLES and host.link(place)), "")


def _same(path: str) -> str:
    """Return one spelling of a path: a Mac's disk asks for neither case nor composition, and has two ways to a home."""
    plain = unicodedata.normalize("NFC", path).casefold()
    for other in ("/system/volumes/data", "/private"):
        if plain.startswith(f"{other}/"):
            plain = plain.removeprefix(other)
    return plain


_APPLES = {"/tmp", "/var", "/etc"}  # noqa: S108 - links that macOS ships
_OPEN = ("/volumes/", "/tmp/")  # noqa: S108 - where a share may be written to, besides below a home
