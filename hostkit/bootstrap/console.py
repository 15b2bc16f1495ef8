"""Keeping a fence from the console: a word that is shown and typed back, while the gateway and DNS answer."""

import json
import re
import secrets
import sys
import time
from collections.abc import Callable, Mapping

from hostkit.bootstrap import confirm
from hostkit.bootstrap.accounts import uids
from hostkit.bootstrap.guard import WINDOW
from hostkit.bootstrap.ways import RESOLVER, TIME
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import GATEWAY_ACCOUNT, Policy

_PATIENCE = 4.0
_UP = {"REACHABLE", "PERMANENT"}
Typed = Callable[[float], str | None]
"""Return a line that was typed within so many seconds, None if none was."""


def word() -> str:
    """Return a word that nobody types by chance, in letters that no keyboard's layout hides from another's."""
    return "".join(secrets.choice("bdfgkprst") + secrets.choice("eiou") for _ in range(4))


def keep_by_word(host: Host, policy: Policy, wanted: str, typed: Typed, told: Callable[[str], None]) -> bool:
    """Keep the fence once its word was typed while all answers; return whether it was, before it rolled back."""
    end = time.monotonic() + WINDOW + 15
    while confirm.pending(host) is not None and time.monotonic() < end:
        line = typed(0.5)
        if line is None:
            continue
        faults = dead(host, policy) if line.strip().lower() == wanted else ("that is not the word",)
        if not faults:
            confirm.keep(host)
            return True
        told(f"not kept yet: {'; '.join(faults)}; type {wanted} to try again")
    return False


def dead(host: Host, policy: Policy) -> tuple[str, ...]:
    """Return what of the network does not answer through the fence as it is now, in words; empty if all does.

    Where there is no default route there is no gateway to ask.
    """
    if host.platform == "darwin":
        return _dead_on_a_mac(host, policy)
    answers = [_resolver(host, address) for address in policy.host.resolvers]
    resolvers = [] if "" in answers else answers
    gateways = [fault for gateway, interface in host.default_routes() if (fault := _gateway(host, gateway, interface))]
    return (*resolvers, *gateways)


_ASK = """
import socket, struct, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as asking:
    asking.settimeout(2)
    asking.connect((sys.argv[1], 53))
    asking.send(struct.pack("!6HB2H", 4711, 256, 1, 0, 0, 0, 0, 2, 1))
    answer = asking.recv(4096)
print(answer[3] & 15 if answer[:2] == struct.pack("!H", 4711) else "stray")
"""
"""What the account that the fence lets out to the resolvers runs: who serves the root, and the answer's number."""
_HEARD = {"0", "3"}
"""No error, and no such name: either was found out by asking on."""


def _resolver(host: Host, address: str) -> str:
    """Return why a resolver does not count as answering, empty if it answers.

    It is asked for the root, which tells nobody anything, by an account that the fence lets ask it.
    """
    there = uids(host.read("/etc/passwd"))
    account = next((one for one in (GATEWAY_ACCOUNT, RESOLVER, *TIME) if one in there), "")
    return _asked(host, ("runuser", "-u", account, "--") if account else (), "/usr/bin/python3", address)


def _asked(host: Host, way: tuple[str, ...], python: str, address: str) -> str:
    try:
        said = host.run(*way, python, "-I", "-c", _ASK, address).strip()
    except CannotTell:
        return f"resolver {address} does not answer"
    return "" if said in _HEARD else f"resolver {address} answers with error {said}"


def _dead_on_a_mac(host: Host, policy: Policy) -> tuple[str, ...]:
    """Return the same of a Mac, where people's accounts may ask the resolvers, root's too.

    Its neighbours are made known by a ping, answered or not; an entry without an address is none.
    """
    answers = [_asked(host, (), sys.executable, address) for address in policy.host.resolvers]
    faults = [] if "" in answers else answers
    for gateway, interface in host.default_routes():
        if ":" in gateway:
            continue  # of IPv6 the neighbours answer to the router's own advertisements
        host.ask("/sbin/ping", "-c", "1", "-t", "2", gateway)
        said = host.ask("/usr/sbin/arp", "-n", gateway).out
        if not re.search(r" at [0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5} on ", said):
            faults.append(f"gateway {gateway} does not answer on {interface}")
    return tuple(faults)


def _gateway(host: Host, gateway: str, interface: str) -> str:
    """Return why a default gateway does not count as there, empty if it answers on the link.

    Its neighbour entry is made to be tried anew: no fence holds that up, and an old entry proves nothing.
    """
    if "NOARP" in _link(host, interface):
        return ""  # a tunnel's other end has no neighbour entry; the resolver's answer came through it
    _try(host, "ip", "neigh", "change", gateway, "dev", interface, "nud", "probe")
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if _UP & set(_neighbour(host, gateway, interface).get("state", ())):
            return ""
        _try(host, "ip", "neigh", "replace", gateway, "dev", interface, "use")
        time.sleep(0.2)
    return f"gateway {gateway} does not answer on {interface}"


def _link(host: Host, interface: str) -> list[str]:
    return list(json.loads(host.run("ip", "-j", "link", "show", "dev", interface))[0]["flags"])


def _neighbour(host: Host, address: str, interface: str) -> Mapping[str, list[str]]:
    said = json.loads(host.run("ip", "-j", "neigh", "show", address, "dev", interface) or "[]")
    return dict(said[0]) if said else {}


def _try(host: Host, *command: str) -> None:
    try:
        host.run(*command)
    except CannotTell:
        return  # there is no entry yet, or no such word here: the state tells
