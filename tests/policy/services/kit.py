"""One client with one service of each kind, and what its gateway would make of a request."""

from hostkit.gateway.inspect.fields import broken, found
from hostkit.gateway.inspect.paths import path_matches
from hostkit.gateway.names import matches
from hostkit.gateway.services import Route, Service
from hostkit.policy import Client, parse
from hostkit.policy.levels import ORDER
from hostkit.policy.services.compile import compiled, shapes
from hostkit.secrets.placeholders import Shape, placeholder

LEVELS = ORDER
POLICY = """\
version: 1
host:
  resolvers: [198.51.100.53]
clients:
  acme:
    agreement: {{permitted: true, document: acme.pdf, expires: 2027-06-30}}
    trust: {trust}
    agent: {{preset: shell}}
    services:
      {line}
{more}    secrets:
      one: {{source: "env:ONE"}}
      two: {{source: "env:TWO"}}
"""
LINES = {
    "slack": "slack: {secret: one, app_secret: two, team: T0123, channels: [C11, C12]}",
    "anthropic": "anthropic: {secret: one}",
    "openai": "openai: {secret: one, models: [gpt-5]}",
    "gemini": "gemini: {secret: one}",
    "openrouter": "openrouter: {secret: one, models: [lab/model]}",
    "github": "github: {secret: one, owner: acme, repositories: [dbt]}",
    "generic": "tool: {kind: generic, hosts: [tool.example]}",
}


def policy(line: str, trust: str = "analyst", more: str = "") -> str:
    """Return the text of a policy with one client, whose services are these lines."""
    return POLICY.format(line=line, trust=trust, more="".join(f"    {one}\n" for one in more.splitlines()))


def client(line: str, trust: str = "analyst", more: str = "") -> Client:
    """Return the one client of such a policy."""
    return parse(policy(line, trust, more)).clients["acme"]


def opened(line: str, trust: str = "analyst", more: str = "") -> tuple[Service, ...]:
    """Return what its gateway opens."""
    acme = client(line, trust, more)
    made = {name: placeholder(Shape(one.prefix, one.length), "acme") for name, one in shapes(acme).items()}
    return compiled("acme", acme, made)


def route(services: tuple[Service, ...], request: str) -> Route | None:
    """Return the route that lets `METHOD host/path` through, None if there is none."""
    method, _, address = request.partition(" ")
    host, slash, rest = address.partition("/")
    fitting = [
        one
        for service in services
        if any(matches(pattern, host) for pattern in service.hosts)
        for one in service.routes
        if (not one.hosts or any(matches(pattern, host) for pattern in one.hosts))
        and method in one.methods
        and path_matches(one.path, slash + rest)
    ]
    assert len(fitting) < 2, f"{request} has two routes, of which the gateway takes the first"
    return fitting[0] if fitting else None


def lowest(line: str, request: str, more: str = "") -> str:
    """Return the lowest level that has a request, `never` if none does; a level has all that those below it have."""
    has = [level for level in LEVELS if route(opened(line, level, more), request)]
    assert has == list(LEVELS[len(LEVELS) - len(has) :])
    return has[0] if has else "never"


def against(route: Route | None, body: object, where: str = "body") -> list[str]:
    """Return how a body, or the fields of a query, break a route's pins."""
    assert route is not None
    pins = [pin for pin in route.pins if pin.place == where]
    return [why for pin in pins if (why := broken(pin, found(body, pin.field)))]
