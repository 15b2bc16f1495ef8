# ruff: noqa: PLC0415
"""What several attempts say on the wire; its source goes into the sandbox with theirs, so it imports inside."""

from typing import Any


def opened(gateway: str, port: str, name: str, protocols: tuple[str, ...] = ()) -> Any:
    """Return a TLS connection to `name` by a gateway's CONNECT; whose certificate it is shown does not matter."""
    import socket
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    wire = socket.create_connection((gateway, int(port)), timeout=8)
    wire.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
    if b" 200" not in wire.recv(512)[:16]:
        raise ConnectionError("no tunnel")
    return context.wrap_socket(wire, server_hostname=name)


def answer(wire: Any) -> bytes:
    """Return the next answer, whole or as far as it comes; empty if the other end says nothing and goes."""
    import re

    said = b""
    try:
        while more := wire.recv(65536):
            said += more
            head, end, body = said.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head.lower())
            if end and len(body) >= (int(length[1]) if length else 0):
                break
    except OSError:
        return said
    return said


def request(gateway: str, port: str, name: str, data: bytes) -> bytes:
    """Return the answer to one request on a connection of its own."""
    with opened(gateway, port, name) as wire:
        try:
            wire.sendall(data)
        except OSError:
            return answer(wire)
        return answer(wire)


def good(said: bytes) -> bool:
    """Return whether an answer is one of the service itself: a refusal of the gateway's is none."""
    return said[9:12] in {b"200", b"101"}
