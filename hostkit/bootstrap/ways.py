"""The rules of the fence, one by one, each with what it leaves open in words: pure, from the policy."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from hostkit.bootstrap.accounts import uid_of
from hostkit.policy import GATEWAY_ACCOUNT, Egress, Policy
from hostkit.policy.vpn import Vpn, split_endpoint

TIME = ("systemd-timesync", "_chrony", "ntpsec", "ntp")
"""Accounts of the time services; they ask the resolvers themselves for their servers' names."""
RESOLVER = "systemd-resolve"
"""The account of the host's own resolver, where it has one."""
TAILSCALE = "meta mark & 0x00ff0000 == 0x00080000"
"""What tailscaled sends by itself, its relays and control plane included, bears this mark on Linux: TailscaleBypassMark
in util/linuxfw/linuxfw.go of tailscale/tailscale. Only root may set a mark."""
METADATA, METADATA6 = "100.100.100.200, 168.63.129.16", "fd00:ec2::254"
"""Where clouds answer for a machine's own credentials, besides 169.254.169.254."""
TAILSCALE_PORT = 41641  # PORT in its Debian package, https://tailscale.com/kb/1082/firewall-ports


@dataclass(frozen=True)
class Way:
    """One rule of a chain; `says` is what it leaves open, and empty for a rule that closes or counts."""

    rule: str
    says: str = ""


def inward(policy: Policy) -> tuple[Way, ...]:
    """Return the rules for what comes to this host."""
    host = policy.host
    return (
        Way('iifname "lo" accept', "this host's own loopback"),
        Way('iifname "hki*" counter drop comment "sandboxes have no business with this host"'),
        Way('iifname "hke*" counter drop comment "nor have their gateways"'),
        Way(
            'iifname "hkd*" accept comment "hostkit\'s own code, which must get through where walls are out"',
            "a drill's twin, on its own bridge (hkd*)",
        ),
        Way("ct state established,related accept", "answers to what went out"),
        Way('udp sport 67 udp dport 68 accept comment "DHCP"', "DHCP"),
        Way('ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment "DHCPv6"', "DHCP"),
        *_errors(),
        Way(
            "icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept",
            "neighbour and router discovery of IPv6, from the same link",
        ),
        Way(
            "icmpv6 type mld-listener-query ip6 saddr fe80::/10 accept",
            "neighbour and router discovery of IPv6, from the same link",
        ),
        *_management_in(host.management, host.management_ports),
        *_vpn_in(host.vpn),
    )


def outward(policy: Policy) -> tuple[Way, ...]:
    """Return the rules for what this host sends."""
    host = policy.host
    names, gateway = _names(host.egress), f"meta skuid {uid_of(GATEWAY_ACCOUNT)} "
    return (
        Way(
            f'{gateway}oifname "lo" ip daddr != 127.0.0.0/8 tcp dport != 53 counter drop comment "it dials not itself"'
        ),
        Way(f'{gateway}oifname "lo" ip6 daddr != ::1 tcp dport != 53 counter drop'),
        Way('oifname "lo" accept', "this host's own loopback"),
        Way("ct state established,related accept", "answers to what came in"),
        Way('udp sport 68 udp dport 67 accept comment "DHCP"', "DHCP"),
        Way('udp sport 546 udp dport 547 accept comment "DHCPv6"', "DHCP"),
        *_errors(),
        Way(
            "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept",
            "neighbour and router discovery of IPv6, from the same link",
        ),
        *_management_out(host.management, host.management_ports),
        *_by_name(gateway, policy, host.egress, f"the host's gateway ({GATEWAY_ACCOUNT})", names),
        *(way for name in (RESOLVER, *TIME) for way in _dns(f"meta skuid {uid_of(name)} ", host.resolvers, name)),
        *(Way(f'meta skuid {uid_of(name)} udp dport 123 accept comment "{name}"', f"{name}: NTP") for name in TIME),
        *(
            Way(f'meta skuid {uid_of(name)} accept comment "{name}"', f"{name}: anything, exempt")
            for name in host.exempt
        ),
        *_vpn_out(host.vpn),
    )


def through(policy: Policy) -> tuple[Way, ...]:
    """Return the rules for what this host carries for others."""
    ways = [way for client in policy.clients.values() for way in client.egress]
    return (
        Way(
            'iifname "hki*" oifname "hki*" accept comment "one bridge\'s own frames, where br_netfilter is"',
            "frames inside one sandbox's own bridge",
        ),
        Way(
            'iifname "hkd*" oifname "hkd*" accept comment "the same for a drill\'s twin"', "the same for a drill's twin"
        ),
        Way('iifname "hki*" counter drop'),
        Way('oifname "hki*" counter drop'),
        Way("ct state established,related accept", "answers to what a client's gateway asked"),
        *_by_name('iifname "hke*" ', policy, ways, "the clients' gateways", "each client's own"),
    )


def _by_name(way: str, policy: Policy, ways: Iterable[Egress], who: str, names: str) -> tuple[Way, ...]:
    """Return the rules of whoever decides by name: the resolvers, listed networks, and TCP to all but the LAN."""
    listed = sorted({network for entry in ways for network in entry.networks})
    return (
        Way(f'{way}oifname "hki*" counter drop comment "no gateway meets a sandbox by this way"'),
        Way(f'{way}oifname "hke*" counter drop comment "one client\'s gateway never meets another\'s"'),
        *_dns(way, policy.host.resolvers, who),
        Way(f'{way}meta l4proto {{ tcp, udp }} th dport {{ 53, 853 }} counter drop comment "no other resolver"'),
        Way(f"{way}ip daddr {{ 169.254.0.0/16, 127.0.0.0/8, 224.0.0.0/4, {METADATA} }} counter drop"),
        Way(f"{way}ip6 daddr {{ fe80::/10, ff00::/8, {METADATA6} }} counter drop"),
        *_daddr(way, listed, "meta l4proto tcp accept", f"{who}: TCP into {', '.join(listed)}, as their names list"),
        *_daddr(way, policy.host.lan, "counter drop", ""),
        Way(
            f'{way}meta l4proto tcp accept comment "by name, as each gateway decides"',
            f"{who}: TCP to listed names only: {names}",
        ),
    )


def _names(ways: Iterable[Egress]) -> str:
    found = sorted({f"{way.name}:{port}" for way in ways for port in ((way.raw,) if way.raw else way.ports)})
    return ", ".join(found) or "none"


def _errors() -> tuple[Way, ...]:
    says = "ICMP errors (path MTU)"
    return (
        Way('icmp type { destination-unreachable, time-exceeded, parameter-problem } accept comment "path MTU"', says),
        Way("icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept", says),
    )


def _management_in(names: tuple[str, ...], ports: tuple[int, ...]) -> tuple[Way, ...]:
    if not names:
        return ()
    way, shown = f"iifname {_set(names, chr(34))}", ", ".join(names)
    echo = tuple(Way(f"{way} {kind} type echo-request accept", f"ping on {shown}") for kind in ("icmp", "icmpv6"))
    says = f"TCP {', '.join(map(str, ports))} on {shown} (management)"
    return (Way(f"{way} tcp dport {_set(ports)} accept", says), *echo) if ports else echo


def _management_out(names: tuple[str, ...], ports: tuple[int, ...]) -> tuple[Way, ...]:
    """Let a live session's packets go even where connection tracking does not know it yet; it opens no new one."""
    if not names or not ports:
        return ()
    rule = f"oifname {_set(names, chr(34))} tcp sport {_set(ports)} tcp flags & (syn | ack) != syn accept"
    return (Way(rule, f"answers from TCP {', '.join(map(str, ports))} on {', '.join(names)} (management)"),)


def _vpn_in(vpn: Vpn | None) -> tuple[Way, ...]:
    if vpn is None:
        return ()
    port = TAILSCALE_PORT if vpn.kind == "tailscale" else vpn.listen
    says = f"{vpn.protocol.upper()} {port} on every interface ({vpn.kind})"
    return (Way(f'{vpn.protocol} dport {port} accept comment "{vpn.kind}"', says),) if port else ()


def _vpn_out(vpn: Vpn | None) -> tuple[Way, ...]:
    """Return the tunnel's own packets: of the kernel's (WireGuard) nobody is the owner, so no account is asked for."""
    if vpn is None:
        return ()
    if vpn.kind == "tailscale":
        says = "UDP, and TCP 80 and 443, to anywhere for what bears tailscaled's mark (root may set it)"
        return (
            Way(f'{TAILSCALE} meta l4proto udp accept comment "tailscale"', says),
            Way(f'{TAILSCALE} tcp dport {{ 80, 443 }} accept comment "tailscale"', says),
        )
    if vpn.endpoint is None:
        return ()
    address, port = split_endpoint(vpn.endpoint)
    says = f"{vpn.protocol.upper()} to {vpn.endpoint} from every account ({vpn.kind})"
    family = "ip6" if ":" in address else "ip"
    return (Way(f'{family} daddr {address} {vpn.protocol} dport {port} accept comment "{vpn.kind}"', says),)


def _dns(way: str, resolvers: Iterable[str], who: str) -> tuple[Way, ...]:
    says = f"{who}: DNS to {', '.join(resolvers)}"
    return _daddr(way, resolvers, "meta l4proto { tcp, udp } th dport 53 accept", says)


def _daddr(way: str, entries: Iterable[str], verdict: str, says: str) -> tuple[Way, ...]:
    """Return a rule for each family, its set merged where networks overlap: nft refuses overlaps."""
    networks = [ipaddress.ip_network(entry) for entry in entries]
    four = [n for n in networks if isinstance(n, ipaddress.IPv4Network)]
    six = [n for n in networks if isinstance(n, ipaddress.IPv6Network)]
    merged = (("ip", ipaddress.collapse_addresses(four)), ("ip6", ipaddress.collapse_addresses(six)))
    sets = [(family, [_shown(network) for network in found]) for family, found in merged]
    return tuple(Way(f"{way}{family} daddr {_set(found)} {verdict}", says) for family, found in sets if found)


def _set(items: Iterable[object], quote: str = "") -> str:
    return "{ " + ", ".join(f"{quote}{item}{quote}" for item in items) + " }"


def _shown(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)
