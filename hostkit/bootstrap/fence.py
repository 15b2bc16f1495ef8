"""The fence as nftables text: pure, from the policy and the service accounts of this host."""

import ipaddress
from collections.abc import Iterable, Mapping

from hostkit.policy import Policy

SERVICES: Mapping[str, tuple[str, str]] = {
    "systemd-timesync": ("udp", "123"),
    "_chrony": ("udp", "123"),
    "ntpsec": ("udp", "123"),
    "ntp": ("udp", "123"),
    "_apt": ("tcp", "80, 443"),
}
"""System accounts that may send by themselves: for the time, and for updates until the host has its own gateway."""

_TEXT = """\
# Written by hostkit bootstrap from {path}; the next bootstrap writes it again.
add table inet hostkit
delete table inet hostkit
table inet hostkit {{
    chain input {{
        type filter hook input priority -10; policy drop;
        iifname "lo" accept
        iifname "hki*" counter drop comment "sandboxes have no business with this host"
        iifname "hke*" counter drop comment "nor have their gateways"
        iifname "hkd*" accept comment "a drill's twin: hostkit's own code, which must get through where walls are out"
        ct state established,related accept
        udp sport 67 udp dport 68 accept comment "DHCP"
        ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment "DHCPv6"
        icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} accept comment "path MTU"
        icmpv6 type {{ destination-unreachable, packet-too-big, time-exceeded, parameter-problem }} accept
        icmpv6 type {{ nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }} ip6 hoplimit 255 accept
        icmpv6 type mld-listener-query ip6 saddr fe80::/10 accept
{management_in}\
        limit rate 5/second burst 20 packets log prefix "hostkit-in "
        counter comment "dropped"
    }}
    chain output {{
        type filter hook output priority -10; policy drop;
        oifname "lo" accept
        ct state established,related accept
        udp sport 68 udp dport 67 accept comment "DHCP"
        udp sport 546 udp dport 547 accept comment "DHCPv6"
        icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} accept
        icmpv6 type {{ destination-unreachable, packet-too-big, time-exceeded, parameter-problem }} accept
        icmpv6 type {{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report }} accept
{management_out}\
{resolvers_out}\
{services}\
        limit rate 5/second burst 20 packets log prefix "hostkit-out "
        counter comment "dropped"
    }}
    chain forward {{
        type filter hook forward priority -10; policy drop;
        iifname "hki*" oifname "hki*" accept comment "one bridge's own frames, where br_netfilter shows them here"
        iifname "hkd*" oifname "hkd*" accept comment "the same for a drill's twin"
        iifname "hki*" counter drop
        oifname "hki*" counter drop
        ct state established,related accept
        iifname "hke*" oifname "hke*" counter drop comment "one client's gateway never meets another's"
{resolvers_forward}\
        iifname "hke*" meta l4proto {{ tcp, udp }} th dport {{ 53, 853 }} counter drop comment "no other resolver"
        iifname "hke*" ip daddr {{ 169.254.0.0/16, 127.0.0.0/8, 224.0.0.0/4 }} counter drop
        iifname "hke*" ip6 daddr {{ fe80::/10, ff00::/8 }} counter drop
{listed}\
{lan}\
        iifname "hke*" meta l4proto tcp accept comment "by name, as each gateway decides"
        limit rate 5/second burst 20 packets log prefix "hostkit-fwd "
        counter comment "dropped"
    }}
}}
"""


def ruleset(policy: Policy, accounts: Mapping[str, int]) -> str:
    """Return the whole table as one nftables transaction; equal policies and accounts give equal text.

    `accounts` is name to uid of this host's accounts. Nothing but `table inet hostkit` is named (design, decision 15).
    """
    host = policy.host
    return _TEXT.format(
        path=policy.path,
        management_in=_management_in(host.management, host.management_ports),
        management_out=_management_out(host.management, host.management_ports),
        resolvers_out=_resolvers("", host.resolvers),
        resolvers_forward=_resolvers('iifname "hke*" ', host.resolvers),
        services=_services(accounts),
        listed=_daddr(_listed(policy), "meta l4proto tcp accept"),
        lan=_daddr(host.lan, "counter drop"),
    )


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"        {line}\n" for line in lines)


def _set(items: Iterable[object], quote: str = "") -> str:
    return "{ " + ", ".join(f"{quote}{item}{quote}" for item in items) + " }"


def _management_in(names: tuple[str, ...], ports: tuple[int, ...]) -> str:
    if not names:
        return ""
    way = f"iifname {_set(names, chr(34))}"
    echo = [f"{way} icmp type echo-request accept", f"{way} icmpv6 type echo-request accept"]
    return _lines([f"{way} tcp dport {_set(ports)} accept", *echo] if ports else echo)


def _management_out(names: tuple[str, ...], ports: tuple[int, ...]) -> str:
    """Let a live session's packets go even where connection tracking does not know it yet; it opens no new one."""
    if not names or not ports:
        return ""
    return _lines([f"oifname {_set(names, chr(34))} tcp sport {_set(ports)} tcp flags & (syn | ack) != syn accept"])


def _resolvers(way: str, resolvers: Iterable[str]) -> str:
    found = _by_version(resolvers)
    return _lines(f"{way}{family} daddr {_set(found[family])} meta l4proto {{ tcp, udp }} th dport 53 accept"
                  for family in ("ip", "ip6") if found[family])  # fmt: skip


def _services(accounts: Mapping[str, int]) -> str:
    present = [(accounts[name], *where, name) for name, where in SERVICES.items() if name in accounts]
    return _lines(
        f'meta skuid {uid} {protocol} dport {{ {ports} }} accept comment "{name}"'
        for uid, protocol, ports, name in present
    )


def _listed(policy: Policy) -> tuple[str, ...]:
    ways = [way for client in policy.clients.values() for way in client.egress]
    return tuple(sorted({network for way in ways for network in way.networks}))


def _daddr(networks: Iterable[str], verdict: str) -> str:
    found = _by_version(networks)
    return _lines(f'iifname "hke*" {family} daddr {_set(found[family])} {verdict}'
                  for family in ("ip", "ip6") if found[family])  # fmt: skip


def _by_version(entries: Iterable[str]) -> dict[str, list[str]]:
    """Return the entries by nft's family word, each set merged where networks overlap: nft refuses overlaps."""
    networks = [ipaddress.ip_network(entry) for entry in entries]
    four = [n for n in networks if isinstance(n, ipaddress.IPv4Network)]
    six = [n for n in networks if isinstance(n, ipaddress.IPv6Network)]
    return {
        "ip": [_shown(n) for n in ipaddress.collapse_addresses(four)],
        "ip6": [_shown(n) for n in ipaddress.collapse_addresses(six)],
    }


def _shown(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)
