# ruff: noqa: D401
"""Ways out that do not go through the gateway."""

from hostkit.drill.model import Witness, control, probe

OPEN = ("internal_network", "inhibit_host")
NO_PACKET = Witness.none("without a route or a neighbour no packet leaves; the collector's silence is the judge")


@control("network")
def gateway_is_reached(gateway: str, proxy_port: str) -> str:
    """The gateway's proxy takes a connection."""
    import socket

    socket.create_connection((gateway, int(proxy_port)), timeout=3).close()
    return "works"


@probe(
    "network-raw-tcp",
    group="network",
    walls=OPEN,
    held="unreachable",
    escaped="answered",
    witness=NO_PACKET,
    collected=True,
)
def raw_tcp(collector: str, collector_port: str, marker: str) -> str:
    """A TCP connection that ignores the proxy variables finds no way."""
    import socket

    try:
        with socket.create_connection((collector, int(collector_port)), timeout=1.5) as wire:
            wire.sendall(marker.encode() + b"\n")
            return "answered" if wire.recv(8) else "silent"
    except (TimeoutError, OSError):
        return "unreachable"


@probe(
    "network-raw-udp",
    group="network",
    walls=OPEN,
    held="unreachable",
    escaped="answered",
    witness=NO_PACKET,
    collected=True,
)
def raw_udp(collector: str, collector_port: str, marker: str) -> str:
    """A UDP datagram (QUIC, NTP, WireGuard) finds no way."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(1.5)
        try:
            wire.sendto(marker.encode(), (collector, int(collector_port)))
            return "answered" if wire.recv(64) else "silent"
        except (TimeoutError, OSError):
            return "unreachable"


@probe("network-icmp", group="network", walls=OPEN, held="unreachable", escaped="answered", witness=NO_PACKET)
def icmp_echo(collector: str, marker: str) -> str:
    """An ICMP echo with a payload gets no answer."""
    import socket
    import struct

    body = marker.encode()
    packet = struct.pack("!BBHHH", 8, 0, 0, 0, 1) + body + b"\0" * (len(body) % 2)
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    total = (total & 0xFFFF) + (total >> 16)
    packet = packet[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + packet[4:]
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as wire:
            wire.settimeout(1.5)
            wire.sendto(packet, (collector, 0))
            return "answered" if body in wire.recv(256) else "odd reply"
    except (TimeoutError, OSError):
        return "unreachable"


@probe(
    "network-host-bridge",
    group="network",
    walls=("inhibit_host",),
    held="unreachable",
    escaped="reached",
    witness=Witness.bridge(),
)
def host_bridge(bridge: str) -> str:
    """The host has no address on the client's own bridge."""
    import errno
    import socket

    for port in (22, 53, 80, 111, 443, 2375, 2376, 5000, 6443, 8080, 10250):
        try:
            socket.create_connection((bridge, port), timeout=0.3).close()
            return f"{bridge}:{port} let it in\nreached"
        except OSError as why:
            if why.errno == errno.ECONNREFUSED:
                return f"{bridge}:{port} refused\nreached"
    return "unreachable"


@probe(
    "network-docker0",
    group="network",
    walls=OPEN,
    held="unreachable",
    escaped="answered",
    witness=NO_PACKET,
    collected=True,
)
def docker0(docker0: str, collector_port: str, marker: str) -> str:
    """The engine's default bridge address does not answer."""
    import socket

    try:
        with socket.create_connection((docker0, int(collector_port)), timeout=1.5) as wire:
            wire.sendall(marker.encode() + b"\n")
            return "answered" if wire.recv(8) else "silent"
    except (TimeoutError, OSError):
        return "unreachable"


@probe(
    "network-host-lan",
    group="network",
    walls=OPEN,
    held="unreachable",
    escaped="answered",
    witness=NO_PACKET,
    collected=True,
)
def host_lan(host: str, collector_port: str, marker: str) -> str:
    """The host's own address on its LAN does not answer."""
    import socket

    try:
        with socket.create_connection((host, int(collector_port)), timeout=1.5) as wire:
            wire.sendall(marker.encode() + b"\n")
            return "answered" if wire.recv(8) else "silent"
    except (TimeoutError, OSError):
        return "unreachable"


@probe(
    "network-ipv6",
    group="network",
    walls=("ipv6_off",),
    held="no-ipv6",
    escaped="answered",
    witness=Witness.none("the kernel refuses before a packet exists"),
    collected=True,
)
def ipv6_neighbours(collector_port: str, marker: str) -> str:
    """No IPv6 at all: not even the link-local neighbours, the host's bridge among them, are reached."""
    import socket

    answers = []
    for index, name in socket.if_nameindex():
        if name == "lo":
            continue
        for _ in range(3):
            try:
                with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as wire:
                    wire.settimeout(0.8)
                    wire.sendto(marker.encode(), ("ff02::1", int(collector_port), 0, index))
                    answers.append(wire.recv(64))
            except (TimeoutError, OSError):
                continue
    return "answered" if answers else "no-ipv6"


@probe(
    "network-raw-socket",
    group="network",
    walls=("capabilities", "user", "seccomp"),
    held="refused",
    escaped="opened",
    witness=Witness.none("socket(2) leaves no record without an audit rule of its own"),
)
def raw_socket() -> str:
    """A raw IP socket, with which a packet's sender can be forged, is refused."""
    import socket

    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return "refused"
    return "opened"


@probe(
    "network-packet-socket",
    group="network",
    walls=("capabilities", "user", "seccomp"),
    held="refused",
    escaped="opened",
    witness=Witness.none("socket(2) leaves no record without an audit rule of its own"),
)
def packet_socket() -> str:
    """A packet socket, with which frames go straight to the host's bridge, is refused."""
    import socket

    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close()
    except OSError:
        return "refused"
    return "opened"
