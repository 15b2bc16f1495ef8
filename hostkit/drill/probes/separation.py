# ruff: noqa: D401
"""One client's way to another's sandbox."""

from hostkit.drill.model import Witness, control, probe

APART = Witness.none("no packet reaches the other client's network; the listener there is the judge")


@control("separation")
def own_gateway_is_reached(gateway: str, proxy_port: str) -> str:
    """The client's own gateway takes a connection."""
    import socket

    socket.create_connection((gateway, int(proxy_port)), timeout=3).close()
    return "works"


@probe(
    "separation-agent",
    group="separation",
    walls=("networks_separate",),
    held="unreachable",
    escaped="answered",
    witness=APART,
    collected=True,
)
def other_agent(other_agent: str, collector_port: str, marker: str) -> str:
    """Another client's agent is not reached over TCP."""
    import socket

    try:
        with socket.create_connection((other_agent, int(collector_port)), timeout=1.5) as wire:
            wire.sendall(marker.encode() + b"\n")
            return "answered" if wire.recv(8) else "silent"
    except (TimeoutError, OSError):
        return "unreachable"


@probe(
    "separation-agent-udp",
    group="separation",
    walls=("networks_separate",),
    held="unreachable",
    escaped="answered",
    witness=APART,
    collected=True,
)
def other_agent_udp(other_agent: str, collector_port: str, marker: str) -> str:
    """Another client's agent is not reached over UDP."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(1.5)
        try:
            wire.sendto(marker.encode(), (other_agent, int(collector_port)))
            return "answered" if wire.recv(64) else "silent"
        except (TimeoutError, OSError):
            return "unreachable"


@probe(
    "separation-gateway",
    group="separation",
    walls=("networks_separate",),
    held="unreachable",
    escaped="reached",
    witness=APART,
)
def other_gateway(other_gateway: str, proxy_port: str) -> str:
    """Another client's gateway, with that client's grants, is not reached."""
    import socket

    try:
        socket.create_connection((other_gateway, int(proxy_port)), timeout=1.5).close()
    except (TimeoutError, OSError):
        return "unreachable"
    return "reached"
