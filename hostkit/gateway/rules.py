"""What one gateway may let through: read from rules.json, refused whole if any of it is not understood."""

import ipaddress
import json
import re
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import cache, cached_property
from typing import Any, get_args, get_origin, get_type_hints

from hostkit.gateway.http import FRAMING
from hostkit.gateway.names import canonical, matches
from hostkit.gateway.services import COUNTED, SPANS, Budget, Credential, Service, header_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VERSION = 1
_PLACE = re.compile(r"header:[a-z0-9-]+(=[!-z|~ ]*\{\}[!-z|~]*)?|query:[^=&\s]+|basic")


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
    services: tuple[Service, ...] = ()
    budgets: tuple[Budget, ...] = ()
    version: int = field(default=VERSION)

    @cached_property
    def budgeted(self) -> bool:
        """Whether anything of this client has a budget."""
        return bool(self.budgets) or any(service.budgets for service in self.services)

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
    known: dict[str, Any] = _types(kind)  # type: ignore[arg-type] # a class is hashable
    for key in plain:
        if key not in known:
            raise RulesError(f"{where}.{key}: unknown")
    try:
        return kind(**{key: _value(known[key], value, f"{where}.{key}") for key, value in plain.items()})
    except TypeError as why:
        raise RulesError(f"{where}: {why}") from None


@cache
def _types(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {entry.name: hints[entry.name] for entry in fields(kind)}


def _value(expected: Any, value: Any, where: str) -> Any:
    if get_origin(expected) is tuple:
        if not isinstance(value, list):
            raise RulesError(f"{where}: not a list")
        inner = get_args(expected)[0]
        return tuple(_value(inner, item, f"{where}[{index}]") for index, item in enumerate(value))
    if is_dataclass(expected):
        return _build(expected, value, where)  # type: ignore[arg-type] # a class, by its annotation
    if type(value) is not expected:
        raise RulesError(f"{where}: not {expected.__name__}")
    return value


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
    _validate_services(rules)
    if rules.reserve < 0 or rules.budget <= 0 or rules.generation < 0:
        raise RulesError("rules: reserve, budget and generation are not negative")


def _validate_services(rules: Rules) -> None:
    hosts = [host for service in rules.services for host in service.hosts]
    _each(tuple(hosts), _listed, "rules.services")
    if len(set(hosts)) != len(hosts):
        raise RulesError("rules.services: a host belongs to two services")
    granted = {grant.name for grant in rules.grants}
    if missing := sorted(set(hosts) - granted):
        raise RulesError(f"rules.services: {missing[0]} is no grant")
    for forward in rules.forwards:
        if any(matches(host, forward.name) for host in hosts):
            raise RulesError(f"rules.forwards: {forward.name} belongs to a service, and would pass unopened")
    for service in rules.services:
        _validate_service(service)
    for budget in rules.budgets:
        _validate_budget(budget)


def _validate_service(service: Service) -> None:
    known = {credential.secret for credential in service.credentials}
    where = f"rules.services.{service.name}"
    for route in service.routes:
        if not route.path.startswith("/") or not route.methods:
            raise RulesError(f"{where}: a route without a method or a path")
        if route.credential and route.credential not in known:
            raise RulesError(f"{where}: no credential {route.credential}")
    for credential in service.credentials:
        _validate_credential(credential, where)
    if not service.hosts or (service.base and "*" in service.hosts[0]):
        raise RulesError(f"{where}: no host, or a base URL that leads to a pattern")
    for line in (*service.sets, *(f"{name}: x" for name in service.drops)):
        if not re.fullmatch(r"[A-Za-z0-9-]+: [!-~]([ -~]*[!-~])?", line):
            raise RulesError(f"{where}: {line!a} is no header")
    _validate_headers(service, where)
    for budget in service.budgets:
        _validate_budget(budget)


def _validate_headers(service: Service, where: str) -> None:
    """Raise RulesError for a header that is the gateway's own to write: a body would leave without its length."""
    named = {header_of(place) for known in service.credentials for place in known.places}
    named |= {name.lower().encode() for name in service.drops} | {name for name, _ in service.sent}
    if own := sorted(named & FRAMING):
        raise RulesError(f"{where}: {own[0].decode()} is the gateway's own to write")


def _validate_credential(credential: Credential, where: str) -> None:
    named = re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", credential.secret)
    first = (credential.places or ("",))[0]
    if not named or not credential.placeholder or not first.startswith(("header:", "basic")):
        raise RulesError(f"{where}: a credential without a name, a placeholder or a header to leave in")
    for place in credential.places:
        if not _PLACE.fullmatch(place):
            raise RulesError(f"{where}: {place!a} is no place for a key")


def _validate_budget(budget: Budget) -> None:
    if budget.of not in COUNTED or budget.per not in SPANS or budget.most < 0:
        raise RulesError(f"rules.budgets: {budget.most} {budget.of} a {budget.per} is no budget")


def _listed(pattern: str) -> None:
    name = pattern.removeprefix("*.").replace("*", "x", 1)
    if canonical(name) != name:
        raise RulesError(f"{name!a} is not written as it is compared: {canonical(name)}")


def _each(values: tuple[str, ...], parse_one: Any, where: str) -> None:
    for value in values:
        try:
            parse_one(value)
        except ValueError as why:
            raise RulesError(f"{where}: {why}") from None
