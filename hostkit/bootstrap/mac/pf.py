"""hostkit's anchor in pf, rule by rule, each with why it stands there: pure, from the policy.

pf can ask for the account that owns a packet's socket, of TCP and UDP, on the way out (xnu's pf_socket_lookup). A VM
with a user-mode network sends as the account that runs it; one of vmnet's has no socket, and is known by its bridge.
What the rules do not do is in docs/mac.md.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from hostkit.bootstrap.mac.grammar import TAG, parse
from hostkit.bootstrap.ways import METADATA, METADATA6, TAILSCALE_PORT
from hostkit.errors import HostkitError
from hostkit.policy import Policy
from hostkit.policy.vpn import Vpn, split_endpoint

ANCHOR = "com.apple/org.hostkit"
VM_SSH = 60022
"""The port on loopback by which the account's own VM is reached: Colima's `sshPort`, else a new one at each start."""
BRIDGES = tuple(f"bridge{number}" for number in range(100, 116))
"""The interfaces that vmnet gives its guests, from bridge100 on; pf takes a name that is not there yet."""
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
"""Networks that no name of a stranger's leads to, vmnet's own and a VPN's among them."""


@dataclass(frozen=True)
class Line:
    """One rule, why it stands there, and in words what it leaves open (nothing: it closes, or only answers)."""

    rule: str
    why: str
    says: str = ""


def anchor(policy: Policy, uid: int) -> str:
    """Return the anchor as pfctl takes it; `uid` is the agent's account's. Equal policies give equal text.

    Raise HostkitError if the policy names what pf does not know, an interface of Linux's.
    """
    lines = ways(policy, uid)
    text = "\n".join(f"# {line.why}\n{line.rule}" for line in lines)
    if policy.host.vm == "vmnet":
        text = f'guests = "{_set(BRIDGES)}"\n{text}'
    try:
        parse(text)
    except ValueError as why:
        raise HostkitError(f"pf would not take the anchor: {why}", "mend what the policy says there") from None
    return f"# {ANCHOR}: written by hostkit bootstrap from {policy.path}; the next bootstrap writes it again.\n{text}\n"


def open_ways(policy: Policy) -> tuple[str, ...]:
    """Return, in words, everything that the anchor leaves open, one line each."""
    return tuple(dict.fromkeys(line.says for line in ways(policy, 0) if line.says))


def ways(policy: Policy, uid: int) -> tuple[Line, ...]:
    """Return the rules in their order: the account's own first, so that no rule for everybody passes it."""
    host = policy.host
    who = f"user {uid}"
    return (
        *(_account(policy, who) if host.vm == "colima" else ()),
        *(_guests(policy) if host.vm == "vmnet" else ()),
        Line(
            f"block return out quick proto {{ tcp, udp }} all {who}",
            f"nothing else of {host.account}'s leaves, on whatever interface; v4 and v6",
        ),
        *_management(host.management, host.management_ports),
        *_vpn(host.vpn),
        *_link(),
        *(_lan(policy) if host.profile == "strict" else ()),
        Line(
            "pass out quick on ! lo0 all flags any keep state",
            "what people and macOS itself send, and its answers; flags any: what was open before goes on",
            "out: whatever people's accounts and macOS send" + (", but into the LAN" if _is_lan(policy) else ""),
        ),
        Line("block drop in quick on ! lo0 all", "nobody comes in; v4 and v6"),
    )


def _account(policy: Policy, who: str) -> tuple[Line, ...]:
    """Return the rules of a VM with a user-mode network: all that it sends is its account's."""
    loop = "on lo0 proto tcp"
    name = policy.host.account
    return (
        Line(
            f"pass out quick {loop} from any to 127.0.0.1 port {VM_SSH} {who} no state",
            "the VM is spoken to over its own SSH, and over nothing else on loopback",
            f"{name}: its VM's SSH on loopback, port {VM_SSH}",
        ),
        Line(
            f"pass out quick {loop} from 127.0.0.1 port {VM_SSH} to any {who} flags A/A no state",
            "its answers; a first packet has no ACK, so nothing is opened from that port",
        ),
        Line(
            f"block return out quick on lo0 proto {{ tcp, udp }} all {who}",
            "to a VM this Mac's own loopback is one hop away (host.lima.internal)",
        ),
        *_by_name(policy, "out", "", who, name),
    )


def _guests(policy: Policy) -> tuple[Line, ...]:
    """Return the rules of vmnet's guests: they have no account, so they are known by their bridge."""
    on = "on $guests"
    return (
        Line(
            f"pass in quick {on} inet proto udp from any port 68 to any port 67 no state",
            "a guest asks vmnet for its address",
            "vmnet's guests: DHCP",
        ),
        Line(f"block drop in quick {on} inet6 all", "vmnet gives its guests IPv6 too, and a default route"),
        Line(
            f"block return in quick {on} from any to (self)",
            "no service of this Mac's is a guest's to reach; its resolver neither: names are a way out",
        ),
        *_by_name(policy, "in", f"{on} ", "", "vmnet's guests"),
        Line(f"block drop in quick {on} all", "nothing but TCP, and names"),
    )


def _by_name(policy: Policy, way: str, on: str, who: str, shown: str) -> tuple[Line, ...]:
    """Return the rules of whoever's gateways decide by name: the resolvers, listed networks, TCP to all but the LAN."""
    host = policy.host
    listed = _listed(policy)
    both = f"{way} quick {on}proto {{ tcp, udp }} from any to"
    tcp = f"pass {way} quick {on}proto tcp from any to"
    kept = f"{who} keep state".strip()
    lines = [
        Line(f"pass {both} {_set(host.resolvers)} port 53 {kept}", "names, from the policy's resolvers",
             f"{shown}: DNS to {', '.join(host.resolvers)}"),
        Line(f"block return {both} any port {{ 53, 853 }} {who}".rstrip(), "and from nobody else"),
        Line(f"block return {both} {_set(_never())} {who}".rstrip(),
             "link-local, loopback, multicast, and where clouds hand out credentials"),
    ]  # fmt: skip
    if listed:
        says = f"{shown}: TCP into {', '.join(listed)}, as their names list"
        tag = "" if who else f" tag {TAG}"
        lines.append(Line(f"{tcp} {_set(listed)} {kept}{tag}", "networks that a client's egress lists", says))
    private = f"block return {both} {_set(_PRIVATE)} {who}".rstrip()
    lines.append(Line(private, "private networks: what a client lists of them is let through above"))
    if host.lan:
        lines.append(Line(f"block return {both} {_set(_merged(host.lan))} {who}".rstrip(), "the LAN is not theirs"))
    lines.append(
        Line(f"{tcp} any {kept}", "TCP, to the names that each client's gateway lists",
             f"{shown}: TCP to what is not private; inside the VM each client's gateway lets listed names through only")
    )  # fmt: skip
    return tuple(lines)


def _listed(policy: Policy) -> list[str]:
    return _merged(net for client in policy.clients.values() for one in client.egress for net in one.networks)


def _never() -> list[str]:
    four = ["169.254.0.0/16", "127.0.0.0/8", "224.0.0.0/4", *METADATA.split(", ")]
    return [*four, "::1", "fe80::/10", "ff00::/8", METADATA6]


def _management(names: tuple[str, ...], ports: tuple[int, ...]) -> tuple[Line, ...]:
    if not names or not ports:
        return ()
    on, shown = f"on {_set(names)}", ", ".join(names)
    return (
        Line(
            f"pass in quick {on} proto tcp from any to any port {_set(ports)} no state",
            "how this Mac is managed; no state, so that a session that was open before goes on",
            f"in: TCP {', '.join(map(str, ports))} on {shown} (management)",
        ),
        Line(
            f"pass out quick {on} proto tcp from any port {_set(ports)} to any flags A/A no state",
            "its answers; a first packet has no ACK",
        ),
        Line(f"pass in quick {on} inet proto icmp all icmp-type echoreq no state", "ping", f"in: ping on {shown}"),
    )


def _vpn(vpn: Vpn | None) -> tuple[Line, ...]:
    """Return the port at which a tunnel's other end comes in; what goes out to it people may send anyway."""
    if vpn is None:
        return ()
    lines = []
    port = TAILSCALE_PORT if vpn.kind == "tailscale" else vpn.listen
    if port:
        rule = f"pass in quick on ! lo0 proto {vpn.protocol} from any to any port {port} keep state"
        lines.append(Line(rule, f"{vpn.kind}'s other ends", f"in: {vpn.protocol.upper()} {port} ({vpn.kind})"))
    if vpn.endpoint:
        address, far = split_endpoint(vpn.endpoint)
        rule = f"pass out quick on ! lo0 proto {vpn.protocol} from any to {address} port {far} keep state"
        lines.append(Line(rule, f"{vpn.kind}'s other end, in the LAN too", f"out: to {vpn.endpoint} ({vpn.kind})"))
    return tuple(lines)


def _link() -> tuple[Line, ...]:
    """Return what a link needs to work at all: addresses, neighbours, and the errors that path MTU lives on."""
    says = "in: DHCP, neighbour discovery and ICMP errors"
    four, six = "unreach, timex, paramprob", "unreach, toobig, timex, paramprob"
    near = "routersol, routeradv, neighbrsol, neighbradv, listqry"
    return (
        Line("pass in quick on ! lo0 inet proto udp from any port 67 to any port 68 no state", "DHCP's answers", says),
        Line("pass in quick on ! lo0 inet6 proto udp from fe80::/10 port 547 to any port 546 no state", "DHCPv6's"),
        Line(f"pass in quick on ! lo0 inet proto icmp all icmp-type {{ {four} }} no state", "errors: path MTU", says),
        Line(
            f"pass in quick on ! lo0 inet6 proto ipv6-icmp all icmp6-type {{ {six}, {near} }} no state",
            "the same, and who is who on the link",
            says,
        ),
    )


def _is_lan(policy: Policy) -> bool:
    return policy.host.profile == "strict" and bool(policy.host.lan)


def _lan(policy: Policy) -> tuple[Line, ...]:
    """Return what keeps this whole Mac out of the LAN, but for resolvers, DHCP and its own manager."""
    if not policy.host.lan:
        return ()
    out, listed = "out quick on ! lo0 proto { tcp, udp } from any to", _listed(policy)
    guests = f"pass out quick on ! lo0 proto tcp from any to {_set(listed)} tagged {TAG} keep state" if listed else ""
    return (
        *([Line(guests, "what a guest was let into on its bridge")] if guests and policy.host.vm == "vmnet" else []),
        Line(f"pass {out} {_set(policy.host.resolvers)} port 53 keep state", "a resolver may stand in the LAN"),
        Line("pass out quick on ! lo0 inet proto udp from any port 68 to any port 67 no state", "so may DHCP's server"),
        Line(f"block return {out} {_set(_merged(policy.host.lan))}", "strict: nothing here opens a way into the LAN"),
    )


def _merged(entries: Iterable[str]) -> list[str]:
    networks = [ipaddress.ip_network(entry) for entry in entries]
    four = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv4Network))
    six = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv6Network))
    return [*map(str, four), *map(str, six)]


def _set(items: Iterable[object]) -> str:
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"{{ {', '.join(words)} }}"
