"""The head of an opened request: read strictly, its host that of the connection, and written anew for upstream."""

import asyncio

import h11

from hostkit.gateway.http import LIMIT as HEAD_LIMIT
from hostkit.gateway.http import BadRequest, strict
from hostkit.gateway.inspect.credentials import Headers, put
from hostkit.gateway.inspect.framing import end_to_end
from hostkit.gateway.inspect.judge import Allowed, Request, without_key
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.names import BadName, split_authority
from hostkit.gateway.requests import Denied
from hostkit.gateway.wire import PATIENCE

IDLE = 120.0
"""Seconds that a kept connection may be silent between two requests."""


async def read_head(stream: Plain, connection: h11.Connection) -> h11.Request | None:
    """Return the next request's head, None when the connection ended; raise BadRequest or Denied, as for a proxy's."""
    try:
        async with asyncio.timeout(IDLE):
            if not await stream.begun():
                return None
    except TimeoutError:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            raw = await stream.head(HEAD_LIMIT)
        strict(raw[:-4])
        connection.receive_data(raw)
        event = connection.next_event()
    except TimeoutError:
        raise Denied("too-slow", f"no head that ends in {PATIENCE:g} s") from None
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        raise BadRequest("bad-request", f"no head that ends within {HEAD_LIMIT} bytes") from None
    except h11.RemoteProtocolError as why:
        raise BadRequest("bad-request", str(why)) from None
    if not isinstance(event, h11.Request):
        raise BadRequest("bad-request", "no request")
    return event


def opened(event: h11.Request, name: str, port: int, *, secure: bool) -> Request:
    """Return what a head asks for on a connection to `name`; raise BadRequest if it asks for another host or way."""
    method, target = event.method.decode("ascii"), event.target.decode("latin-1")
    told = dict(event.headers)
    if method in {"CONNECT", "TRACE"}:
        raise BadRequest("bad-request", f"{method} inside a connection that is opened")
    if not target.startswith("/"):
        raise BadRequest("bad-request", "no path; inside TLS a request names its host in `Host`")
    if secure:
        _same_host(told.get(b"host", b"").decode("latin-1"), name, port)
    upgrade = told.get(b"upgrade", b"").lower() == b"websocket"
    if b"upgrade" in told and not upgrade and told[b"upgrade"].lower() != b"h2c":
        raise BadRequest("upgrade", "an upgrade to something other than a WebSocket")
    return Request(method, name, target, tuple(event.headers), upgrade)


def _same_host(host: str, name: str, port: int) -> None:
    try:
        named = split_authority(host, port)
    except BadName as why:
        raise BadRequest(why.rule, str(why)) from None
    if named != (name, port):
        raise BadRequest("host-mismatch", f"Host names {named[0]}:{named[1]}, the connection is to {name}:{port}")


def outgoing(request: Request, allowed: Allowed, key: str | None, port: int) -> h11.Request:
    """Return the head for upstream: its own Host, the key in its place, nothing of the connection it came on.

    Where a key goes, the answer is asked for whole and as it is: what is compressed or cut cannot be scrubbed.
    """
    bare = without_key(request, allowed.found)
    told = dict(bare.headers)
    host = request.host if port == 443 else f"{request.host}:{port}"
    sets = [line.partition(": ") for line in allowed.service.sets]
    gone = {b"host", b"expect", *(name.lower().encode() for name, _, _ in sets)}
    gone |= {name.lower().encode() for name in allowed.service.drops}
    if allowed.service.credentials:
        gone |= {b"cookie", b"accept-encoding", b"range", b"if-range"}
    if request.upgrade:
        gone |= {b"sec-websocket-extensions"}
    headers: Headers = ((b"host", host.encode()),)
    headers += tuple((name, value) for name, value in end_to_end(bare.headers) if name not in gone)
    headers += tuple((name.lower().encode(), value.encode()) for name, _, value in sets)
    if allowed.service.credentials:
        headers += ((b"accept-encoding", b"identity"),)
    if request.upgrade:
        headers += ((b"connection", b"Upgrade"), (b"upgrade", b"websocket"))
    if b"transfer-encoding" in told:
        headers += ((b"transfer-encoding", b"chunked"),)
    if key is not None and allowed.found.credential is not None:
        headers = put(allowed.found.credential, key, headers)
    return h11.Request(method=request.method, target=bare.target, headers=list(headers))
