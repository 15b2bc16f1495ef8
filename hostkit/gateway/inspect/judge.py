"""One judgement for every opened request: service, route, key, pins; refusal is its last line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hostkit.gateway.http import BadRequest, Headers
from hostkit.gateway.inspect.credentials import Found, find, refuse_marks
from hostkit.gateway.inspect.fields import Fields, broken, found
from hostkit.gateway.inspect.paths import Pairs, canonical_path, path_matches, plain_name, query_pairs
from hostkit.gateway.names import matches
from hostkit.gateway.requests import Denied
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import LIMIT, Pin, Route, Service

_OVERRIDES = frozenset(
    b"x-http-method-override x-http-method x-method-override x-original-url x-rewrite-url x-original-uri".split()
)

Issued = Callable[[str, str], bool]
"""Whether an address was issued under a word: `issued(word, "host/path?query")`."""


@dataclass(frozen=True)
class Request:
    """The head of an opened request: `target` as it was sent, `path` and `query` as they are judged."""

    method: str
    host: str
    target: str
    headers: Headers
    upgrade: bool = False

    def header(self, name: bytes) -> str:
        """Return a header's value, empty without one; several of one name are one list (RFC 9110 section 5.3)."""
        return ", ".join(value.decode("latin-1") for key, value in self.headers if key == name)


@dataclass(frozen=True)
class Allowed:
    """A request that may go on: by which service and route, with which key, and what is left to be judged of it."""

    service: Service
    route: Route
    path: str
    found: Found

    @property
    def reads_body(self) -> bool:
        """Whether the body has to be read whole before the request leaves."""
        return bool(self.route.body_pins)

    @property
    def reads_answer(self) -> bool:
        """Whether a good answer has to be read whole before the agent sees any of it."""
        return self.route.reads_answer

    @property
    def opens_answer(self) -> bool:
        """Whether an answer has to come uncompressed: its keys are scrubbed, its tokens counted, or it is judged."""
        return bool(self.service.credentials or self.service.usage) or self.route.reads_answer

    @property
    def limit(self) -> int:
        """Octets that the body may have: the route's own, else what is read whole; 0 for no limit."""
        return self.route.limit or (LIMIT if self.route.body_pins else 0)


def service_of(rules: Rules | None, name: str) -> Service | None:
    """Return the service that opens a canonical name; an exact host goes before a pattern."""
    services = rules.services if rules else ()
    fitting = [(host, service) for service in services for host in service.hosts if matches(host, name)]
    return min(fitting, key=lambda pair: ("*" in pair[0], -len(pair[0])))[1] if fitting else None


def judge(service: Service, request: Request, own: str, issued: Issued) -> Allowed:
    """Return on what terms a request's head may go on; raise Denied or BadRequest, with the rule that stopped it.

    Another client's placeholder is an alarm, so it is looked for first and everywhere. Then the route is found: what no
    route lets through is refused before anybody looks at keys. The body, where a pin needs it, is judged by
    `judge_body`.
    """
    refuse_marks(_as_sent(request), own)
    path = canonical_path(request.target, encoded_slash=service.encoded_slash)
    query = query_pairs(request.target)
    refuse_marks(" ".join((path, *[f"{name} {text}" for name, text in query])).encode("utf-8", "replace"), own)
    _refuse_overrides(request, query)
    route = route_of(service, request, path)
    held = find(service, request.headers, query, own)
    if route.credential and held.credential is None:
        raise Denied("credential-missing", f"{service.name} wants this client's placeholder as its key")
    if held.credential is not None and held.credential.secret != route.credential:
        raise Denied("foreign-credential", f"{path} does not take the key {held.credential.secret}")
    if route.ticket and not issued(route.ticket, f"{request.host}{request.target}"):
        raise Denied("no-ticket", f"{service.name} issued no such address to this client")
    _judge_pins(route.pins, "query", lambda pin: [text for field, text in query if _is(field, pin.field)])
    _judge_pins(route.pins, "header", lambda pin: _lines(request, pin))
    return Allowed(service, route, path, held)


def _as_sent(request: Request) -> bytes:
    return b"\n".join((request.target.encode("latin-1"), *(b"%b %b" % pair for pair in request.headers)))


def _refuse_overrides(request: Request, query: Pairs) -> None:
    """Raise BadRequest for what has a server do something else than the request line says."""
    said = sorted({name.decode("ascii") for name, _ in request.headers if name.replace(b"_", b"-") in _OVERRIDES})
    said += [field for field, _ in query if field.lower() in {"_method", "x-http-method-override"}]
    if said:
        raise BadRequest("override", f"{said[0]} says another method or path than the request line")


def _is(field: str, wanted: str) -> bool:
    return field == wanted or plain_name(field) == plain_name(wanted)


def _lines(request: Request, pin: Pin) -> list[str]:
    value = request.header(pin.field.lower().encode())
    return [value] if value else []


def route_of(service: Service, request: Request, path: str) -> Route:
    """Return the first route of this host, path, method and kind; raise Denied with what was nearest."""
    of_host = [route for route in service.routes if _is_on(route.hosts, request.host)]
    of_path = [route for route in of_host if path_matches(route.path, path)]
    of_method = [route for route in of_path if request.method in route.methods]
    for route in of_method:
        if route.socket == request.upgrade:
            return route
    if of_method:
        raise Denied("upgrade", f"{path} of {service.name} is {'no ' if request.upgrade else 'a '}WebSocket")
    if of_path:
        raise Denied("method-not-listed", f"{request.method} of {path} is not among what {service.name} may do here")
    raise Denied("path-not-listed", f"{path} is not among what {service.name} may do here")


def _is_on(hosts: tuple[str, ...], name: str) -> bool:
    return not hosts or any(matches(host, name) for host in hosts)


def judge_body(allowed: Allowed, body: Any) -> None:
    """Judge the fields of a body that was read; raise Denied `pin` for one that is not as it must be."""
    fields = Fields(body)
    _judge_pins(allowed.route.pins, "body", lambda pin: fields.found(pin.field))


def _judge_pins(pins: tuple[Pin, ...], place: str, values: Callable[[Pin], list[Any]]) -> None:
    for pin in pins:
        if pin.place == place and (why := broken(pin, values(pin))):
            raise Denied("pin", why)


def judge_answer_head(pins: tuple[Pin, ...], headers: Headers) -> None:
    """Judge the head of an answer; raise Denied `answer-pin`: another account answered."""
    _judge_answer(pins, "header", lambda pin: header_values(headers, pin))


def judge_answer_body(pins: tuple[Pin, ...], body: Any) -> None:
    """Judge the fields of an answer that was read; raise Denied `answer-pin`: another account answered."""
    _judge_answer(pins, "body", lambda pin: found(body, pin.field))


def _judge_answer(pins: tuple[Pin, ...], place: str, values: Callable[[Pin], list[Any]]) -> None:
    try:
        _judge_pins(pins, place, values)
    except Denied as why:
        raise Denied("answer-pin", f"the answer's {why.reason}") from None


def header_values(headers: Headers, pin: Pin) -> list[Any]:
    """Return every value of a pin's header."""
    return [value.decode("latin-1") for name, value in headers if name == pin.field.lower().encode()]


def without_key(request: Request, held: Found) -> Request:
    """Return the request as it goes on, before the key is put in: its placeholder, and the query's, taken out."""
    target = request.target
    if "?" in target and len(held.query) != len(query_pairs(target)):
        target = _spelled(target.partition("?")[0], held.query)
    return Request(request.method, request.host, target, held.headers, request.upgrade)


def _spelled(path: str, query: Pairs) -> str:
    return f"{path}?{urlencode(query)}" if query else path
