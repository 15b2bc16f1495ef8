"""What the plays may change on this very machine, by name: `touches` with its variables filled in. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hostkit.bootstrap.plays import Play

_ONE = {"files": "file", "units": "unit", "packages": "package", "sysctls": "sysctl", "accounts": "account"}
_TABLE = "/etc/hostkit/fence.nft"
_EXPRESSION = re.compile(r"\{\{\s*([a-z_][a-z0-9_.]*)\s*\}\}")
FENCE = "inet hostkit"
"""The one thing that is in the kernel only: the table of the fence."""


@dataclass(frozen=True)
class Touch:
    """One thing that a play may change: kind is file, unit, package, sysctl, account or table."""

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
        if _TABLE in play.touches.get("files", ()):
            found.setdefault(("table", FENCE), Touch(play.stem, "table", FENCE))
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
