"""The agent's placeholder is looked for, the key is put in its stead; any other key is refused, whoever's it is."""

import base64
import binascii
from dataclasses import dataclass

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.paths import Pairs
from hostkit.gateway.marks import find_marks
from hostkit.gateway.requests import Denied
from hostkit.gateway.services import Credential, Service

Headers = tuple[tuple[bytes, bytes], ...]

_CARRIERS = frozenset(
    b"authorization x-api-key api-key x-goog-api-key x-auth-token private-token x-access-token".split()
)
"""Headers that carry a key at one service or another: what stands there and is not ours is refused everywhere."""


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
    used: list[Credential] = []
    kept_headers = []
    for name, value in headers:
        if name in _CARRIERS or name in _header_names(service):
            used.append(_known(service, f"header:{name.decode('ascii')}", value.decode("latin-1"), own))
        else:
            kept_headers.append((name, value))
    kept_query = []
    for field, text in query:
        if f"query:{field}" in {place for known in service.credentials for place in known.places}:
            used.append(_known(service, f"query:{field}", text, own))
        else:
            kept_query.append((field, text))
    if len({known.secret for known in used}) > 1:
        raise Denied("foreign-credential", "two different keys in one request")
    return Found(used[0] if used else None, tuple(kept_headers), tuple(kept_query))


def _header_names(service: Service) -> frozenset[bytes]:
    places = [place for credential in service.credentials for place in credential.places]
    return frozenset(place[7:].partition("=")[0].encode() for place in places if place.startswith("header:"))


def _known(service: Service, where: str, value: str, own: str) -> Credential:
    for credential in service.credentials:
        if any(_stands(place, where, value, credential.placeholder) for place in credential.places):
            return credential
    refuse_marks(value.encode("latin-1") + b" " + _opened(value).encode("latin-1"), own)
    if find_marks(value.encode("latin-1") + b" " + _opened(value).encode("latin-1")):
        raise Denied("stale-placeholder", f"{where} holds a placeholder of an earlier launch or of another service")
    raise Denied("foreign-credential", f"{where} holds a key that is not this client's placeholder")


def refuse_marks(data: bytes, own: str) -> None:
    """Raise Denied `other-client` if the data holds another client's placeholder."""
    if others := sorted(find_marks(data) - {own}):
        raise Denied("other-client", f"the placeholder of another client ({others[0]})")


def _stands(place: str, where: str, value: str, placeholder: str) -> bool:
    if place == "basic":
        return where == "header:authorization" and _opened(value).partition(":")[2] == placeholder
    at, _, form = place.partition("=")
    scheme, _, _ = (form or "{}").rpartition(" ")
    said, _, token = value.strip().rpartition(" ")
    return at == where and said.strip().lower() == scheme.lower() and token == placeholder


def _opened(value: str) -> str:
    """Return what a `Basic` value holds, empty for another or a broken one."""
    scheme, _, coded = value.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(coded.strip(), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def put(credential: Credential, value: str, headers: Headers, user: str = "x-access-token") -> Headers:
    """Return the headers with the key in the first place of its service; raise BadRequest if it fits no header."""
    place = credential.places[0]
    if any(ord(letter) < 33 or ord(letter) > 126 for letter in value):
        raise BadRequest("bad-secret", f"the value of {credential.secret} cannot stand in a header")
    if place == "basic":
        coded = base64.b64encode(f"{user}:{value}".encode()).decode()
        return (*headers, (b"authorization", f"Basic {coded}".encode()))
    name, _, form = place.removeprefix("header:").partition("=")
    return (*headers, (name.encode(), (form or "{}").replace("{}", value).encode()))
