"""A Mac that is about to be hardened: the questions of a site, answered by what its tools say."""

import os
from collections.abc import Iterable
from typing import Any

from hostkit.bootstrap import confirm
from hostkit.bootstrap.cut import Cut, grouped
from hostkit.bootstrap.mac import pf
from hostkit.bootstrap.mac.choice import QUESTION, WORDS, chosen
from hostkit.bootstrap.mac.grammar import Rule, parse
from hostkit.bootstrap.mac.packets import Packet, decide
from hostkit.bootstrap.mac.stand import ground, refuse, uid
from hostkit.bootstrap.mac.values import variables
from hostkit.host import Connection, Host, Login
from hostkit.policy import Policy


class MacSite:
    """A Mac."""

    def __init__(self, host: Host, policy: Policy) -> None:
        self._host, self._policy = host, policy
        self._here = ground(host)
        self._power_cut = chosen(host, policy)

    @property
    def sessions(self) -> tuple[Login, ...]:
        return self._here.sessions

    def refuse(self, subjects: Iterable[str]) -> None:
        refuse(self._policy, self._here, subjects)

    def question(self) -> tuple[str, tuple[str, ...]]:
        return ("", ()) if self._power_cut else (QUESTION, WORDS)

    def answer(self, word: str) -> None:
        self._power_cut = word

    def variables(self, over: str, far: tuple[str, ...]) -> dict[str, Any]:
        return variables(self._policy, over, self._here, far, _size()) | {"power_cut": self._power_cut}

    def warnings(self) -> list[str]:
        return []

    def stands(self) -> bool:
        return confirm.stands(self._host, self._anchor())

    def cuts(self) -> tuple[Cut, ...]:
        names = {address: name for name, found in self._here.addresses.items() for address in found}
        accounts = {name: account.uid for name, account in self._here.accounts.items()}
        rules = parse(self._anchor())
        return grouped(accounts, (one for one in self._host.connections() if lost(rules, names, one)))

    def open_ways(self) -> tuple[str, ...]:
        return pf.open_ways(self._policy)

    def _anchor(self) -> str:
        return pf.anchor(self._policy, uid(self._policy, self._here))


def lost(rules: Iterable[Rule], names: dict[str, str], one: Connection) -> bool:
    """Return whether a live connection could not be opened again; `names` is this Mac's addresses with interfaces."""
    if one.far in names:
        return False
    on = names.get(one.near, "en0")
    if one.inward:
        packet = Packet("in", on, one.protocol, one.far, one.near, one.near_port, one.far_port, own=True)
    else:
        packet = Packet("out", on, one.protocol, one.near, one.far, one.far_port, one.near_port, one.uid)
    return decide(rules, packet) != "pass"


def _size() -> tuple[int, int]:
    """Return this Mac's processors, and its memory in bytes."""
    import psutil  # noqa: PLC0415 - `hostkit --help` does not pay for it

    return os.cpu_count() or 2, psutil.virtual_memory().total
