"""The head of an opened request: read strictly, its host that of the connection, and written anew for upstream."""

import asyncio

from hostkit.gateway.http import LIMIT as HEAD_LIMIT
from hostkit.gateway.http import BadRequest, Headers, RequestHead, end_to_end, words, write_request
from hostkit.gateway.inspect.credentials import put
from hostkit.gateway.inspect.judge import Allowed, Request, without_key
from hostkit.gateway.inspect.patience import Limit, OutOfPatience
from hostkit.gateway.inspect.tls import Plain
from hostkit.gateway.names import BadName, split_authority
from hostkit.gateway.requests import Denied
from hostkit.gateway.wire import PATIENCE

IDLE = 120.0
"""Seconds that a kept connection may be silent between two requests."""

_ONCE = (b"content-type", b"content-encoding")
_OPTIONS = frozenset({b"", *b"close keep-alive te trailer trailers upgrade http2-settings proxy-connection".split()})
"""What `Connection` may name: of anything else the next server would not see what was judged."""


async def next_head(stream: Plain, idle: Limit) -> bytes:
    """Return the next request's head as it came, empty when the connection ended, or has to.

    `idle` is how long it may be silent before. Raise BadRequest or Denied for what is no head, as for a proxy's.
    """
    try:
        with idle:
            if not await stream.begun():
                return b""
    except OutOfPatience:
        return b""
    try:
        if stream.holds_head():
            return await stream.head(HEAD_LIMIT)
        async with asyncio.timeout(PATIENCE):
            return await stream.head(HEAD_LIMIT)
    except TimeoutError:
        raise Denied("too-slow", f"no head that ends in {PATIENCE:g} s") from None
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        raise BadRequest("bad-request", f"no head that ends within {HEAD_LIMIT} bytes") from None


def opened(head: RequestHead, name: str, port: int, *, secure: bool) -> Request:
    """Return what a head asks for on a connection to `name`; raise BadRequest if it asks for another host or way."""
    method, target, headers = head.method, head.target, head.headers
    if method in {"CONNECT", "TRACE"}:
        raise BadRequest("bad-request", f"{method} inside a connection that is opened")
    if not target.startswith("/"):
        raise BadRequest("bad-request", "no path; inside TLS a request names its host in `Host`")
    if secure:
        _same_host(dict(headers).get(b"host", b"").decode("latin-1"), name, port)
    _one_meaning(headers)
    return Request(method, name, target, headers, _upgrades(headers, secure=secure))


def _one_meaning(headers: Headers) -> None:
    """Raise BadRequest for a header that has the next server read the request otherwise than it is judged here."""
    names = [name for name, _ in headers]
    if any(names.count(name) > 1 for name in _ONCE):
        raise BadRequest("bad-request", "a repeated Content-Type or Content-Encoding")
    options = {word for name, value in headers if name == b"connection" for word in words(value)}
    if strange := sorted(options - _OPTIONS):
        raise BadRequest("bad-request", f"Connection would have {strange[0].decode('latin-1')[:40]!a} taken out")


def _upgrades(headers: Headers, *, secure: bool) -> bool:
    """Return whether a request asks for a WebSocket; Java asks for h2c in plain HTTP, and does without."""
    asked = [value.lower() for name, value in headers if name == b"upgrade"]
    if asked not in ([], [b"websocket"]) and (secure or asked != [b"h2c"]):
        raise BadRequest("upgrade", "an upgrade to something other than a WebSocket")
    if asked == [b"websocket"] and {b"content-length", b"transfer-encoding"} & {name for name, _ in headers}:
        raise BadRequest("upgrade", "an upgrade with a body")
    return asked == [b"websocket"]


def _same_host(host: str, name: str, port: int) -> None:
    if host == f"{name}:{port}" or (host, port) == (name, 443):  # as nearly all of them write it
        return
    try:
        named = split_authority(host, port)
    except BadName as why:
        raise BadRequest(why.rule, str(why)) from None
    if named != (name, port):
        raise BadRequest("host-mismatch", f"Host names {named[0]}:{named[1]}, the connection is to {name}:{port}")


def outgoing(request: Request, allowed: Allowed, key: str | None, port: int) -> bytes:
    """Return the head for upstream: its own Host, the key in its place, nothing of the connection it came on.

    Where a key goes, the answer is asked for whole and as it is: what is compressed or cut cannot be scrubbed.
    """
    service, bare = allowed.service, without_key(request, allowed.found)
    gone = {b"accept-encoding"} if allowed.opens_answer else set()
    if request.upgrade:
        gone.add(b"sec-websocket-extensions")
    host = request.host if port == 443 else f"{request.host}:{port}"
    headers: Headers = (
        (b"host", host.encode()),
        *[pair for pair in service.passed(end_to_end(bare.headers)) if pair[0] not in gone],
        *service.sent,
    )
    if allowed.opens_answer:
        headers += ((b"accept-encoding", b"identity"),)
    if request.upgrade:
        headers += ((b"connection", b"Upgrade"), (b"upgrade", b"websocket"))
    if b"transfer-encoding" in dict(bare.headers):
        headers += ((b"transfer-encoding", b"chunked"),)
    if key is not None and allowed.found.credential is not None:
        headers = put(allowed.found.credential, key, headers)
    return write_request(request.method, bare.target, headers)
