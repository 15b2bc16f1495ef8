"""What asks the gateway while it is measured: a process of its own, blocking sockets, one JSON line at its end.

`python bench/load.py PART TERMS`; it needs nothing but Python.
"""

import itertools
import json
import selectors
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

_BODY = json.dumps({"channel": "C0123456", "text": "x" * 441}).encode()
"""480 octets: what one message to a chat takes."""


@cache
def trust(file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=file)


def reach(name: str, port: int, roots: str) -> ssl.SSLSocket:
    """Return a TLS connection to a name, through the proxy on `port`, or straight where that is 443."""
    plain = socket.create_connection(("127.0.0.1", port), 30)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if port != 443:
        plain.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
        said = plain.recv(4096)
        if b" 200 " not in said.split(b"\r\n")[0] or not said.endswith(b"\r\n\r\n"):
            raise RuntimeError(f"no tunnel: {said[:200]!r}")
    return trust(roots).wrap_socket(plain, server_hostname=name)


def answered(wire: ssl.SSLSocket) -> int:
    """Read one answer and return the octets of its body; raise RuntimeError for any but a 200."""
    said = b""
    while (end := said.find(b"\r\n\r\n")) < 0:
        more = wire.recv(65536)
        if not more:
            raise RuntimeError(f"no answer: {said[:200]!r}")
        said += more
    head = said[:end].lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(f"refused: {said[:400]!r}")
    size = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    left = size - (len(said) - end - 4)
    while left > 0:
        left -= len(wire.recv(min(left, 262144)))
    return size


def asking(name: str, line: str, bearer: str = "", body: bytes = b"") -> bytes:
    head = f"{line} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: bench\r\nAccept: */*\r\n"
    head += f"Authorization: Bearer {bearer}\r\n" if bearer else ""
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{head}\r\n".encode() + body


def kept(place: str, name: str, ports: list[int], rounds: int) -> dict[str, Any]:
    """Return the microseconds of a small GET on kept connections, one by each way, asked in turn."""
    wires = [reach(name, port, f"{place}/far-root.pem") for port in ports]
    request = asking(name, "GET /small")

    def ask(wire: ssl.SSLSocket) -> None:
        wire.sendall(request)
        answered(wire)

    return _in_turn([partial(ask, wire) for wire in wires], rounds)


def fresh(place: str, name: str, ports: list[int], rounds: int) -> dict[str, Any]:
    """Return the microseconds of a new connection with its first small GET, by each way in turn."""
    request = asking(name, "GET /small")

    def ask(port: int) -> None:
        with reach(name, port, f"{place}/far-root.pem") as wire:
            wire.sendall(request)
            answered(wire)

    return _in_turn([partial(ask, port) for port in ports], rounds)


def _in_turn(ways: list[Callable[[], None]], rounds: int) -> dict[str, Any]:
    took: list[list[float]] = [[] for _ in ways]
    for number in range(rounds + rounds // 10):
        for way, found in zip(ways, took, strict=True):
            started = time.perf_counter()
            way()
            if number >= rounds // 10:  # the first tenth warms up
                found.append((time.perf_counter() - started) * 1e6)
    return {"p50": [statistics.median(one) for one in took]}


def posts(  # noqa: PLR0913 - one load's terms
    place: str, name: str, port: int, roots: str, bearer: str, connections: int, seconds: float, sizes: int
) -> dict[str, Any]:
    """Return how many small POSTs a second all connections got through, each asking again when it was answered.

    Their bodies come in so many sizes, one octet apart, in turn: with more than one no head is like the one before it.
    """
    requests = [asking(name, "POST /post", bearer, _BODY + b" " * more) for more in range(sizes)]
    wires = {reach(name, port, f"{place}/{roots}"): itertools.cycle(requests) for _ in range(connections)}
    with selectors.DefaultSelector() as ready:
        for wire, asks in wires.items():
            ready.register(wire, selectors.EVENT_READ, asks)
            wire.sendall(next(asks))
        begin, done, counted = time.monotonic(), 0, 0
        warm, end = begin + seconds / 5, begin + seconds
        while (now := time.monotonic()) < end:
            for key, _ in ready.select(1):
                answered(key.fileobj)  # type: ignore[arg-type] # only these were registered
                key.fileobj.sendall(next(key.data))  # type: ignore[union-attr] # same
                done += 1
            if now < warm:
                counted = done
    return {"rate": (done - counted) / (now - warm)}


def hold(place: str, name: str, port: int, tunnels: int) -> dict[str, Any]:
    """Hold so many tunnels, each with a request that was answered, until whoever asked hangs up."""
    wires = [reach(name, port, f"{place}/far-root.pem") for _ in range(tunnels)]
    for wire in wires:
        wire.sendall(asking(name, "GET /50000"))
        answered(wire)
    print("held", flush=True)
    sys.stdin.read()
    return {}


def used(  # noqa: PLR0913 - one load's terms
    place: str, name: str, port: int, roots: str, bearer: str, connections: int, asks: list[list[Any]]
) -> dict[str, Any]:
    """Ask the same things, each `[line, octets sent]`, on one new connection after the other; return what went."""
    requests = [asking(name, line, bearer, b"x" * size) for line, size in asks]
    octets = 0
    for _ in range(connections):
        with reach(name, port, f"{place}/{roots}") as wire:
            for request in requests:
                wire.sendall(request)
                octets += answered(wire) + len(request)
    return {"octets": octets, "requests": connections * len(requests)}


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "kept": kept,
    "fresh": fresh,
    "posts": posts,
    "hold": hold,
    "used": used,
}

if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](**json.loads(sys.argv[2]))))
