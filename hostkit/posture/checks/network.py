"""Where this machine stands: its routes and its segment, by netifaces."""

import ipaddress

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, ok


def _v4(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).version == 4


@check(
    "network-route",
    severity="medium",
    unhardened="ok fail",
    why="A second way out (a phone's tether, a second card) passes the segment's own firewall.",
    fix="Remove the route, or the interface's connection.",
    platforms=("linux", "darwin"),
)
def there_is_one_way_out(host: Host, policy: Policy) -> Verdict:
    """There is at most one default route over IPv4, and none over IPv6 that the policy's LAN does not know."""
    ways = host.default_routes()
    six = any(":" in network for network in policy.host.lan)
    faults = [f"{gateway} on {name}" for gateway, name in ways if _v4(gateway)][1:]
    faults += [f"{gateway} on {name} (IPv6)" for gateway, name in ways if not _v4(gateway) and not six]
    return every(faults, f"{len(ways)} default route" + ("" if len(ways) == 1 else "s"))


@check(
    "network-segment",
    severity="medium",
    unhardened="ok fail",
    why="On a segment shared with workstations, one leak is enough to reach them.",
    fix="Give this machine a VLAN or subnet of its own and name it under host.lan in the policy.",
    platforms=("linux", "darwin"),
)
def stands_on_the_declared_segment(host: Host, policy: Policy) -> Verdict:
    """The address behind the default route lies in a network that the policy names as this host's LAN."""
    names = {name for _, name in host.default_routes()}
    addresses = [a for name in names for a in host.addresses().get(name, ()) if _v4(a)]
    if not policy.host.lan:
        return fail(f"host.lan names no network; this host stands at {', '.join(addresses) or 'no address'}")
    lan = [ipaddress.ip_network(network) for network in policy.host.lan]
    faults = [a for a in addresses if not any(ipaddress.ip_address(a) in network for network in lan)]
    return every(faults, ", ".join(addresses)) if addresses else ok("no default route, so no segment")
