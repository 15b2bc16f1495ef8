"""Every container that runs or that the engine starts again: the engine's account of it, and the kernel's."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hostkit import engine
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.posture import readings

NAMESPACES = (("NetworkMode", "net", "network"), ("PidMode", "pid", "pid"), ("IpcMode", "ipc", "ipc"),
          ("UTSMode", "uts", "uts"))  # fmt: skip
"""How a container's document, /proc and people call each of a container's namespaces."""


@dataclass(frozen=True)
class Box:
    """A container that runs, or that the engine starts again by itself.

    `seen` is what the kernel says of its first process; empty where it does not run, or not on this kernel.
    """

    document: dict[str, Any]
    seen: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return its name."""
        return shown(readings.named(self.document))

    @property
    def owner(self) -> str:
        """Return whose sandbox it says it belongs to, empty for a stranger's."""
        return engine.owner(self.document)

    @property
    def part(self) -> str:
        """Return which part of a sandbox it says it is."""
        return str((self._under("Config").get("Labels") or {}).get("hostkit.part", ""))

    @property
    def config(self) -> dict[str, Any]:
        """Return what was asked for it of the host."""
        return self._under("HostConfig")

    @property
    def user(self) -> str:
        """Return the user that it starts as, in its own words."""
        return str(self._under("Config").get("User") or "")

    @property
    def image(self) -> str:
        """Return the name of its image, as it was asked for."""
        return str(self._under("Config").get("Image") or "")

    @property
    def networks(self) -> tuple[str, ...]:
        """Return the names of the networks that it is on."""
        return tuple(self._under("NetworkSettings").get("Networks") or ())

    @property
    def options(self) -> tuple[str, ...]:
        """Return its security options, `=` between name and value."""
        found = [str(option) for option in self.config.get("SecurityOpt") or ()]
        return tuple(option if "=" in option else option.replace(":", "=", 1) for option in found)

    def _under(self, key: str) -> dict[str, Any]:
        found = self.document.get(key)
        return found if isinstance(found, dict) else {}


def shown(text: str, limit: int = 80) -> str:
    """Return a word that others wrote as one that can be shown: short, and nothing in it but what prints."""
    return "".join(character if character.isprintable() else "?" for character in text[:limit])


def told(boxes: Iterable[Box], faults: Callable[[Box], list[str]]) -> list[str]:
    """Return a line for each container with faults: its name and the first three."""
    lines = []
    for box in boxes:
        found = list(dict.fromkeys(faults(box)))
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        lines += [f"{box.name}: {', '.join(found[:3])}{more}"] if found else []
    return lines


@readings.once
def boxes(host: Host) -> tuple[Box, ...]:
    """Return every container that runs or that the engine starts again; raise CannotTell if some cannot be asked of."""
    if not engine.exists():
        _refuse_orphans(host)
        return ()
    return tuple(Box(d, _effect(host, d)) for d in readings.containers() if _lives(d))


def _refuse_orphans(host: Host) -> None:
    """Raise CannotTell where containers run that no engine tells of: they outlive an engine that stops."""
    shims = [p.pid for p in readings.all_processes(host) if p.name.startswith(("containerd-shim", "conmon"))]
    if shims:
        raise CannotTell(
            f"{len(shims)} containers run (pid {shims[0]}) and no engine is there to ask", "start the engine"
        )


def _lives(document: dict[str, Any]) -> bool:
    state = document.get("State") or {}
    again = ((document.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name") or "no"
    return bool(state.get("Running") or state.get("Paused") or state.get("Restarting")) or again != "no"


def _effect(host: Host, document: dict[str, Any]) -> Mapping[str, str]:
    """Return what the kernel says of a container's first process, nothing if that is not a process of this machine."""
    pid = (document.get("State") or {}).get("Pid")
    if host.platform != "linux" or not pid:
        return {}
    try:
        if str(document.get("Id") or "?") not in host.read(f"/proc/{pid}/cgroup"):
            return {}
        lines = [line.partition(":") for line in host.read(f"/proc/{pid}/status").splitlines()]
        spaces = {kind: _shared(host, pid, kind) for _, kind, _ in NAMESPACES}
    except CannotTell:
        return {}
    return {**{key: value.strip() for key, _, value in lines}, **spaces, "label": _label(host, pid)}


def hosts_own(host: Host, kind: str) -> set[str]:
    """Return the host's namespace of a kind: hostkit's own, and the first process's where it shows it."""
    return {space for process in ("self", "1") if (space := namespace(host, process, kind))}


def namespace(host: Host, process: object, kind: str) -> str:
    """Return which namespace a process is in, empty if it has ended or does not show it."""
    try:
        return host.link(f"/proc/{process}/ns/{kind}") or ""
    except CannotTell:
        return ""


def _shared(host: Host, pid: int, kind: str) -> str:
    """Return `host` for a namespace that is the host's own, the container's otherwise; empty if it cannot be seen."""
    space = namespace(host, pid, kind)
    return "host" if space and space in hosts_own(host, kind) else space


def _label(host: Host, pid: int) -> str:
    try:
        return host.read(f"/proc/{pid}/attr/current").strip("\0\n ")
    except CannotTell:
        return ""
