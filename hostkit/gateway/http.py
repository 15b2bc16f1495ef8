"""The head of a request, read by h11 and then more strictly; CONNECT, absolute-form and origin-form alike."""

import re
from dataclasses import dataclass

import h11

from hostkit.gateway.names import BadName, split_authority

LIMIT = 32 * 1024
"""Octets a request's head may take."""
_ABSOLUTE = re.compile(r"http://([^/?#]*)([/?].*)?", re.IGNORECASE | re.DOTALL)
_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"upgrade"})


class BadRequest(ValueError):  # noqa: N818 - it is an answer
    """A request that is not judged because it is not clear; `rule` names why."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(why)
        self.rule = rule


@dataclass(frozen=True)
class Head:
    """What a request asks for: canonical name and port, and for plain HTTP how to ask upstream."""

    method: str
    name: str
    port: int
    target: str
    headers: tuple[tuple[bytes, bytes], ...]

    @property
    def connect(self) -> bool:
        """Whether the request asks for a tunnel."""
        return self.method == "CONNECT"


def strict(head: bytes) -> None:
    """Raise BadRequest if the raw head holds what two parsers could read in two ways."""
    lines = head.split(b"\r\n")
    if b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b"") or b"\0" in head:
        raise BadRequest("bad-request", "a bare line end or NUL in the head")
    if any(line[:1] in {b" ", b"\t"} for line in lines):
        raise BadRequest("bad-request", "a folded header")
    names = [line.split(b":")[0].strip().lower() for line in lines[1:]]
    if b"transfer-encoding" in names and b"content-length" in names:
        raise BadRequest("bad-request", "Content-Length beside Transfer-Encoding")
    if any(names.count(name) > 1 for name in (b"host", b"content-length", b"transfer-encoding")):
        raise BadRequest("bad-request", "a repeated Host, Content-Length or Transfer-Encoding")


def read_head(request: h11.Request, *, proxy: bool) -> Head:
    """Return what the request asks for; raise BadRequest if its parts disagree or have no canonical name.

    `proxy` is whether it came to the proxy's port; only there CONNECT is spoken.
    """
    method, target = request.method.decode("ascii"), request.target.decode("latin-1")
    host = dict(request.headers).get(b"host", b"").decode("latin-1")
    try:
        if method == "CONNECT":
            return _connect(target, proxy=proxy)
        return _plain(request, method, target, host)
    except BadName as why:
        raise BadRequest(why.rule, str(why)) from None


def _connect(target: str, *, proxy: bool) -> Head:
    if not proxy:
        raise BadRequest("bad-request", "CONNECT is for the proxy's port")
    name, port = split_authority(target)
    return Head("CONNECT", name, port, target, ())


def _plain(request: h11.Request, method: str, target: str, host: str) -> Head:
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None and not target.startswith("/"):
        raise BadRequest("bad-request", "neither a path nor a plain http:// address")
    name, port = split_authority(absolute[1] if absolute else host, 80)
    if absolute and host and split_authority(host, 80) != (name, port):
        raise BadRequest("host-mismatch", "the Host header names another host than the request line")
    path = (absolute[2] or "/") if absolute else target
    kept = [(key, value) for key, value in request.headers if key not in _HOP and key != b"host"]
    shown = name if port == 80 else f"{name}:{port}"
    headers = [(b"host", shown.encode()), *kept, (b"connection", b"close")]
    return Head(method, name, port, path if path.startswith("/") else "/" + path, tuple(headers))
