"""Who listens: every open socket of this machine against the policy, v4 and v6, TCP and UDP."""

import ipaddress

from hostkit.errors import CannotTell
from hostkit.host import Host, Listener
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every

_DHCP_CLIENT = {68, 546}
_API_PORTS = {2375, 2376}


def _outside(host: Host) -> list[Listener]:
    return [
        entry for entry in host.listeners() if not ipaddress.ip_address(entry.address.partition("%")[0]).is_loopback
    ]


def _told(entry: Listener) -> str:
    place = f"[{entry.address}]" if ":" in entry.address else entry.address
    return f"{entry.protocol} {place}:{entry.port}" + (f" ({entry.process})" if entry.process else "")


def _declared(entry: Listener, host: Host, policy: Policy) -> bool:
    if entry.protocol == "udp" and entry.port in _DHCP_CLIENT:
        return True
    managed = {address for name in policy.host.management for address in host.addresses().get(name, ())}
    if entry.protocol == "tcp" and entry.port in policy.host.management_ports and entry.address in managed:
        return True
    return any(
        (line.protocol, line.port) == (entry.protocol, entry.port) and line.address in {"*", entry.address}
        for line in policy.host.listen
    )


@check(
    "listeners-declared",
    severity="high",
    unhardened="ok fail",
    why="Every socket that takes packets from outside is a way in that somebody must have wanted.",
    fix="Stop the service, bind it to 127.0.0.1, or declare it under host.listen in the policy.",
    platforms=("linux", "darwin"),
)
def only_declared_sockets_listen(host: Host, policy: Policy) -> Verdict:
    """Nothing listens beyond loopback but what the policy declares."""
    faults = [_told(entry) for entry in _outside(host) if not _declared(entry, host, policy)]
    return every(faults, "no undeclared socket")


@check(
    "listeners-engine-api",
    severity="high",
    unhardened="ok fail",
    why="Who reaches the engine's API is root on this machine.",
    fix="Remove the tcp:// entry from dockerd's hosts and restart it.",
    platforms=("linux", "darwin"),
)
def engine_api_is_not_on_the_network(host: Host, policy: Policy) -> Verdict:
    """The container engine's API is on no TCP port, loopback included."""
    sockets = host.listeners()
    faults = [_told(entry) for entry in sockets if entry.port in _API_PORTS or entry.process == "dockerd"]
    if not faults and not host.is_root and any(entry.protocol == "tcp" and not entry.process for entry in sockets):
        raise CannotTell("whose sockets these are cannot be seen without root", "sudo hostkit check")
    return every(faults, "no engine API on TCP")
