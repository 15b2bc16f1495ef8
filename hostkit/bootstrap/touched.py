"""What the plays may change on this very machine, by name: `touches` with its variables filled in. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hostkit.bootstrap.mac.pf import ANCHOR
from hostkit.bootstrap.plays import Play

_ONE = {
    "files": "file",
    "units": "unit",
    "packages": "package",
    "sysctls": "sysctl",
    "accounts": "account",
    "settings": "setting",
    "jobs": "job",
}
_TABLES = {"/etc/hostkit/fence.nft": "inet hostkit", "/etc/hostkit/pf.anchor": ANCHOR}
_EXPRESSION = re.compile(r"\{\{\s*([a-z_][a-z0-9_.]*)\s*\}\}")
FENCE = _TABLES["/etc/hostkit/fence.nft"]
"""The one thing that is in the kernel only: the table of the fence, on a Mac pf's anchor."""


@dataclass(frozen=True)
class Touch:
    """One thing that a play may change: kind is file, unit, package, sysctl, account, setting, job or table."""

    play: str
    kind: str
    name: str

    @property
    def is_pattern(self) -> bool:
        """Return whether it names files that only the machine can list."""
        return self.kind == "file" and any(mark in self.name for mark in "*?[")


def touched(plays: Iterable[Play], variables: Mapping[str, Any]) -> tuple[Touch, ...]:
    """Return each thing once, with the first play that names it, in the order of the plays."""
    found: dict[tuple[str, str], Touch] = {}
    for play in plays:
        for kind, names in play.touches.items():
            for name in (filled for written in names for filled in _filled(written, variables)):
                found.setdefault((_ONE[kind], name), Touch(play.stem, _ONE[kind], name))
        for table in (_TABLES[path] for path in play.touches.get("files", ()) if path in _TABLES):
            found.setdefault(("table", table), Touch(play.stem, "table", table))
    return tuple(found.values())


def _filled(written: str, variables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that one line of `touches` stands for: more than one where its variable is a list."""
    if whole := _EXPRESSION.fullmatch(written):
        value = _value(whole[1], variables)
        return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)
    name = _EXPRESSION.sub(lambda match: str(_value(match[1], variables)), written)
    if "{{" in name:
        raise TypeError(f"touches takes plain variables, not {written}")
    return (name,)


def _value(dotted: str, variables: Mapping[str, Any]) -> Any:
    value: Any = variables
    for word in dotted.split("."):
        if word not in value:
            raise TypeError(f"touches names {dotted}, which bootstrap does not give")
        value = value[word]
    return value
