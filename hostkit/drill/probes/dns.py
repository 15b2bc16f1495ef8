# ruff: noqa: D401
"""Names as a way out: a lookup is a message to whoever runs the zone."""

from hostkit.drill.model import Witness, control, probe


@control("dns")
def listed_name_resolves(listed: str) -> str:
    """A listed name is answered, with the gateway's own address."""
    import socket

    return "works" if socket.gethostbyname(listed) else "empty"


@probe(
    "dns-unlisted-name",
    group="dns",
    walls=("gateway_names",),
    held="no-answer",
    escaped="answered",
    witness=Witness.dns(),
    collected=True,
)
def unlisted_name(unlisted: str) -> str:
    """The system's resolver does not look up a name that is not listed."""
    import socket

    try:
        return "answered" if socket.gethostbyname(unlisted) else "empty"
    except socket.gaierror:
        return "no-answer"


@probe(
    "dns-engine-resolver",
    group="dns",
    walls=("resolver", "internal_network", "inhibit_host"),
    held="no-answer",
    escaped="answered",
    witness=Witness.dns(),
    collected=True,
)
def engine_resolver(unlisted: str) -> str:
    """The engine's embedded resolver, asked by hand, is no way round the gateway."""
    import socket
    import struct

    labels = b"".join(bytes([len(part)]) + part.encode() for part in unlisted.split("."))
    query = struct.pack("!6H", 4242, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(4)
        try:
            wire.sendto(query, ("127.0.0.11", 53))
            reply = wire.recv(512)
        except (TimeoutError, OSError):
            return "no-answer"
    return "answered" if reply[3] & 15 == 0 and reply[7] else "no-answer"


@probe(
    "dns-direct-udp",
    group="dns",
    walls=("internal_network", "inhibit_host"),
    held="no-answer",
    escaped="answered",
    witness=Witness.none("no packet leaves the container"),
    collected=True,
)
def direct_udp(collector: str, unlisted: str) -> str:
    """A resolver outside, asked over UDP, is not reached."""
    import socket
    import struct

    labels = b"".join(bytes([len(part)]) + part.encode() for part in unlisted.split("."))
    query = struct.pack("!6H", 4243, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(1.5)
        try:
            wire.sendto(query, (collector, 53))
            return "answered" if wire.recv(512)[7] else "no-answer"
        except (TimeoutError, OSError):
            return "no-answer"


@probe(
    "dns-direct-tcp",
    group="dns",
    walls=("internal_network", "inhibit_host"),
    held="no-answer",
    escaped="answered",
    witness=Witness.none("no packet leaves the container"),
    collected=True,
)
def direct_tcp(collector: str, unlisted: str) -> str:
    """A resolver outside, asked over TCP, is not reached."""
    import socket
    import struct

    labels = b"".join(bytes([len(part)]) + part.encode() for part in unlisted.split("."))
    query = struct.pack("!6H", 4244, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
    try:
        with socket.create_connection((collector, 53), timeout=1.5) as wire:
            wire.sendall(struct.pack("!H", len(query)) + query)
            return "answered" if len(wire.recv(512)) > 12 else "no-answer"
    except (TimeoutError, OSError):
        return "no-answer"


@probe(
    "dns-tunnel-below-listed",
    group="dns",
    walls=("gateway_names",),
    held="no-answer",
    escaped="answered",
    witness=Witness.dns(),
    collected=True,
)
def tunnel_below_listed(gateway: str, listed: str, marker: str) -> str:
    """Data in a label below a listed name, asked as TXT, is not forwarded to the name's own server."""
    import socket
    import struct

    name = f"{marker}.{listed}"
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = struct.pack("!6H", 4245, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\x10\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(3)
        try:
            wire.sendto(query, (gateway, 53))
            reply = wire.recv(512)
        except (TimeoutError, OSError):
            return "silent"
    return "answered" if reply[3] & 15 == 0 and reply[7] else "no-answer"
