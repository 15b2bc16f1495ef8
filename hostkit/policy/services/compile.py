"""From a client's lines to what its gateway opens: pure, with the trust level applied."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from hostkit.errors import HostkitError
from hostkit.gateway.rules import Grant
from hostkit.gateway.services import Budget, Credential, Pin, Route, Service
from hostkit.policy.levels import TrustLevel, reaches
from hostkit.policy.model import Client
from hostkit.policy.services.budgets import price, told
from hostkit.policy.services.clash import hosts
from hostkit.policy.services.form import PartForm, PinForm, RouteForm
from hostkit.policy.services.line import ServiceLine
from hostkit.policy.services.words import Shape, Words, expanded_all


@dataclass(frozen=True)
class _Asked:
    """A client's line with what is worked out of it once."""

    name: str
    line: ServiceLine
    words: Words
    trust: TrustLevel


def shapes(client: Client) -> dict[str, Shape]:
    """Return how the placeholder looks of each secret that a service uses: the agent holds that, never the value."""
    return {secret: shape for line in client.services.values() for secret, shape in line.shapes.items()}


def grants(client: Client) -> tuple[Grant, ...]:
    """Return the names of all its services as the gateway is granted them: on port 443 only."""
    return tuple(Grant(host, (443,), line.networks) for line in client.services.values() for host in hosts(line))


def budgets(client: Client) -> tuple[Budget, ...]:
    """Return what the client may take in all, over its services."""
    return told(client.budgets)


def compiled(
    name: str, client: Client, placeholders: Mapping[str, str], roots: Mapping[str, str] = MappingProxyType({})
) -> tuple[Service, ...]:
    """Return what the gateway of the client called `name` opens; raise HostkitError if a placeholder is missing.

    `placeholders` are by secret, `roots` (PEM) by the service whose line has a `ca`. Where a service's hosts take a key
    in different places there are several of one name, which count in one budget.
    """
    if missing := sorted(set(shapes(client)) - set(placeholders)):
        raise HostkitError(f"{name}: no placeholder for the secret {missing[0]}", "launch the client again")
    asked = [_Asked(key, line, line.words, client.trust) for key, line in client.services.items()]
    made = (_service(one, part, placeholders) for one in asked for part in one.line.form.parts)
    return tuple(replace(service, roots=roots.get(service.name, "")) for service in made)


def _service(asked: _Asked, part: PartForm, placeholders: Mapping[str, str]) -> Service:
    line, words = asked.line, asked.words
    sets = tuple(f"{one.header}: {value}" for one in part.sets for value in expanded_all((one.value,), words))
    verify = part.verify if part.verify and words.get(part.verify.when) else None
    return Service(
        name=asked.name,
        hosts=expanded_all(part.hosts, words),
        routes=tuple(route for one in part.routes for route in _routes(asked, part, one)),
        credentials=_credentials(asked, part, placeholders),
        sets=sets,
        drops=tuple(header for header in part.drops if not any(_is(header, entry) for entry in sets)),
        base=part.base,
        login=part.login,
        encoded_slash=line.encoded_slash,
        nested=part.nested,
        usage=part.usage,
        prices=tuple(price(model, prices) for model, prices in line.prices.items()) if part.usage else (),
        verify=verify.request if verify else "",
        verified=_pins(asked, verify.pins) if verify else (),
        budgets=told(line.budgets),
    )


def _is(header: str, entry: str) -> bool:
    return entry.partition(":")[0].lower() == header.lower()


def _credentials(asked: _Asked, part: PartForm, placeholders: Mapping[str, str]) -> tuple[Credential, ...]:
    keys = asked.line.keys
    return tuple(
        Credential(keys[word], placeholders[keys[word]], expanded_all(places, asked.words))
        for word, places in part.places.items()
        if word in keys
    )


def _routes(asked: _Asked, part: PartForm, route: RouteForm) -> Iterable[Route]:
    """Return the route once for each of its paths; not at all where level, key or `also` of the line is short of it."""
    keys = asked.line.keys
    keyless = route.key != "none" and route.key not in keys and not route.bare
    unasked = route.also and route.also not in asked.line.also
    if keyless or unasked or not reaches(asked.trust, route.level):
        return
    common = part.pins if route.key != "none" else ()
    for path in expanded_all(route.paths, asked.words):
        yield Route(
            methods=expanded_all(route.methods, asked.words),
            path=path,
            hosts=expanded_all(route.hosts, asked.words),
            credential=keys.get(route.key, ""),
            pins=_pins(asked, (*common, *route.pins)),
            expects=_pins(asked, route.expects),
            issues=route.issues,
            ticket=route.ticket,
            socket=route.socket,
            counts=route.counts,
            limit=route.limit,
        )


def _pins(asked: _Asked, pins: Iterable[PinForm]) -> tuple[Pin, ...]:
    return tuple(
        Pin(where, field, expanded_all(pin.values, asked.words), pin.required)
        for pin in pins
        if _stands(asked, pin)
        for where in pin.where
        for field in pin.fields
    )


def _stands(asked: _Asked, pin: PinForm) -> bool:
    given = pin.when is None or bool(asked.words.get(pin.when))
    under = pin.below is None or not reaches(asked.trust, pin.below)
    return given and under and reaches(asked.trust, pin.level)
