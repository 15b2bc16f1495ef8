"""Packets that tell one anchor from another: what a policy decides of each is what the live rules must. Pure."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hostkit.bootstrap.mac.grammar import Rule
from hostkit.bootstrap.mac.packets import Packet, decide

_PERSON = 501
_FAR = ("198.51.100.80", "2001:db8::80")
_OWN = ("192.0.2.10", "2001:db8:1::10")
_PORTS = frozenset({22, 443, 5900, 40000})
_LOOP = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class _Words:
    """Every port, address and interface of either set of rules, and some that stand in neither."""

    ports: tuple[int, ...]
    targets: tuple[str, ...]
    interfaces: tuple[str, ...]


def differing(wanted: Iterable[Rule], live: Iterable[Rule], uid: int) -> list[str]:
    """Return, in words, each sample that the live rules decide otherwise than the wanted ones; `uid` is the agent's.

    What stands in either is sampled, so a port, a network or an interface more shows.
    """
    asked, found = tuple(wanted), tuple(live)
    judged = [(packet, decide(asked, packet), decide(found, packet)) for packet in _samples(_words(asked, found), uid)]
    return list(dict.fromkeys(_shown(packet, seen) for packet, meant, seen in judged if _open(meant) != _open(seen)))


def _open(verdict: str) -> bool:
    return verdict == "pass"


def _shown(packet: Packet, seen: str) -> str:
    word = "passes" if _open(seen) else "blocks"
    who = "" if packet.user is None else f" of uid {packet.user}"
    return f"{word} {packet.protocol} {packet.way} on {packet.on}{who} to {packet.target} port {packet.port}"


def _words(*sets: tuple[Rule, ...]) -> _Words:
    rules = {rule for rules in sets for rule in rules}
    ends = [end for rule in rules for end in (rule.source, rule.target)]
    networks = {network for end in ends for network in end.networks if not isinstance(network, str)}
    edges = {str(edge) for network in networks for edge in (network[0], network[-1])}
    ports = _PORTS | {port for end in ends for port in end.ports}
    names = {"en0", "en1"} | {name for rule in rules for name in rule.on if name != "lo0"}
    edges = {edge for edge in edges if not ipaddress.ip_address(edge).is_unspecified}
    return _Words(tuple(sorted(ports)), (*_FAR, *sorted(edges - {*_FAR})), tuple(sorted(names)))


def _samples(words: _Words, uid: int) -> Iterator[Packet]:
    for protocol in ("tcp", "udp"):
        for port in words.ports:
            for name in words.interfaces:
                for own, far in zip(_OWN, _FAR, strict=True):
                    yield Packet("in", name, protocol, far, own, port, own=True)
            for target in words.targets:
                source = _OWN[1] if ":" in target else _OWN[0]
                for user in (uid, _PERSON):
                    yield Packet("out", "en0", protocol, source, target, port, user=user)
                yield Packet("in", "bridge100", protocol, "fd00::2" if ":" in target else "192.168.64.2", target, port)
            for target in _LOOP:
                yield Packet("out", "lo0", protocol, target, target, port, user=uid, own=True)
