"""Where this machine stands: its routes and its segment, by netifaces."""

import ipaddress

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, ok
from hostkit.posture.readings import all_processes


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
    unhardened="ok fail skip",
    why="On a segment shared with workstations, one leak is enough to reach them.",
    fix="Give this machine a VLAN or subnet of its own and name it under host.lan in the policy.",
    platforms=("linux", "darwin"),
    solo=False,
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


_CONF = "/etc/resolv.conf"
_STUBS = {"127.0.0.53", "127.0.0.54"}
_UPSTREAM = "/run/systemd/resolve/resolv.conf"


@check(
    "network-resolvers",
    severity="high",
    unhardened="ok fail unknown",
    why="A lookup is a message to whoever runs the resolver, and its answer says where everything else goes.",
    fix="Set the resolvers that host.resolvers names in the network's own configuration (DHCP may bring others).",
    references=("NIST SP 800-53 SC-20",),
)
def only_declared_resolvers_are_asked(host: Host, policy: Policy) -> Verdict:
    """This machine asks the policy's resolvers alone, by itself or through systemd's resolver on loopback."""
    asked = (_servers(host, _CONF) if host.stat(_CONF) else []) or ["127.0.0.1"]
    own = [address for address in asked if ipaddress.ip_address(address).is_loopback]
    strange = [address for address in asked if address not in own]
    if unseen := [address for address in own if address not in _STUBS]:
        raise CannotTell(f"whom the resolver at {unseen[0]} asks cannot be seen", "look into its own configuration")
    if own:
        if host.stat(_UPSTREAM) is None:
            raise CannotTell(
                f"{_UPSTREAM} is not there, so whom systemd's resolver asks cannot be seen", "resolvectl dns"
            )
        strange += (upstream := _servers(host, _UPSTREAM))
        if not upstream:
            raise CannotTell("systemd's resolver does not say whom it asks", "resolvectl dns")
    wanted = {ipaddress.ip_address(address) for address in policy.host.resolvers}
    faults = [address for address in dict.fromkeys(strange) if ipaddress.ip_address(address) not in wanted]
    return every([f"{address} is asked, and host.resolvers does not name it" for address in faults], ", ".join(strange))


def _servers(host: Host, path: str) -> list[str]:
    """Return the servers of a resolv.conf; raise CannotTell where it is none."""
    lines = [line.split() for line in host.read(path).split("\n")]
    found = [words[1].partition("%")[0] for words in lines if len(words) > 1 and words[0] == "nameserver"]
    try:
        return [str(ipaddress.ip_address(address)) for address in found]
    except ValueError as why:
        raise CannotTell(f"{path}: {why}") from None


_OWN_RA = ("systemd-networkd", "networkmanager", "dhcpcd", "connmand")
"""Programs that take router advertisements themselves, whatever the kernel is told."""


@check(
    "network-advertisements",
    severity="medium",
    unhardened="ok fail unknown",
    why="Whoever stands in the segment can then send this machine's IPv6 traffic where they like.",
    fix="net.ipv6.conf.all.accept_ra=0 and net.ipv6.conf.default.accept_ra=0 in /etc/sysctl.d, or IPv6 off.",
    references=("CIS Debian 12 3.3.11",),
)
def no_stranger_gives_an_ipv6_route(host: Host, policy: Policy) -> Verdict:
    """No card takes an IPv6 route from whoever announces one, unless the policy's LAN has IPv6."""
    if any(":" in network for network in policy.host.lan):
        return ok("host.lan names an IPv6 network, so its router may announce itself")
    cards = [name for name in host.addresses() if name != "lo" and _has_six(host, name)]
    faults = [f"{name} takes them" for name in cards if _takes(host, name)]
    if not faults and cards:
        for entry in all_processes(host):
            if entry.name.lower() in _OWN_RA:
                raise CannotTell(f"whether {entry.name} takes them for {cards[0]} cannot be seen", "ip -6 route")
    return every(faults, f"none of {len(cards)} cards with IPv6")


def _has_six(host: Host, card: str) -> bool:
    path = f"/proc/sys/net/ipv6/conf/{card}/disable_ipv6"
    return host.stat(path) is not None and host.read(path).strip() == "0"


def _takes(host: Host, card: str) -> bool:
    """Return whether the kernel takes them on a card: 1 is where it does not forward, 2 is always."""
    told, forwards = (
        host.read(f"/proc/sys/net/ipv6/conf/{card}/{name}").strip() for name in ("accept_ra", "forwarding")
    )
    return told == "2" or (told != "0" and forwards == "0")
