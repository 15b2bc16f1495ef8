# ruff: noqa: D401
"""Getting the gateway to carry what the policy does not list."""

from hostkit.drill.model import Witness, control, probe


@control("proxy")
def listed_name_is_carried(gateway: str, proxy_port: str, listed: str, listed_port: str) -> str:
    """A CONNECT to a listed name is answered 200."""
    import socket

    with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
        wire.sendall(f"CONNECT {listed}:{listed_port} HTTP/1.1\r\nHost: {listed}:{listed_port}\r\n\r\n".encode())
        return "works" if b" 200" in wire.recv(512)[:16] else "refused"


@probe(
    "proxy-unlisted-name",
    group="proxy",
    walls=("gateway_names",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway(),
    collected=True,
)
def unlisted_connect(gateway: str, proxy_port: str, unlisted: str, collector_port: str) -> str:
    """CONNECT to a name that is not listed is denied, and the name is never looked up."""
    import socket

    target = f"{unlisted}:{collector_port}"
    with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
        wire.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        first = wire.recv(64)
        if b" 200" not in first[:16]:
            return "denied"
        wire.sendall(unlisted.encode() + b"\n")
        return "carried" if wire.recv(64) else "cut"


@probe(
    "proxy-address-literal",
    group="proxy",
    walls=("gateway_address_class",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway("ip-literal", "bad-name"),
    collected=True,
)
def address_literal(gateway: str, proxy_port: str, collector: str, collector_port: str, marker: str) -> str:
    """CONNECT to an address is denied in every spelling: dotted, decimal, hex, octal, mapped IPv6."""
    import ipaddress
    import socket

    number = int(ipaddress.IPv4Address(collector))
    parts = [int(part) for part in collector.split(".")]
    spellings = [
        collector,
        str(number),
        hex(number),
        ".".join(f"0{part:o}" for part in parts),
        f"[::ffff:{collector}]",
        f"{parts[0]}.{number & 0xFFFFFF}",
        collector + ".",
    ]
    for spelling in spellings:
        target = f"{spelling}:{collector_port}"
        with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
            wire.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            if b" 200" not in wire.recv(64)[:16]:
                continue
            wire.sendall(marker.encode() + b"\n")
            return "carried" if wire.recv(64) else "cut"
    return "denied"


@probe(
    "proxy-metadata",
    group="proxy",
    walls=("gateway_address_class",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway("ip-literal", "bad-name"),
)
def metadata(gateway: str, proxy_port: str) -> str:
    """The cloud's metadata and its credential endpoints are reached neither directly nor by way of the gateway."""
    import socket

    asks = ("GET", "/latest/"), ("PUT", "/latest/api/token"), ("GET", "/v2/credentials/")
    places = ("169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16")
    for place in (*places, "metadata.google.internal"):
        try:
            with socket.create_connection((place.strip("[]"), 80), timeout=1):
                return "carried"
        except OSError:
            pass
        for method, path in asks:
            with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
                head = f"{method} http://{place}{path} HTTP/1.1\r\nHost: {place}\r\nContent-Length: 0\r\n\r\n"
                wire.sendall(head.encode())
                if b" 200" in wire.recv(64)[:16]:
                    return "carried"
    return "denied"


@probe(
    "proxy-sni-mismatch",
    group="proxy",
    walls=("gateway_sni",),
    held="cut",
    escaped="carried",
    witness=Witness.gateway("sni-mismatch"),
    collected=True,
)
def sni_mismatch(gateway: str, proxy_port: str, listed: str, listed_port: str, unlisted: str) -> str:
    """A ClientHello that names another host than the CONNECT did is cut."""
    import socket
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = context.wrap_bio(inward, outward, server_hostname=unlisted)
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        pass
    with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
        wire.sendall(f"CONNECT {listed}:{listed_port} HTTP/1.1\r\nHost: {listed}:{listed_port}\r\n\r\n".encode())
        if b" 200" not in wire.recv(512)[:16]:
            return "no tunnel"
        try:
            wire.sendall(outward.read())
            return "carried" if wire.recv(64) else "cut"
        except ConnectionError:
            return "cut"


@probe(
    "proxy-not-tls",
    group="proxy",
    walls=("gateway_sni",),
    held="cut",
    escaped="carried",
    witness=Witness.gateway("not-tls"),
    collected=True,
)
def not_tls(gateway: str, proxy_port: str, listed: str, listed_port: str, marker: str) -> str:
    """Bytes that are no TLS (an SSH banner) inside a tunnel to a listed name are cut."""
    import socket

    with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
        wire.sendall(f"CONNECT {listed}:{listed_port} HTTP/1.1\r\nHost: {listed}:{listed_port}\r\n\r\n".encode())
        if b" 200" not in wire.recv(512)[:16]:
            return "no tunnel"
        try:
            wire.sendall(f"SSH-2.0-{marker}\r\n".encode())
            return "carried" if wire.recv(64) else "cut"
        except ConnectionError:
            return "cut"


@probe(
    "proxy-plain-http",
    group="proxy",
    walls=("gateway_names",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway(),
    collected=True,
)
def plain_http(gateway: str, proxy_port: str, unlisted: str) -> str:
    """An absolute-form GET is judged by the same list as a CONNECT."""
    import socket

    with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
        wire.sendall(f"GET http://{unlisted}/ HTTP/1.1\r\nHost: {unlisted}\r\n\r\n".encode())
        return "carried" if b" 200" in wire.recv(64)[:16] else "denied"


@probe(
    "proxy-origin-form",
    group="proxy",
    walls=("gateway_names",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway(),
    collected=True,
)
def origin_form(gateway: str, unlisted: str) -> str:
    """A plain request at the gateway's port 80 is judged by its Host header."""
    import socket

    with socket.create_connection((gateway, 80), timeout=5) as wire:
        wire.sendall(f"GET / HTTP/1.1\r\nHost: {unlisted}\r\n\r\n".encode())
        return "carried" if b" 200" in wire.recv(64)[:16] else "denied"


@probe(
    "proxy-host-mismatch",
    group="proxy",
    walls=("gateway_host_header",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway("host-mismatch", "bad-request"),
    collected=True,
)
def host_mismatch(gateway: str, proxy_port: str, listed: str, unlisted: str) -> str:
    """A request line with a listed name and a Host header with another is refused."""
    import socket

    with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
        wire.sendall(f"GET http://{listed}/ HTTP/1.1\r\nHost: {unlisted}\r\n\r\n".encode())
        return "carried" if b" 200" in wire.recv(64)[:16] else "denied"


@probe(
    "proxy-wrong-port",
    group="proxy",
    walls=("gateway_ports",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway("port-not-listed"),
    collected=True,
)
def wrong_port(gateway: str, proxy_port: str, listed: str, collector_port: str, marker: str) -> str:
    """A listed name on a port that is not listed is denied."""
    import socket

    target = f"{listed}:{collector_port}"
    with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
        wire.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        if b" 200" not in wire.recv(64)[:16]:
            return "denied"
        wire.sendall(marker.encode() + b"\n")
        return "carried" if wire.recv(64) else "cut"


@probe(
    "proxy-own-ports",
    group="proxy",
    walls=("gateway_ports",),
    held="closed",
    escaped="answered",
    witness=Witness.none("a closed port is refused by the kernel, without a record"),
    collected=True,
)
def own_ports(gateway: str, own_ports: str, collector_port: str, marker: str) -> str:
    """The gateway listens on the ports that the plan gives it and on no other."""
    import socket

    meant = {int(port) for port in own_ports.split(",")}
    for port in sorted({*range(1, 1025), 2375, 5432, 8080, 9090, int(collector_port)} - meant):
        try:
            with socket.create_connection((gateway, port), timeout=1) as wire:
                wire.sendall(marker.encode() + b"\n")
                if wire.recv(8):
                    return "answered"
        except (TimeoutError, OSError):
            continue
    return "closed"


@probe(
    "proxy-rebinding",
    group="proxy",
    walls=("gateway_address_class",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway("private-address", "host-address"),
    collected=True,
)
def rebinding(rehearsal: str, proxy_port: str, rebinding: str, rebinding_port: str, marker: str) -> str:
    """A listed name whose address turned private or the host's own is not dialled."""
    import socket

    target = f"{rebinding}:{rebinding_port}"
    with socket.create_connection((rehearsal, int(proxy_port)), timeout=5) as wire:
        wire.sendall(f"GET http://{target}/{marker} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        return "carried" if b" 200" in wire.recv(64)[:16] else "denied"


@probe(
    "proxy-odd-names",
    group="proxy",
    walls=("gateway_names",),
    held="denied",
    escaped="carried",
    witness=Witness.gateway("bad-name", "bad-request", "not-listed"),
    collected=True,
)
def odd_names(gateway: str, proxy_port: str, listed: str, unlisted: str, collector_port: str) -> str:
    """A listed name with something before or behind it is another name."""
    import socket

    for name in (
        f"{listed}.{unlisted}",
        f"x{listed}",
        f"{listed}%00.{unlisted}",
        f"{listed}@{unlisted}",
        f"{listed}#.{unlisted}",
        f"{listed}\\.{unlisted}",
        f"{listed}\t{unlisted}",
        f"{listed}\u3002x",
    ):
        target = f"{name}:{collector_port}"
        with socket.create_connection((gateway, int(proxy_port)), timeout=5) as wire:
            wire.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            if b" 200" not in wire.recv(64)[:16]:
                continue
            wire.sendall(unlisted.encode() + b"\n")
            return "carried" if wire.recv(64) else "cut"
    return "denied"
