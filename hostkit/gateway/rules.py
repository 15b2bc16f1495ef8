"""What one gateway may let through: read from rules.json, refused whole if any of it is not understood."""

import ipaddress
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from hostkit.gateway.names import canonical

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VERSION = 1


class RulesError(ValueError):
    """The rules are not usable, so nothing may leave."""


@dataclass(frozen=True)
class Grant:
    """One listed name: exact, or `*.suffix` for every name below the suffix (never the suffix itself).

    `networks` are the private networks this very name may resolve into; empty means public addresses only.
    """

    name: str
    ports: tuple[int, ...] = (443,)
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forward:
    """A raw TCP port of the gateway that leads to exactly one name and port."""

    name: str
    port: int
    local_port: int
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """Everything one gateway needs to judge a request; frozen, one per policy generation.

    `refuse` holds the host's own addresses and hostkit's subnets: never dialled, whatever a grant lists.
    `reserve` is the free space in bytes on the records volume below which every request is denied, and
    `budget` the bytes the records may take in all.
    """

    client: str
    generation: int
    address: str
    grants: tuple[Grant, ...] = ()
    forwards: tuple[Forward, ...] = ()
    refuse: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    proxy_port: int = 3128
    reserve: int = 4 * 1024 * 1024
    budget: int = 256 * 1024 * 1024
    version: int = field(default=VERSION)

    def to_json(self) -> str:
        """Return the rules as the JSON text that `parse` reads back unchanged."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def parse(text: str) -> Rules:
    """Return the rules in `text`; raise RulesError if any key, type, name or number is not as `to_json` writes it."""
    try:
        plain = json.loads(text, object_pairs_hook=_no_repeats)
    except RulesError:
        raise
    except (ValueError, RecursionError) as why:
        raise RulesError(f"not JSON: {why}") from None
    rules: Rules = _build(Rules, plain, "rules")
    if rules.version != VERSION:
        raise RulesError(f"rules.version: {rules.version} is not {VERSION}")
    _validate(rules)
    return rules


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise RulesError("a key is repeated")
    return dict(pairs)


def _build(kind: type[Any], plain: Any, where: str) -> Any:
    if not isinstance(plain, dict):
        raise RulesError(f"{where}: not an object")
    known = {entry.name: str(entry.type) for entry in fields(kind)}
    for key in plain:
        if key not in known:
            raise RulesError(f"{where}.{key}: unknown")
    try:
        return kind(**{key: _value(known[key], value, f"{where}.{key}") for key, value in plain.items()})
    except TypeError as why:
        raise RulesError(f"{where}: {why}") from None


def _value(expected: str, value: Any, where: str) -> Any:
    name = expected.removeprefix("<class '").removesuffix("'>")
    if name in {"str", "int"}:
        if type(value).__name__ != name:
            raise RulesError(f"{where}: not {name}")
        return value
    if not isinstance(value, list):
        raise RulesError(f"{where}: not a list")
    inner = name.removeprefix("tuple[").removesuffix(", ...]").rpartition(".")[2]
    nested = {"Grant": Grant, "Forward": Forward}.get(inner)
    if nested is not None:
        return tuple(_build(nested, item, f"{where}[{index}]") for index, item in enumerate(value))
    return tuple(_value(inner, item, f"{where}[{index}]") for index, item in enumerate(value))


def _validate(rules: Rules) -> None:
    _each(rules.resolvers, ipaddress.ip_address, "rules.resolvers")
    _each((rules.address,), ipaddress.ip_address, "rules.address")
    ways: tuple[Grant | Forward, ...] = (*rules.grants, *rules.forwards)
    _each(tuple(way.name for way in ways), _listed, "name")
    networks = [*rules.refuse, *(network for way in ways for network in way.networks)]
    _each(tuple(networks), ipaddress.ip_network, "networks")
    ports = [rules.proxy_port, *(port for grant in rules.grants for port in grant.ports)]
    ports += [port for forward in rules.forwards for port in (forward.port, forward.local_port)]
    if any(not 0 < port < 65536 for port in ports):
        raise RulesError("rules: a port is not between 1 and 65535")
    local = [forward.local_port for forward in rules.forwards]
    if len(set(local)) != len(local) or {53, 80, 443, rules.proxy_port} & set(local):
        raise RulesError("rules.forwards: two forwards on one port, or one on a port of the gateway's own")
    if rules.reserve < 0 or rules.budget <= 0 or rules.generation < 0:
        raise RulesError("rules: reserve, budget and generation are not negative")


def _listed(pattern: str) -> None:
    name = pattern.removeprefix("*.")
    if canonical(name) != name:
        raise RulesError(f"{name!a} is not written as it is compared: {canonical(name)}")


def _each(values: tuple[str, ...], parse_one: Any, where: str) -> None:
    for value in values:
        try:
            parse_one(value)
        except ValueError as why:
            raise RulesError(f"{where}: {why}") from None
