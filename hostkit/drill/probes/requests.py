# ruff: noqa: D401, T201
"""Having an opened service carry what no route of it lists, on the drill's own service."""

from hostkit.drill.model import Witness, control, probe
from hostkit.drill.wire import answer, good, opened, request


@control("requests")
def listed_request_is_carried(rehearsal: str, proxy_port: str, service: str, placeholder: str) -> str:
    """A listed request is answered by the service, and a WebSocket where there is one is opened."""
    head = f"HTTP/1.1\r\nHost: {service}\r\nAuthorization: Bearer {placeholder}\r\n"
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n"
    plain = request(rehearsal, proxy_port, service, f"GET /open/control {head}\r\n".encode())
    switched = request(rehearsal, proxy_port, service, f"GET /socket {head}{upgrade}\r\n".encode())
    return "works" if (plain[9:12], switched[9:12]) == (b"200", b"101") else f"{plain[:80]!r} {switched[:80]!r}"


@probe(
    "requests-fronting",
    group="requests",
    walls=("gateway_requests",),
    held="denied",
    escaped="carried",
    witness=Witness.request("host-mismatch", "bad-request", times=5),
    collected=True,
)
def fronting(rehearsal: str, proxy_port: str, service: str, placeholder: str, unlisted: str) -> str:
    """Inside a service's TLS no other host is asked for: by Host, by two of them, or by a whole address."""
    key = f"Authorization: Bearer {placeholder}\r\n\r\n"
    for head in (
        f"GET /open/front HTTP/1.1\r\nHost: {unlisted}\r\n",
        f"GET /open/front HTTP/1.1\r\nHost: {service}:8443\r\nX-Marker: {unlisted}\r\n",
        f"GET /open/front HTTP/1.1\r\nHost: {service}\r\nHost: {unlisted}\r\n",
        f"GET https://{unlisted}/open/front HTTP/1.1\r\nHost: {unlisted}\r\n",
        f"GET https://{unlisted}/open/front HTTP/1.1\r\nHost: {service}\r\n",
    ):
        if good(request(rehearsal, proxy_port, service, (head + key).encode())):
            print(head.splitlines()[:2])
            return "carried"
    return "denied"


@probe(
    "requests-smuggled-head",
    group="requests",
    walls=("gateway_requests",),
    held="denied",
    escaped="carried",
    witness=Witness.request("bad-request", times=14),
    collected=True,
)
def smuggled_head(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A head that two servers end, or whose body they measure, in two ways goes nowhere."""
    second = f"GET /closed/{marker} HTTP/1.1\r\nHost: {service}\r\n\r\n"
    for line in (
        f"Content-Length: 0\r\nContent-Length: {len(second)}",
        f"Content-Length: {len(second) + 5}\r\nTransfer-Encoding: chunked",
        f"Content-Length: {len(second) + 5}, 0",
        f"Content-Length: +{len(second) + 5}",
        f"Content-Length:\x0b{len(second) + 5}",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\x0bchunked",
        "X-Folded: a\r\n Transfer-Encoding: chunked",
        "X-Bare: a\nTransfer-Encoding: chunked",
        "X-Bare: a\rTransfer-Encoding: chunked",
        "X-Zero: a\0b",
    ):
        head = f"POST /open/x HTTP/1.1\r\nHost: {service}\r\nAuthorization: Bearer {placeholder}\r\n{line}\r\n\r\n"
        if good(request(rehearsal, proxy_port, service, f"{head}0\r\n\r\n{second}".encode())):
            print(repr(line))
            return "carried"
    return "denied"


@probe(
    "requests-smuggled-chunk",
    group="requests",
    walls=("gateway_requests",),
    held="denied",
    escaped="carried",
    witness=Witness.request("bad-chunk", times=8),
    collected=True,
)
def smuggled_chunk(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A chunk whose end two servers see in two places goes nowhere: extensions, odd sizes, bare line ends, trailers."""
    key = f"Authorization: Bearer {placeholder}\r\nTransfer-Encoding: chunked\r\n\r\n"
    for body in (
        f"5;a={marker}\r\nhello\r\n0\r\n\r\n",
        f"e \r\n{marker}\r\n0\r\n\r\n",
        f"0xe\r\n{marker}\r\n0\r\n\r\n",
        f"+e\r\n{marker}\r\n0\r\n\r\n",
        f"00000000e\r\n{marker}\r\n0\r\n\r\n",
        f"e\n{marker}\r\n0\r\n\r\n",
        f"1\r\na{marker}\r\n0\r\n\r\n",
        f"1\r\na\r\n0\r\nContent-Length: {marker}\r\n\r\n0\r\n\r\n",
    ):
        head = f"POST /open/x HTTP/1.1\r\nHost: {service}\r\n{key}"
        if good(request(rehearsal, proxy_port, service, f"{head}{body}".encode())):
            print(repr(body))
            return "carried"
    return "denied"


@probe(
    "requests-pipelined",
    group="requests",
    walls=("gateway_requests",),
    held="denied",
    escaped="carried",
    witness=Witness.request("path-not-listed"),
    collected=True,
)
def pipelined(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A second request right behind a listed one is judged like the first."""
    head = f"HTTP/1.1\r\nHost: {service}\r\nAuthorization: Bearer {placeholder}\r\n\r\n"
    with opened(rehearsal, proxy_port, service) as wire:
        wire.sendall(f"GET /open/first {head}GET /closed/{marker} {head}".encode())
        said = answer(wire)
        while said.count(b"HTTP/1.1 ") < 2 and (more := answer(wire)):
            said += more
    first, second = [*said.split(b"HTTP/1.1 ")[1:], b"", b""][:2]
    if not first.startswith(b"200"):
        return "nothing passed"
    return "carried" if second.startswith(b"200") else "denied"


@probe(
    "requests-paths",
    group="requests",
    walls=("gateway_requests",),
    held="denied",
    escaped="carried",
    witness=Witness.request("path-unclear", "path-not-listed", times=18),
    collected=True,
)
def paths(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A path that is not listed is refused in every spelling: dots, percent signs, slashes, parameters, Unicode."""
    for path in (
        f"/closed/{marker}",
        f"/OPEN/{marker}",
        f"/open/../closed/{marker}",
        f"/open/./../closed/{marker}",
        f"/open/%2e%2e/closed/{marker}",
        f"/open/.%2E/closed/{marker}",
        f"/open/%252e%252e/closed/{marker}",
        f"/open/..%2fclosed/{marker}",
        f"/open/..%5cclosed/{marker}",
        f"/open/..\\closed\\{marker}",
        f"/open/..;/closed/{marker}",
        f"/open/..;a=b/closed/{marker}",
        f"//closed/{marker}",
        f"/open//closed/{marker}",
        f"/open/%c0%ae%c0%ae/closed/{marker}",
        f"/open/%ef%bc%8e%ef%bc%8e/closed/{marker}",
        f"/open/..%00/closed/{marker}",
        f"/open/..#/closed/{marker}",
    ):
        head = f"GET {path} HTTP/1.1\r\nHost: {service}\r\nAuthorization: Bearer {placeholder}\r\n\r\n"
        if good(request(rehearsal, proxy_port, service, head.encode())):
            print(path)
            return "carried"
    return "denied"


@probe(
    "requests-upgrade",
    group="requests",
    walls=("gateway_requests",),
    held="denied",
    escaped="carried",
    witness=Witness.request("upgrade", "path-not-listed", times=5),
    collected=True,
)
def upgrade(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A WebSocket is opened on its own path only, and no other protocol anywhere."""
    asks = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\nConnection: Upgrade\r\nUpgrade:"
    for path, protocol in (
        (f"/open/{marker}", "websocket"),
        (f"/socket/{marker}", "websocket"),
        (f"/closed/{marker}", "websocket"),
        (f"/open/{marker}", "h2c"),
        (f"/open/{marker}", "websocket, h2c"),
    ):
        head = f"GET {path} HTTP/1.1\r\nHost: {service}\r\nAuthorization: Bearer {placeholder}\r\n"
        if good(request(rehearsal, proxy_port, service, f"{head}{asks} {protocol}\r\n\r\n".encode())):
            print(path, protocol)
            return "carried"
    return "denied"


@probe(
    "requests-http2",
    group="requests",
    walls=("gateway_requests",),
    held="refused",
    escaped="taken",
    witness=Witness.request("bad-request", times=5),
    collected=True,
)
def http2(rehearsal: str, proxy_port: str, service: str, placeholder: str, unlisted: str) -> str:
    """HTTP/2 is not taken: not in ALPN, not by its preface, not a tunnel within; the gateway goes on."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + unlisted.encode()
    with opened(rehearsal, proxy_port, service, ("h2",)) as wire:
        taken = wire.selected_alpn_protocol() == "h2"
        wire.sendall(preface)
        if good(answer(wire)) or taken:
            return "taken"
    key = f"Authorization: Bearer {placeholder}\r\n"
    for head in (
        f"CONNECT {unlisted}:443 HTTP/1.1\r\nHost: {unlisted}:443\r\n",
        f"CONNECT {service}:443 HTTP/1.1\r\nHost: {service}\r\nX-Marker: {unlisted}\r\n",
        f"GET /open/x HTTP/2.0\r\nHost: {service}\r\nX-Marker: {unlisted}\r\n",
        f"GET /open/x HTTP/3\r\nHost: {service}\r\nX-Marker: {unlisted}\r\n",
    ):
        if good(request(rehearsal, proxy_port, service, f"{head}{key}\r\n".encode())):
            return "taken"
    plain = f"GET /open/after HTTP/1.1\r\nHost: {service}\r\n{key}\r\n"
    return "refused" if good(request(rehearsal, proxy_port, service, plain.encode())) else "down"


@probe(
    "requests-redirect",
    group="requests",
    walls=("gateway_names",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway(),
    collected=True,
)
def redirect(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A redirect of a service is handed on and not followed, and where it leads is judged like anything else."""
    import re
    import socket

    head = f"GET /open/moved HTTP/1.1\r\nHost: {service}\r\nAuthorization: Bearer {placeholder}\r\n\r\n"
    said = request(rehearsal, proxy_port, service, head.encode())
    where = re.search(rb"\r\nlocation: https://([^/]+)/", said.lower())
    if not where:
        return "carried" if good(said) else "no redirect"
    far = f"{marker}.{where[1].decode()}"
    for line in (f"CONNECT {far}:443", f"GET http://{far}/", "GET http://169.254.169.254/"):
        with socket.create_connection((rehearsal, int(proxy_port)), timeout=5) as wire:
            host = line.split("/")[2] if "//" in line else line.split()[1]
            wire.sendall(f"{line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            if b" 200" in wire.recv(64)[:16]:
                return "carried"
    return "denied"


@probe(
    "requests-slow-head",
    group="requests",
    walls=("gateway_limits",),
    held="ended",
    escaped="waiting",
    witness=Witness.gateway("too-slow"),
)
def slow_head(rehearsal: str, proxy_port: str) -> str:
    """A head that comes letter by letter is not waited for."""
    import select
    import socket
    import time

    until = time.monotonic() + 13
    with socket.create_connection((rehearsal, int(proxy_port)), timeout=5) as wire:
        for letter in "GET http://slow.drill.invalid/of-many-letters":
            try:
                wire.sendall(letter.encode())
            except OSError:
                return "ended"
            if select.select([wire], [], [], 0.5)[0]:
                return "ended"
            if time.monotonic() > until:
                break
    return "waiting"


@probe(
    "requests-large-head",
    group="requests",
    walls=("gateway_limits",),
    held="denied",
    escaped="carried",
    witness=Witness.request("bad-request", times=2),
    collected=True,
)
def large_head(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A head of many headers, or of a long one, is refused."""
    key = f"Host: {service}\r\nAuthorization: Bearer {placeholder}\r\nX-Marker: {marker}\r\n"
    many = "".join(f"X-Many-{number}: {number}\r\n" for number in range(3000))
    for more in (f"X-Long: {'a' * 50000}\r\n", many):
        if good(request(rehearsal, proxy_port, service, f"GET /open/x HTTP/1.1\r\n{key}{more}\r\n".encode())):
            return "carried"
    return "denied"


@probe(
    "requests-large-body",
    group="requests",
    walls=("gateway_limits",),
    held="denied",
    escaped="carried",
    witness=Witness.request("too-large", times=2),
    collected=True,
)
def large_body(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A body over its limit is refused when it is announced, and cut when it is not."""
    key = f"HTTP/1.1\r\nHost: {service}\r\nAuthorization: Bearer {placeholder}\r\n"
    chunk = f"8000\r\n{'a' * 0x8000}\r\n"
    sent = f"POST /open/x {key}Transfer-Encoding: chunked\r\n\r\n{chunk * 3}e\r\n{marker}\r\n0\r\n\r\n"
    said = f"POST /open/{marker} {key}Content-Length: 1073741824\r\n\r\n"
    for data in (sent, said):
        if good(request(rehearsal, proxy_port, service, data.encode())):
            return "carried"
    return "denied"
