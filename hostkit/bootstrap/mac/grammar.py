"""The part of pf.conf(5) that hostkit writes, read back: pure. A rule outside it is refused, never guessed at.

The order of a rule's words is that of the manual's grammar (macOS 14 to 26): action, direction, quick, interface,
family, protocol, hosts, options. Lists in braces stand for every one of their words, as pfctl expands them; a macro
(`name = "words"`) stands for its words wherever `$name` does.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

TAG = "hostkit_guest"
"""What a guest's packet bears from its bridge on; pf keeps it through translation."""
_TOKEN = re.compile(r"[{},!=]|[^\s{},!=]+")
_FAMILIES = {"inet": 4, "inet6": 6}
_PROTOCOLS = frozenset({"tcp", "udp", "icmp", "ipv6-icmp"})
_TYPES = frozenset(
    {"unreach", "timex", "paramprob", "echoreq", "toobig"}
    | {"routersol", "routeradv", "neighbrsol", "neighbradv", "listqry", "listenrep"}
)
_FLAGS = frozenset({"S/SA", "A/A", "any"})
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class End:
    """One end that a rule asks for: any of these networks (none: any; `(self)`: this Mac), any of these ports."""

    networks: tuple[Network | str, ...] = ()
    ports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule: `action` is pass, drop or return, `way` in, out or empty; empty tuples and None ask for nothing.

    `on` are interfaces, or with `off` the ones that it is not asked on; `state` is keep or no. A packet that passes by
    it bears its `tag` from then on, through translation too; `tagged` asks for one.
    """

    action: str
    way: str = ""
    quick: bool = False
    on: tuple[str, ...] = ()
    off: bool = False
    family: int | None = None
    protocols: tuple[str, ...] = ()
    source: End = End()
    target: End = End()
    user: int | None = None
    types: tuple[str, ...] = ()
    flags: str = ""
    state: str = ""
    tag: str = ""
    tagged: str = ""


def parse(text: str) -> tuple[Rule, ...]:
    """Return the rules of an anchor; raise ValueError, with the line's number, for what is not of this grammar."""
    found, macros = [], dict[str, str]()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].strip()
        try:
            if told := _MACRO.fullmatch(words):
                macros[told[1]] = told[2]
            elif words:
                found.append(_rule(_Words(_MEANT.sub(lambda name: _meant(macros, name[1]), words))))
        except ValueError as why:
            raise ValueError(f"line {number}: {why}: {words}") from None
    return tuple(found)


_MACRO, _MEANT = re.compile(r'([a-z]+) = "([^"$]*)"'), re.compile(r"\$(\w+)")


def _meant(macros: dict[str, str], name: str) -> str:
    if name not in macros:
        raise ValueError(f"no macro is called {name}")
    return macros[name]


class _Words:
    """The words of one rule, taken from the left."""

    def __init__(self, line: str) -> None:
        self._left: list[str] = _TOKEN.findall(line)
        if "".join(self._left) != "".join(line.split()):
            raise ValueError("a character that no rule has")

    @property
    def ended(self) -> bool:
        return not self._left

    def take(self, *wanted: str) -> str:
        """Return the next word if it is one of these, and nothing, taking nothing, if it is not."""
        return self.word() if self._left and self._left[0] in wanted else ""

    def word(self) -> str:
        if not self._left:
            raise ValueError("it ends too early")
        return self._left.pop(0)

    def words(self) -> tuple[str, ...]:
        """Return one word, or those of a list in braces."""
        if not self.take("{"):
            return (self.word(),)
        found = []
        while not self.take("}"):
            found.append(self.word())
            self.take(",")
        if not found:
            raise ValueError("an empty list")
        return tuple(found)

    def known(self, what: str, allowed: Iterable[str]) -> tuple[str, ...]:
        """Return one word or a list's, each an allowed one."""
        words = self.words()
        if odd := next((word for word in words if word not in set(allowed)), ""):
            raise ValueError(f"{odd} is no {what}")
        return words


def _rule(words: _Words) -> Rule:
    action = words.take("pass", "block")
    if not action:
        raise ValueError("it neither passes nor blocks")
    if action == "block":
        action = words.take("drop", "return") or "drop"  # the default of set block-policy
    way, quick = words.take("in", "out"), bool(words.take("quick"))
    on, off = _interfaces(words)
    family = _FAMILIES.get(words.take(*_FAMILIES))
    protocols = words.known("protocol", _PROTOCOLS) if words.take("proto") else ()
    source, target = _ends(words)
    rule = Rule(action, way, quick, on, off, family, protocols, source, target, **_options(words))
    _refuse_senseless(rule)
    return rule


def _interfaces(words: _Words) -> tuple[tuple[str, ...], bool]:
    if not words.take("on"):
        return (), False
    off = bool(words.take("!"))
    names = words.words()
    if odd := next((name for name in names if not re.fullmatch(r"[a-z]+[0-9]+", name)), ""):
        raise ValueError(f"{odd} is no interface")
    return names, off


def _ends(words: _Words) -> tuple[End, End]:
    if words.take("all"):
        return End(), End()
    if not words.take("from"):
        raise ValueError("it says neither all nor from")
    source = _end(words)
    if not words.take("to"):
        raise ValueError("it says from and not to")
    return source, _end(words)


def _end(words: _Words) -> End:
    hosts = words.words()
    networks = () if hosts == ("any",) else tuple(_network(host) for host in hosts)
    if not words.take("port"):
        return End(networks)
    words.take("=")
    return End(networks, tuple(_port(port) for port in words.words()))


def _port(word: str) -> int:
    """Return a port's number; pfctl shows one by its service's name where /etc/services has one."""
    if word.isdecimal():
        return _number(word, 65535)
    try:
        return socket.getservbyname(word)
    except OSError:
        raise ValueError(f"{word} is no port") from None


def _network(host: str) -> Network | str:
    if host == "(self)":  # with parentheses pf asks at each packet; without them pfctl writes today's addresses
        return host
    try:
        return ipaddress.ip_network(host)
    except ValueError:
        raise ValueError(f"{host} is no network") from None


def _number(word: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]+", word) or int(word) > most:
        raise ValueError(f"{word} is no number up to {most}")
    return int(word)


def _options(words: _Words) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while not words.ended:
        match words.word():
            case "user":
                words.take("=")
                found["user"] = _number(words.word(), 2**32 - 3)
            case "icmp-type" | "icmp6-type":
                found["types"] = words.known("type", _TYPES)
            case "flags":
                found["flags"] = words.known("set of flags", _FLAGS)[0]
            case "keep" | "no" as kept:
                found["state"] = kept
                if not words.take("state"):
                    raise ValueError(f"{kept} what?")
            case "tag" | "tagged" as word:
                found[word] = words.known("tag", {TAG})[0]
            case odd:
                raise ValueError(f"{odd} is no option")
    return found


def _refuse_senseless(rule: Rule) -> None:
    """Raise ValueError for a rule that pfctl refuses, or that asks for what no packet has."""
    carried = {"tcp", "udp"}
    ports = rule.source.ports or rule.target.ports
    if (ports or rule.user is not None) and not (rule.protocols and set(rule.protocols) <= carried):
        raise ValueError("only TCP and UDP have ports and users")
    if rule.types and len(rule.protocols) != 1:
        raise ValueError("a type is of one protocol")
    if rule.action != "pass" and (rule.state or rule.flags == "any"):
        raise ValueError("what is blocked has no state")
    if rule.user is not None and rule.way != "out":
        raise ValueError("an account is asked for on the way out only")
