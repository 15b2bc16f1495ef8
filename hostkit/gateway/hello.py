"""The server name in a TLS ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3)."""

LIMIT = 16 * 1024
"""Octets of handshake that are read before a hello is refused; real ones stay under 4 kB."""
_HIDING = frozenset({*range(0xFE08, 0xFE0E), 0xFFCE})
"""encrypted_client_hello, its drafts, and its forerunner: an inner name that a server may follow instead."""


class BadHello(ValueError):  # noqa: N818 - it is an answer
    """Bytes that are no acceptable ClientHello; `rule` is `not-tls`, `sni-missing` or `ech`."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(why)
        self.rule = rule


def server_name(data: bytes) -> str | None:
    """Return the one host name in the hello that `data` begins with, None if more bytes are needed.

    Raise BadHello if it is no ClientHello, is over LIMIT, names no or several hosts, or may hide another one (ECH:
    browsers send it as mere padding too, but nobody except the server can tell, so it has to be off in the client).
    """
    hello = _handshake(data)
    if hello is None:
        if len(data) > LIMIT:
            raise BadHello("not-tls", "the ClientHello is too long")
        return None
    try:
        return _name(_extensions(hello))
    except IndexError:
        raise BadHello("not-tls", "the ClientHello is cut short inside") from None


def _handshake(data: bytes) -> bytes | None:
    """Return the ClientHello's body out of one or more TLS records, None if it is not all there."""
    body, at = b"", 0
    while True:
        head = data[at : at + 5]
        if head[:1] not in {b"", b"\x16"} or head[1:2] not in {b"", b"\x03"}:
            raise BadHello("not-tls", "not a TLS handshake")
        if body[:1] not in {b"", b"\x01"}:
            raise BadHello("not-tls", "not a ClientHello")
        if len(body) >= 4 and len(body) >= 4 + int.from_bytes(body[1:4]):
            return body[4 : 4 + int.from_bytes(body[1:4])]
        size = int.from_bytes(head[3:5]) if len(head) == 5 else 0
        if len(head) == 5 and not 0 < size <= LIMIT:
            raise BadHello("not-tls", "a TLS record of no usable size")
        if len(head) < 5 or len(data) < at + 5 + size:
            return None
        body += data[at + 5 : at + 5 + size]
        at += 5 + size


def _take(data: bytes, at: int, width: int) -> tuple[bytes, int]:
    """Return a vector with a length of `width` octets in front, and where it ends."""
    if at + width > len(data):
        raise IndexError
    end = at + width + int.from_bytes(data[at : at + width])
    if end > len(data):
        raise IndexError
    return data[at + width : end], end


def _extensions(hello: bytes) -> bytes:
    at = 2 + 32  # legacy_version, random
    for width in (1, 2, 1):  # session id, cipher suites, compression methods
        _, at = _take(hello, at, width)
    if at >= len(hello):
        raise BadHello("sni-missing", "the ClientHello names no host")
    extensions, end = _take(hello, at, 2)
    if end != len(hello):
        raise BadHello("not-tls", "the ClientHello goes on after its extensions")
    return extensions


def _name(extensions: bytes) -> str:
    at, found = 0, []
    while at < len(extensions):
        kind = int.from_bytes(extensions[at : at + 2])
        content, at = _take(extensions, at + 2, 2)
        if kind in _HIDING:
            raise BadHello("ech", "the ClientHello may hide another name (encrypted_client_hello)")
        if kind == 0:
            found.append(content)
    if len(found) != 1:
        raise BadHello("sni-missing", "the ClientHello names no host, or several")
    return _host_name(found[0])


def _host_name(content: bytes) -> str:
    names, whole = _take(content, 0, 2)
    if whole != len(content) or names[:1] != b"\x00":
        raise BadHello("sni-missing", "the ClientHello names no host")
    name, end = _take(names, 1, 2)
    if end != len(names):
        raise BadHello("sni-missing", "the ClientHello names several hosts")
    try:
        return name.decode("ascii")
    except UnicodeDecodeError:
        raise BadHello("sni-missing", "the ClientHello's host is not ASCII") from None
