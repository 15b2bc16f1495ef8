"""The head of a request, read by h11 and then more strictly; CONNECT, absolute-form and origin-form alike."""

import re
from dataclasses import dataclass

import h11

from hostkit.gateway.names import BadName, split_authority

LIMIT = 32 * 1024
"""Octets a request's head may take."""
_ABSOLUTE = re.compile(r"http://([^/?#]*)([/?].*)?", re.IGNORECASE | re.DOTALL)
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(_TOKEN + rb" [\x21-\x7e]+ HTTP/1\.([01])")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*)")
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
    """Raise BadRequest if the raw head holds what two parsers could read in two ways.

    One request line of HTTP/1.0 or 1.1, whole header lines, no bare line ends, no folding, no control characters, one
    Host, and one way at most to say where the body ends.
    """
    first, *lines = head.split(b"\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        raise BadRequest("bad-request", "no request line of HTTP/1.0 or HTTP/1.1")
    matched = [_FIELD.fullmatch(text) for text in lines]
    fields = [(found[1].lower(), found[2].strip()) for found in matched if found]
    if len(fields) != len(lines):
        raise BadRequest("bad-request", "a line that is no header: folded, a bare line end, or a control character")
    _framing(line[1] == b"0", fields)


def _framing(old: bool, fields: list[tuple[bytes, bytes]]) -> None:  # noqa: FBT001 - HTTP/1.0 or not
    names = [name for name, _ in fields]
    if any(names.count(name) > 1 for name in (b"host", b"content-length", b"transfer-encoding")):
        raise BadRequest("bad-request", "a repeated Host, Content-Length or Transfer-Encoding")
    told = dict(fields)
    if b"transfer-encoding" in told and (old or b"content-length" in told):
        raise BadRequest("bad-request", "Transfer-Encoding in HTTP/1.0, or beside Content-Length")
    if told.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise BadRequest("bad-request", "a Transfer-Encoding other than chunked")
    if not re.fullmatch(rb"[0-9]{1,18}", told.get(b"content-length", b"0")):
        raise BadRequest("bad-request", "a Content-Length that is no plain number")


def read_head(request: h11.Request, *, proxy: bool) -> Head:
    """Return what the request asks for; raise BadRequest if its parts disagree or have no canonical name.

    `proxy` is whether it came to the proxy's port; only there CONNECT is spoken.
    """
    method, target = request.method.decode("ascii"), request.target.decode("latin-1")
    told = dict(request.headers)
    try:
        if method == "CONNECT":
            return _connect(target, told, proxy=proxy)
        _refuse_what_is_not_carried(method, told)
        return _plain(request, method, target, told.get(b"host", b"").decode("latin-1"))
    except BadName as why:
        raise BadRequest(why.rule, str(why)) from None


def _refuse_what_is_not_carried(method: str, told: dict[bytes, bytes]) -> None:
    if method == "TRACE":
        raise BadRequest("bad-request", "TRACE would show what was added on the way")
    if told.get(b"upgrade", b"").lower() == b"websocket":
        raise BadRequest("upgrade", "a WebSocket over plain HTTP is not carried; use wss through CONNECT")


def _connect(target: str, told: dict[bytes, bytes], *, proxy: bool) -> Head:
    if not proxy:
        raise BadRequest("bad-request", "CONNECT is for the proxy's port")
    if b"transfer-encoding" in told or told.get(b"content-length", b"0").strip(b"0"):
        raise BadRequest("bad-request", "CONNECT with a body")
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
