"""hostkit's own nftables table as the kernel holds it: what it drops, what it counted, and through which cards."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.posture.readings import once

_NFT = ("/usr/sbin/nft", "/sbin/nft")
_FAMILY, _NAME = "inet", "hostkit"
_ONWARD = ("accept", "jump", "goto", "vmap")
_VERDICTS = (*_ONWARD, "drop", "reject", "return", "queue", "continue")


@dataclass(frozen=True)
class Rule:
    """One rule: its statements, as `nft -j` lists them."""

    statements: tuple[dict[str, Any], ...]

    def has(self, kind: str) -> bool:
        """Return whether one of its statements is of this kind: counter, log, drop, accept."""
        return any(kind in statement for statement in self.statements)

    @property
    def packets(self) -> int:
        """Return what its counters counted."""
        counters = [entry["counter"] for entry in self.statements if isinstance(entry.get("counter"), dict)]
        return sum(int(counter.get("packets", 0)) for counter in counters)

    def matches(self) -> Iterator[tuple[str, Any]]:
        """Yield (what is looked at, what it must be) of each comparison: `meta iifname`, `tcp dport`, `ct state`."""
        for entry in self.statements:
            found = entry.get("match")
            if isinstance(found, dict) and found.get("op") in {"==", "in"}:
                yield _left(found.get("left")), found.get("right")


def _left(left: Any) -> str:
    if not isinstance(left, dict):
        return ""
    kind, told = next(iter(left.items()), ("", {}))
    if not isinstance(told, dict):
        return ""
    return f"{told.get('protocol')} {told.get('field')}" if kind == "payload" else f"{kind} {told.get('key')}"


@dataclass(frozen=True)
class Chain:
    """A base chain of the fence."""

    policy: str
    rules: tuple[Rule, ...]


Fence = dict[str, Chain]
"""The base chains by their hook."""


def read(host: Host) -> Fence | str:
    """Return the fence as it stands this moment, or why there is none; raise CannotTell where that cannot be seen."""
    if not any(host.stat(path) for path in _NFT):
        return "nft is not installed, so there is no fence"
    if not host.is_root:
        raise CannotTell("the live ruleset cannot be read without root", "sudo hostkit check")
    tables = [entry["table"] for entry in _listed(host, "tables") if "table" in entry]
    ours = [entry for entry in tables if (entry.get("family"), entry.get("name")) == (_FAMILY, _NAME)]
    if not ours:
        return f"there is no table {_FAMILY} {_NAME}"
    if any("dormant" in str(entry.get("flags", "")) for entry in ours):
        return "the fence is dormant: it is there and does nothing"
    return _chains(_listed(host, "table", _FAMILY, _NAME))


@once
def standing(host: Host) -> Fence | str:
    """Return what `read` does, read once a run."""
    return read(host)


def _listed(host: Host, *what: str) -> list[dict[str, Any]]:
    try:
        return [entry for entry in json.loads(host.run("nft", "-j", "list", *what))["nftables"] if entry]
    except (ValueError, KeyError, TypeError) as why:
        raise CannotTell(f"nft's listing cannot be read: {why}", f"sudo nft list {' '.join(what)}") from None


def _chains(listed: list[dict[str, Any]]) -> Fence:
    chains = [entry["chain"] for entry in listed if "chain" in entry]
    rules = [entry["rule"] for entry in listed if "rule" in entry]
    return {
        str(chain["hook"]): Chain(
            str(chain.get("policy", "accept")),
            tuple(Rule(tuple(rule.get("expr", ()))) for rule in rules if rule.get("chain") == chain.get("name")),
        )
        for chain in chains
        if "hook" in chain
    }


def dropped(fence: Fence, hook: str) -> int:
    """Return how many packets of a hook were counted as dropped: by rules that drop, and by the last one.

    What another rule counts goes on to the next, which may let it through.
    """
    rules = fence[hook].rules
    last = [rule for rule in rules[-1:] if fence[hook].policy == "drop" and not any(map(rule.has, _VERDICTS))]
    return sum(rule.packets for rule in (*(rule for rule in rules if rule.has("drop")), *last))


def opened(fence: Fence, port: int) -> set[str]:
    """Return the interfaces on which a new TCP connection may reach a port of this host, `*` for every one."""
    chain = fence.get("input")
    if chain is None or chain.policy != "drop":
        return {"*"}
    names = [_through(rule, port) for rule in chain.rules if any(map(rule.has, _ONWARD))]
    return {name for found in names for name in found}


def _through(rule: Rule, port: int) -> set[str]:
    """Return the interfaces by which a rule lets a new connection in; what else it asks is taken as met."""
    matches = list(rule.matches())
    if any(_bars(looked, wanted, port) for looked, wanted in matches):
        return set()
    names = [wanted for looked, wanted in matches if looked in {"meta iifname", "meta iif"}]
    return {str(name) for name in _items(names[0])} if names else {"*"}


def _bars(looked: str, wanted: Any, port: int) -> bool:
    kind, _, field = looked.partition(" ")
    if field == "dport" and kind in {"tcp", "th"}:
        return not any(_holds(item, port) for item in _items(wanted))
    needed = {"ct state": "new", "meta l4proto": "tcp"}.get(looked)
    return (needed is not None and needed not in _items(wanted)) or kind in {"udp", "icmp", "icmpv6"}


def _items(wanted: Any) -> list[Any]:
    if isinstance(wanted, dict) and "set" in wanted:
        return list(wanted["set"])
    return list(wanted) if isinstance(wanted, list) else [wanted]


def _holds(item: Any, port: int) -> bool:
    if isinstance(item, dict) and isinstance(item.get("range"), list):
        low, high = item["range"]
        return bool(low <= port <= high)
    return bool(item == port)
