"""Reading what the plays may touch, as it is now: files from the disk, the rest from the commands that know it."""

from collections.abc import Iterable, Mapping

from hostkit.bootstrap import kernel
from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.mac import look as mac
from hostkit.bootstrap.record import Key, State
from hostkit.bootstrap.touched import Touch
from hostkit.host import Host

_NFT = "/usr/sbin/nft"


def spelled(disk: Disk, touches: Iterable[Touch]) -> tuple[Touch, ...]:
    """Return the touches with the files that each pattern matches now in its place; units of templates are none."""
    found: list[Touch] = []
    for touch in touches:
        if touch.is_pattern:
            found += [Touch(touch.play, touch.kind, path) for path in disk.matches(touch.name)]
        elif touch.kind != "unit" or "@." not in touch.name:
            found.append(touch)
    return tuple({(touch.kind, touch.name): touch for touch in reversed(found)}.values())[::-1]


def look(host: Host, disk: Disk, keys: Iterable[Key]) -> dict[Key, State]:
    """Return the state of each thing; raise CannotTell for what cannot be read, for then nothing may change it."""
    wanted = sorted(set(keys))
    found: dict[Key, State] = {("file", name): disk.look(name) for name in _of("file", wanted)}
    linux = {"unit": _units, "package": _packages, "sysctl": _sysctls, "account": _accounts, "table": _tables}
    readers = mac.READERS if host.platform == "darwin" else linux
    for kind, reader in readers.items():
        if names := _of(kind, wanted):
            found |= {(kind, name): state for name, state in reader(host, names).items()}
    return found


def _of(kind: str, keys: Iterable[Key]) -> list[str]:
    return [name for one, name in keys if one == kind]


def _units(host: Host, names: list[str]) -> Mapping[str, State]:
    said = host.run("systemctl", "show", "--property=LoadState,UnitFileState,ActiveState", "--", *names)
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in said.split("\n\n")]
    return {name: _unit(block) for name, block in zip(names, blocks, strict=True)}


def _unit(told: Mapping[str, str]) -> State:
    there = told.get("LoadState", "") != "not-found"
    # `activating` and the like are on their way; what failed does not run
    active = told.get("ActiveState", "") in {"active", "activating", "reloading"}
    return {"there": there, "enabled": told.get("UnitFileState", ""), "active": active}


def _packages(host: Host, names: list[str]) -> Mapping[str, State]:
    lines = host.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", timeout=20).splitlines()
    installed = {name for name, _, status in (line.partition(" ") for line in lines) if status == "installed"}
    return {name: {"installed": name in installed} for name in names}


def _sysctls(host: Host, names: list[str]) -> Mapping[str, State]:
    paths = {name: kernel.path(name) for name in names}
    return {name: {"value": host.read(path).strip() if host.stat(path) else None} for name, path in paths.items()}


def _accounts(host: Host, names: list[str]) -> Mapping[str, State]:
    entries = {line.partition(":")[0]: line for line in host.read("/etc/passwd").splitlines()}
    return {name: {"entry": entries.get(name)} for name in names}


def _tables(host: Host, names: list[str]) -> Mapping[str, State]:
    there = host.run("nft", "list", "tables").splitlines() if host.stat(_NFT) else []
    return {name: {"there": f"table {name}" in there} for name in names}
