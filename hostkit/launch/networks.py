"""The networks of a client: which subnets it keeps, what its bridges are called, what each engine must be told."""

import hashlib
import ipaddress
from collections.abc import Iterable
from typing import Any

from hostkit.errors import HostkitError
from hostkit.launch.model import EngineFacts, LaunchPlan, NetworkPlan, Slot
from hostkit.policy.model import Policy
from hostkit.policy.uids import SLOTS

BRIDGE = "com.docker.network.bridge."
"""What the names of the bridge driver's options begin with."""


def choose_slot(policy: Policy, taken: dict[str, Slot], live: tuple[str, ...], name: str) -> Slot:
    """Return the client's kept slot, or the first free one of the pool that overlaps no live route."""
    if name in taken:
        return taken[name]
    numbers = {slot.number for slot in taken.values()}
    used = [ipaddress.ip_network(net) for slot in taken.values() for net in (slot.inside, slot.outside)]
    busy = [*used, *(ipaddress.ip_network(net) for net in live)]
    free = _free_subnets(ipaddress.ip_network(policy.host.pool), busy)
    number = next((n for n in range(SLOTS) if n not in numbers), None)
    if number is None or len(free) < 2:
        raise HostkitError(f"the pool {policy.host.pool} has no two free /29 networks", "widen host.pool")
    return Slot(number, free[0], free[1])


def _free_subnets(pool: Any, busy: list[Any]) -> list[str]:
    free: list[str] = []
    if pool.prefixlen > 29:
        return free
    for subnet in pool.subnets(new_prefix=29):
        if not any(subnet.version == net.version and subnet.overlaps(net) for net in busy):
            free.append(str(subnet))
        if len(free) == 2:
            break
    return free


def bridge_name(kind: str, client: str) -> str:
    """Return hki or hke with 8 hex digits of the client's name: 11 characters, Linux allows 15."""
    return kind + hashlib.sha256(client.encode()).hexdigest()[:8]


def refuse_bridge_twins(name: str, others: Iterable[str]) -> None:
    """Raise HostkitError if another client's bridge would have the same name on the host."""
    twins = sorted(other for other in others if other != name and bridge_name("", other) == bridge_name("", name))
    if twins:
        what = f"{name} and {twins[0]} would share the bridge {bridge_name('hki', name)}"
        raise HostkitError(what, "give one of the two clients another name")


def refuse_taken_bridges(plan: LaunchPlan, interfaces: Iterable[str]) -> None:
    """Raise HostkitError if an interface has a bridge's name: the engine would make it its own without a word."""
    taken = sorted({plan.inside.bridge, plan.outside.bridge}.intersection(interfaces))
    if taken:
        what = f"interface {taken[0]} is there and is no network of {plan.client}"
        raise HostkitError(what, f"see `ip link show {taken[0]}`, and remove it if it is a left-over")


def network_options(version: tuple[int, int, int], bridge: str, *, internal: bool) -> dict[str, str]:
    """Return the bridge driver's options: the host has no address on an internal bridge.

    Isolated gateway mode exists from engine 28.0 (moby pull request 49262); older engines ignore it in silence.
    """
    options = {BRIDGE + "name": bridge}
    if internal:
        options[BRIDGE + "inhibit_ipv4"] = "true"
        if version >= (28, 0, 0):
            options[BRIDGE + "gateway_mode_ipv4"] = "isolated"
    return options


def refuse_engine(version: tuple[int, int, int]) -> None:
    """Raise HostkitError for an engine on which an internal network's names cannot reach its gateway.

    From 25.0.5 up to 26.1.2 `--dns` with a server inside an internal network is broken; a resolv.conf of our own
    would have to be mounted from the host, and nothing of the host is ever mounted.
    """
    if (25, 0, 5) <= version < (26, 1, 3):
        shown = ".".join(map(str, version))
        what = f"Docker {shown} cannot send an internal network's names to its gateway (moby issue 47821)"
        raise HostkitError(what, "upgrade the engine to 26.1.3 or later")


def networks(name: str, slot: Slot, engine: EngineFacts) -> tuple[NetworkPlan, NetworkPlan]:
    """Return the client's inner network and its gateway's way out."""
    inner, outer = bridge_name("hki", name), bridge_name("hke", name)
    return (
        NetworkPlan(
            f"hostkit-{name}-in", inner, slot.inside, True, network_options(engine.version, inner, internal=True)
        ),
        NetworkPlan(
            f"hostkit-{name}-out", outer, slot.outside, False, network_options(engine.version, outer, internal=False)
        ),
    )
