"""hosts.yml: an inventory in Ansible's own words, so that ansible takes the same file; no plugins, no templates."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from hostkit.errors import HostkitError
from hostkit.policy.load import Form, load_as
from hostkit.policy.part import Part, Port

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,252}(%[A-Za-z0-9_.-]{1,15})?")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_PLACE = re.compile(r"~?(/[^\x00-\x1f\x7f]{1,1000})")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no host's name: letters, digits, dots and dashes, no dash first")
    return value


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError(f"{value!r} is neither a host name nor an address that ssh takes")
    return value


def _user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise ValueError(f"{value!r} is no account's name")
    return value


def _place(value: str) -> str:
    if not _PLACE.fullmatch(value):
        raise ValueError(f"{value!r} is no path that starts with / or ~/")
    return value


HostName = Annotated[str, AfterValidator(_name)]
Place = Annotated[str, AfterValidator(_place)]


class Variables(Part):
    """How a host, or all of a group, is reached; `hostkit_policy` is a path on the host itself."""

    ansible_host: Annotated[str, AfterValidator(_address)] | None = None
    ansible_port: Port | None = None
    ansible_user: Annotated[str, AfterValidator(_user)] | None = None
    ansible_ssh_private_key_file: Place | None = None
    hostkit_policy: Place | None = None
    hostkit_ssh_config: Place | None = None

    def given(self) -> dict[str, str | int]:
        """Return the variables that were given."""
        return self.model_dump(exclude_none=True)


class Group(Part):
    """A group of hosts: what holds for one holds for the groups in it, and a host's own word comes before."""

    hosts: dict[HostName, Variables | None] = Field(default_factory=dict)
    vars: Variables = Variables()
    children: dict[HostName, "Group | None"] = Field(default_factory=dict)


class Inventory(Part):
    """The whole of hosts.yml; `path` is where it was read."""

    all: Group
    path: Annotated[str, Field(exclude=True)] = ""


@dataclass(frozen=True)
class Target:
    """One host and how to reach it; what is empty or 0 is left to ssh's own configuration."""

    name: str
    address: str
    port: int = 0
    user: str = ""
    key: str = ""
    policy: str = ""
    ssh_config: str = ""


_SHAPE = "an inventory is a mapping as Ansible takes it: all: {hosts: {mini-1: {ansible_host: 192.0.2.10}}}"
FORM = Form(Inventory, "inventory", _SHAPE, f"the file is empty; {_SHAPE}", f"write one; {_SHAPE}")


def load(path: Path) -> tuple[Target, ...]:
    """Return the hosts of an inventory in its order.

    Raise HostkitError if it cannot be read, names no host, one twice with other words, or two that are the same.
    """
    inventory = load_as(FORM, path)
    found: dict[str, dict[str, str | int]] = {}
    for name, given in _mentions(inventory.all, {}):
        if found.setdefault(name, given) != given:
            raise HostkitError(
                f"{path}: {name}: two groups reach it in different ways", "let them agree, or name it once"
            )
    targets = tuple(_target(name, given) for name, given in found.items())
    if not targets:
        raise HostkitError(f"{path}: it names no host", _SHAPE)
    _refuse_twins(path, targets)
    return targets


def _mentions(group: Group, above: Mapping[str, str | int]) -> Iterator[tuple[str, dict[str, str | int]]]:
    common = {**above, **group.vars.given()}
    for name, own in group.hosts.items():
        yield name, {**common, **(own.given() if own else {})}
    for child in group.children.values():
        yield from _mentions(child or Group(), common)


def _target(name: str, given: Mapping[str, str | int]) -> Target:
    words = {key: str(value) for key, value in given.items()}
    return Target(
        name=name,
        address=words.get("ansible_host", name),
        port=int(given.get("ansible_port", 0)),
        user=words.get("ansible_user", ""),
        key=words.get("ansible_ssh_private_key_file", ""),
        policy=words.get("hostkit_policy", ""),
        ssh_config=words.get("hostkit_ssh_config", ""),
    )


def _refuse_twins(path: Path, targets: tuple[Target, ...]) -> None:
    """Raise HostkitError if two names stand for one place: two bootstraps would run there at once."""
    places = Counter((target.address.lower(), target.port or 22, target.ssh_config) for target in targets)
    for target in targets:
        if places[(target.address.lower(), target.port or 22, target.ssh_config)] > 1:
            names = " and ".join(t.name for t in targets if t.address.lower() == target.address.lower())
            raise HostkitError(f"{path}: {names} are one host, {target.address}", "name it once")
