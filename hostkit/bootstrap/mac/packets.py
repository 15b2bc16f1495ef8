"""What pf would do with a packet, by rules of hostkit's grammar: pure."""

import functools
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from hostkit.bootstrap.mac.grammar import End, Rule


@dataclass(frozen=True)
class Packet:
    """A packet as pf sees it: `user` owns its socket (None: no socket of this Mac), `first` opens a connection.

    `own` says whether it goes to an address of this Mac, `tag` what a rule gave it before.
    """

    way: str
    on: str
    protocol: str
    source: str
    target: str
    port: int = 0
    sport: int = 50000
    user: int | None = None
    type: str = ""
    first: bool = True
    own: bool = False
    tag: str = ""


def decide(rules: Iterable[Rule], packet: Packet) -> str:
    """Return `pass`, `drop` or `return`: what the last rule that asks for this packet says, a quick one at once.

    A packet that no rule asks for passes. State is not kept here: an answer is judged as if it came by itself.
    """
    verdict = "pass"
    for rule in rules:
        if _asks(rule, packet):
            verdict = rule.action
            if rule.quick:
                break
    return verdict


_address = functools.lru_cache(4096)(ipaddress.ip_address)


def _asks(rule: Rule, packet: Packet) -> bool:
    family = _address(packet.target).version
    flags = "any" if packet.protocol != "tcp" else "S/SA" if packet.first else "A/A"
    return (
        rule.way in {"", packet.way}
        and (not rule.on or (packet.on in rule.on) is not rule.off)
        and rule.family in {None, family}
        and (not rule.protocols or packet.protocol in rule.protocols)
        and _holds(rule.source, packet.source, packet.sport, own=packet.way == "out")
        and _holds(rule.target, packet.target, packet.port, own=packet.own)
        and rule.user in {None, packet.user}
        and rule.tagged in {"", packet.tag}
        and (not rule.types or packet.type in rule.types)
        and (flags == "any" or _flags(rule) in {"any", flags})
    )


def _flags(rule: Rule) -> str:
    """Return which packets of TCP a rule asks for: what keeps state takes the first only, unless it says another."""
    return rule.flags or ("S/SA" if rule.action == "pass" and rule.state != "no" else "any")


def _holds(end: End, address: str, port: int, *, own: bool) -> bool:
    found = _address(address)
    inside = [own if isinstance(network, str) else found in network for network in end.networks]
    return (not end.networks or any(inside)) and (not end.ports or port in end.ports)
