"""The agent's placeholder is looked for, the key is put in its stead; any other key is refused, whoever's it is."""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from hostkit.gateway.http import Headers
from hostkit.gateway.inspect.paths import Pairs, plain_name
from hostkit.gateway.marks import find_marks
from hostkit.gateway.requests import Denied
from hostkit.gateway.services import Credential, Service

_CARRIER = re.compile(
    r"(^|[-_.])(x?auth|authorization|(x?api|access)?-?(token|key)|secret|signature|sig|credentials?|password)($|[-_.])"
)
_HARMLESS = re.compile(
    r"proxy-authorization|(x-)?idempotency-key|sec-websocket-key|npm-auth-type|(x-)?(csrf|xsrf)-token"
)
"""Names of headers and query fields that carry a key at one service or another, and of those that only look so. What
stands in one at a service that has a key of ours, and is not ours, is refused: another's would be used instead."""


_REMEMBERED = 64
"""Letters of the longest name that is remembered: the agent chooses them, and may choose long ones."""
_AT_ANY = frozenset({"x-api-key", "api-key", "x-goog-api-key", "x-auth-token", "private-token"})
"""Headers in which a service without a key of ours takes none either: a listed host is no place for another account."""


@dataclass(frozen=True)
class Found:
    """What a request carries as a key: the credential whose placeholder it is, and the rest of the request."""

    credential: Credential | None
    headers: Headers
    query: Pairs


def find(service: Service, headers: Headers, query: Pairs, own: str) -> Found:
    """Return the credential that the request uses, and the request without it.

    Raise Denied `other-client` where a placeholder of another client stands, `stale-placeholder` for one of this client
    that is not this service's of now, `foreign-credential` for anything else that stands where a key goes, and for two
    different keys. `own` is this client's mark.
    """
    places = _own(service.credentials)
    carried = [pair for pair in headers if _carries(places, "header", pair[0].decode("ascii"))]
    asked = [pair for pair in query if _carries(places, "query", pair[0])]
    used = [_known(service, f"header:{name.decode('ascii')}", value.decode("latin-1"), own) for name, value in carried]
    used += [_known(service, f"query:{name}", text, own) for name, text in asked]
    if len({known.secret for known in used}) > 1:
        raise Denied("foreign-credential", "two different keys in one request")
    kept_headers = tuple([pair for pair in headers if pair not in carried]) if carried else headers
    kept_query = tuple([pair for pair in query if pair not in asked]) if asked else query
    return Found(used[0] if used else None, kept_headers, kept_query)


def carries(service: Service, kind: str, name: str) -> bool:
    """Return whether a header or a query field of this name carries a key: at this service, or by its look at any."""
    return _carries(_own(service.credentials), kind, name)


def _carries(places: frozenset[str], kind: str, name: str) -> bool:
    return _remembered(places, kind, name) if len(name) <= _REMEMBERED else _looked_at(places, kind, name)


def _looked_at(places: frozenset[str], kind: str, name: str) -> bool:
    plain = name.lower() if kind == "header" else plain_name(name)
    if plain == "authorization":
        return True
    if not places:
        return kind == "header" and plain in _AT_ANY
    return f"{kind}:{name}" in places or looks_like_a_key(plain)


_remembered = lru_cache(maxsize=1024)(_looked_at)


def looks_like_a_key(name: str) -> bool:
    """Return whether a name is one that keys have, in any service's words."""
    return bool(_CARRIER.search(name)) and not _HARMLESS.fullmatch(name)


@cache
def _own(credentials: tuple[Credential, ...]) -> frozenset[str]:
    return frozenset(place.partition("=")[0] for known in credentials for place in known.places)


def _known(service: Service, where: str, value: str, own: str) -> Credential:
    for credential in service.credentials:
        if any(_stands(place, where, value, credential.placeholder) for place in credential.places):
            return credential
    shown = f"{value} {_opened(value)}".encode("utf-8", "replace")
    refuse_marks(shown, own)
    if find_marks(shown):
        raise Denied("stale-placeholder", f"{where} holds a placeholder of an earlier launch or of another service")
    raise Denied("foreign-credential", f"{where} holds a key that is not this client's placeholder")


def refuse_marks(data: bytes, own: str) -> None:
    """Raise Denied `other-client` if the data holds another client's placeholder."""
    if others := sorted(find_marks(data) - {own}):
        raise Denied("other-client", f"the placeholder of another client ({others[0]})")


def _stands(place: str, where: str, value: str, placeholder: str) -> bool:
    """Return whether a value is the placeholder in its form; a scheme is read in any case (RFC 9110 11.1)."""
    if place == "basic":
        return where == "header:authorization" and _is_password(_opened(value), placeholder)
    at, _, form = place.partition("=")
    before, _, after = (form or "{}").partition("{}")
    said, rest = value.strip()[: len(before)], value.strip()[len(before) :]
    return at == where and said.lower() == before.lower() and rest.lstrip(" ") == placeholder + after


def _is_password(pair: str, placeholder: str) -> bool:
    """Return whether Basic's pair holds it as its password, or as its user where the address of a clone held it."""
    user, _, password = pair.partition(":")
    return password == placeholder or (user == placeholder and password in {"", "x-oauth-basic"})


def _opened(value: str) -> str:
    """Return what a `Basic` value holds, empty for another or a broken one."""
    scheme, _, coded = value.strip().partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(coded.strip(), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def put(credential: Credential, value: str, headers: Headers, user: str = "x-access-token") -> Headers:
    """Return the headers with the key in the first place of its service; the vault saw that it can stand there."""
    place = credential.places[0]
    if place == "basic":
        coded = base64.b64encode(f"{user}:{value}".encode()).decode()
        return (*headers, (b"authorization", f"Basic {coded}".encode()))
    name, _, form = place.removeprefix("header:").partition("=")
    return (*headers, (name.encode(), (form or "{}").replace("{}", value).encode()))
