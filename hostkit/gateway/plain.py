"""What a plain request asks for: CONNECT, absolute-form and origin-form alike, judged by one name and port."""

import re
from dataclasses import dataclass

from hostkit.gateway.http import BadRequest, Headers, RequestHead
from hostkit.gateway.names import BadName, split_authority

_ABSOLUTE = re.compile(r"http://([^/?#]*)([/?].*)?", re.IGNORECASE | re.DOTALL)
_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"upgrade"})


@dataclass(frozen=True)
class Wanted:
    """What a request asks for: canonical name and port, and for plain HTTP how to ask upstream."""

    method: str
    name: str
    port: int
    target: str
    headers: Headers

    @property
    def connect(self) -> bool:
        """Whether the request asks for a tunnel."""
        return self.method == "CONNECT"


def wanted(head: RequestHead, *, proxy: bool) -> Wanted:
    """Return what the request asks for; raise BadRequest if its parts disagree or have no canonical name.

    `proxy` is whether it came to the proxy's port, where alone CONNECT may be asked.
    """
    told = dict(head.headers)
    try:
        if head.method == "CONNECT":
            return _connect(head.target, told, proxy=proxy)
        _refuse_what_is_not_carried(head.method, told)
        return _plain(head, told.get(b"host", b"").decode("latin-1"))
    except BadName as why:
        raise BadRequest(why.rule, str(why)) from None


def _refuse_what_is_not_carried(method: str, told: dict[bytes, bytes]) -> None:
    if method == "TRACE":
        raise BadRequest("bad-request", "TRACE would show what was added on the way")
    if told.get(b"upgrade", b"").lower() == b"websocket":
        raise BadRequest("upgrade", "a WebSocket over plain HTTP is not carried; use wss through CONNECT")


def _connect(target: str, told: dict[bytes, bytes], *, proxy: bool) -> Wanted:
    if not proxy:
        raise BadRequest("bad-request", "CONNECT is for the proxy's port")
    if b"transfer-encoding" in told or told.get(b"content-length", b"0").strip(b"0"):
        raise BadRequest("bad-request", "CONNECT with a body")
    name, port = split_authority(target)
    return Wanted("CONNECT", name, port, target, ())


def _plain(head: RequestHead, host: str) -> Wanted:
    absolute = _ABSOLUTE.fullmatch(head.target)
    if absolute is None and not head.target.startswith("/"):
        raise BadRequest("bad-request", "neither a path nor a plain http:// address")
    name, port = split_authority(absolute[1] if absolute else host, 80)
    if absolute and host and split_authority(host, 80) != (name, port):
        raise BadRequest("host-mismatch", "the Host header names another host than the request line")
    path = (absolute[2] or "/") if absolute else head.target
    kept = [(key, value) for key, value in head.headers if key not in _HOP and key != b"host"]
    shown = name if port == 80 else f"{name}:{port}"
    headers = ((b"host", shown.encode()), *kept, (b"connection", b"close"))
    return Wanted(head.method, name, port, path if path.startswith("/") else "/" + path, headers)
