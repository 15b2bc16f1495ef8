"""Our own listener, the far end of every attempt: TCP, UDP, DNS, HTTP, TLS and a unix socket, each logged as JSON.

Standard library only and nothing of hostkit, so that its source runs as `python3 -I -c SOURCE '<json settings>'` in a
container of its own. Settings: addresses, port, dns (port), http (port), answer (the address given for every name),
socket (path of a stand-in engine socket), proxy (port of the open gateway), upstream (where the open gateway dials),
service (the far end of the names below it, on service_port), leaf (file of its certificate and key), elsewhere (the
name to which it redirects).
"""

import hashlib
import json
import os
import re
import select
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Log = Callable[[str, str, bytes], None]
_PATIENCE = 15.0
_MOST = 1 << 20


def printed(kind: str, peer: str, data: bytes) -> None:
    """Write one line to stdout, flushed, at most 2 KiB of data, control characters escaped by JSON."""
    line = {"at": time.time(), "kind": kind, "from": peer, "data": data[:2048].decode("latin-1")}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def dns_answer(query: bytes, address: str) -> bytes:
    """Return an answer to one query: every name has `address`; TXT gets the word collector."""
    end = query.index(b"\0", 12) + 5
    kind = struct.unpack("!H", query[end - 4 : end - 2])[0]
    data = b"\x09collector" if kind == 16 else socket.inet_aton(address)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 16 if kind == 16 else 1, 1, 0, len(data)) + data
    count = 1 if kind in {1, 16} else 0
    head = query[:2] + struct.pack("!5H", 0x8580, 1, count, 0, 0)
    return head + query[12:end] + (record if count else b"")


def dns_name(query: bytes) -> bytes:
    """Return the dotted name of a query's first question."""
    parts, at = [], 12
    while at < len(query) and query[at]:
        parts.append(query[at + 1 : at + 1 + query[at]])
        at += query[at] + 1
    return b".".join(parts)


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind; a v6 listener leaves v4 to the one beside it."""
        _only_v6(self.socket)
        super().server_bind()


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _Udp(socketserver.ThreadingUDPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind; a v6 listener leaves v4 to the one beside it."""
        _only_v6(self.socket)
        super().server_bind()


def _only_v6(wire: socket.socket) -> None:
    if wire.family == socket.AF_INET6:
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _handler(serve: Callable[[Any, str], None]) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            peer = self.client_address[0] if self.client_address else "unix"
            try:
                serve(self.request, str(peer))
            except (OSError, ValueError, struct.error, IndexError):
                return

    return Handler


def _stream(kind: str, log: Log, reply: bytes) -> Callable[[Any, str], None]:
    def serve(wire: socket.socket, peer: str) -> None:
        wire.settimeout(5)
        log(kind, peer, wire.recv(4096))
        wire.sendall(reply)

    return serve


class _Echo(socketserver.BaseRequestHandler):
    log: Log = staticmethod(printed)

    def handle(self) -> None:
        data, wire = self.request
        self.log("udp", str(self.client_address[0]), data)
        wire.sendto(b"collector", self.client_address)


def _dns_udp(log: Log, address: str) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, wire = self.request
            try:
                log("dns", str(self.client_address[0]), dns_name(data))
                wire.sendto(dns_answer(data, address), self.client_address)
            except (ValueError, struct.error, IndexError):
                return

    return Handler


def _dns_tcp(log: Log, address: str) -> Callable[[Any, str], None]:
    def serve(wire: socket.socket, peer: str) -> None:
        wire.settimeout(5)
        query = wire.recv(4096)[2:]
        log("dns", peer, dns_name(query))
        answer = dns_answer(query, address)
        wire.sendall(struct.pack("!H", len(answer)) + answer)

    return serve


_PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\ncollector"


def _open_gateway(log: Log, settings: dict[str, Any]) -> Callable[[Any, str], None]:
    """Return a gateway without one wall: whatever is asked for, it dials the collector, who stands for everywhere."""
    service = settings.get("service", "no service").encode()

    def serve(wire: socket.socket, peer: str) -> None:
        wire.settimeout(_PATIENCE)
        head = _head(wire)
        log("open-gateway", peer, head)
        if not head.startswith(b"CONNECT "):
            wire.sendall(_PAGE)
            return
        wire.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        port = (
            settings["service_port"]
            if b"." + service + b":" in head.partition(b"\r\n")[0]
            else settings["upstream_port"]
        )
        with socket.create_connection((settings.get("upstream", "127.0.0.1"), port), timeout=5) as far:
            _relay(wire, far)

    return serve


def _head(wire: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _MOST and (piece := wire.recv(8192)):
        head += piece
    return head


def _relay(near: socket.socket, far: socket.socket) -> None:
    other = {near: far, far: near}
    while ready := select.select(list(other), [], [], _PATIENCE)[0]:
        for wire in ready:
            data = wire.recv(65536)
            if not data:
                return
            other[wire].sendall(data)


def _service(log: Log, settings: dict[str, Any]) -> Callable[[Any, str], None]:
    """Return the far end of a service: what reaches it, in TLS or not, is logged whole, and each request answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings["leaf"])
    context.set_alpn_protocols(["h2", "http/1.1"])

    def serve(plain: socket.socket, peer: str) -> None:
        plain.settimeout(_PATIENCE)
        inside = plain.recv(1, socket.MSG_PEEK) == b"\x16"
        with context.wrap_socket(plain, server_side=True) if inside else plain as wire:
            told = b""
            while len(told) < _MOST and (piece := wire.recv(65536)):
                log("service", peer, piece if len(piece) < 2000 else piece[:1000] + piece[-1000:])
                told += piece
                if _whole(told):
                    wire.sendall(service_answer(told, settings.get("elsewhere", "")))
                    told = b""

    return serve


def _whole(told: bytes) -> bool:
    head, end, body = told.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"content-length: *(\d{1,9})\r\n", head.lower() + b"\r\n")
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def service_answer(told: bytes, elsewhere: str) -> bytes:
    """Return the service's answer: a redirect for /open/moved, a WebSocket where one is asked for, else its key.

    Of the key it tells the SHA-256 alone, which no gateway has a reason to take out. Each request in a row is answered.
    """
    if told.startswith(b"GET /open/moved"):
        return f"HTTP/1.1 302 Found\r\nLocation: https://{elsewhere}/\r\nContent-Length: 0\r\n\r\n".encode()
    if b"upgrade: websocket" in told.lower():
        return b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    found = re.search(rb"\r\nauthorization: *([^\r\n]*)", told, re.IGNORECASE)
    body = json.dumps({"key": hashlib.sha256(found[1] if found else b"").hexdigest()})
    count = len(re.findall(rb"(?m)^(?:GET|POST) \S+ HTTP/1\.1\r$", told)) or 1
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode() * count


def servers(settings: dict[str, Any], log: Log) -> list[socketserver.BaseServer]:
    """Return the bound servers of `settings`, none of them serving yet."""
    echo = type("Echo", (_Echo,), {"log": staticmethod(log)})
    made: list[socketserver.BaseServer] = []
    for address in settings.get("addresses", []):
        answer = settings.get("answer") or address
        if port := settings.get("port"):
            made.append(_Tcp((address, port), _handler(_stream("tcp", log, b"collector"))))
            made.append(_Udp((address, port), echo))
        if (dns := settings.get("dns")) and ":" not in address:
            made.append(_Tcp((address, dns), _handler(_dns_tcp(log, answer))))
            made.append(_Udp((address, dns), _dns_udp(log, answer)))
        if http := settings.get("http"):
            made.append(_Tcp((address, http), _handler(_stream("http", log, _PAGE))))
        if proxy := settings.get("proxy"):
            made.append(_Tcp((address, proxy), _handler(_open_gateway(log, settings))))
        if settings.get("service"):
            made.append(_Tcp((address, settings["service_port"]), _handler(_service(log, settings))))
    if path := settings.get("socket"):
        made.append(_Unix(path, _handler(_stream("socket", log, _PAGE))))
        os.chmod(path, 0o666)  # noqa: S103, PTH101 - any uid of the twin must be able to ask it
    return made


def start(settings: dict[str, Any], log: Log = printed) -> list[socketserver.BaseServer]:
    """Serve `settings` in threads of this process; the caller shuts each server down."""
    made = servers(settings, log)
    for server in made:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    return made


if __name__ == "__main__":
    start(json.loads(sys.argv[1]))
    printed("ready", "", b"")
    threading.Event().wait()
