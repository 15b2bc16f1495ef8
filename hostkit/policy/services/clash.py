"""What a client's services may not do to each other, to its other ways out, and to its secrets."""

from collections.abc import Iterable, Mapping
from typing import Any

from hostkit.gateway.names import matches
from hostkit.policy.egress import Egress
from hostkit.policy.levels import TrustLevel, methods_of
from hostkit.policy.services.budgets import Budgets
from hostkit.policy.services.line import ServiceLine
from hostkit.policy.services.words import expanded_all

Lines = Mapping[str, ServiceLine]


def hosts(line: ServiceLine) -> tuple[str, ...]:
    """Return every host of a service that is opened, each once."""
    return tuple(dict.fromkeys(host for part in line.form.parts for host in expanded_all(part.hosts, line.words)))


def refuse_shared_hosts(services: Lines) -> None:
    """Raise ValueError if a host belongs to two services: nothing would tell whose key it gets."""
    seen: list[tuple[str, str]] = []
    for name, line in services.items():
        for host in hosts(line):
            for other, earlier in seen:
                if other != name and (_covers(earlier, host) or _covers(host, earlier)):
                    raise ValueError(f"services {other} and {name} share {host}")
            seen.append((name, host))


def refuse_tunnelled(services: Lines, ways: Iterable[Egress]) -> None:
    """Raise ValueError if a way out names a host of a service, and would carry it unopened."""
    for way in ways:
        for name, line in services.items():
            for host in hosts(line):
                if _covers(host, way.name):
                    raise ValueError(f"{way.name} is opened by the service {name}; take its `egress` line out")


def _covers(pattern: str, name: str) -> bool:
    return matches(pattern, name.replace("*", "x", 1))


def refuse_odd_secrets(services: Lines, secrets: Mapping[str, Any]) -> None:
    """Raise ValueError if a service names no secret of the client, or one that another place of a key uses too."""
    seen: dict[str, str] = {}
    for name, line in services.items():
        for secret in line.keys.values():
            if secret not in secrets:
                raise ValueError(f"the service {name} names {secret!r}, which is not among `secrets`")
            if secret in seen:
                raise ValueError(f"{seen[secret]} and {name} both use the secret {secret!r}; each service has its own")
            seen[secret] = name


def refuse_methods(services: Lines, trust: TrustLevel) -> None:
    """Raise ValueError if a service lists a method that the client's level does not have."""
    allowed = methods_of(trust)
    for name, line in services.items():
        if odd := sorted(set(line.methods) - allowed):
            raise ValueError(f"{trust} has no {odd[0]}, which the service {name} lists")


def refuse_uncounted(services: Lines, budgets: Budgets) -> None:
    """Raise ValueError if the client has a budget of what none of its services counts."""
    counted = {"requests", "bytes_up", "bytes_down"}.union(*(line.form.counts for line in services.values()))
    if odd := sorted(of for of, span in budgets if span is not None and of not in counted):
        raise ValueError(f"no service counts {odd[0]}, of which `budgets` says the most")
    unpriced = [name for name, line in services.items() if "cost" in line.form.counts and not line.prices]
    if budgets.cost is not None and unpriced:
        raise ValueError(f"a budget of `cost` needs the `prices` of {unpriced[0]}")
