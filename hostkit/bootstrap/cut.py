"""Who talks now and could not connect again behind the new fence: pure, by the same ways that the fence opens."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hostkit.bootstrap.ways import RESOLVER, TIME
from hostkit.host.traffic import Connection
from hostkit.policy import GATEWAY_ACCOUNT, Policy
from hostkit.policy.vpn import split_endpoint


@dataclass(frozen=True)
class Cut:
    """One account's program in one place, and the far ends that it would lose."""

    account: str
    place: str
    process: str
    far: tuple[str, ...]


@dataclass(frozen=True)
class _Fence:
    policy: Policy
    names: Mapping[int, str]
    ways: Mapping[str, str]


def cut(
    policy: Policy,
    accounts: Mapping[str, int],
    addresses: Mapping[str, tuple[str, ...]],
    connections: Iterable[Connection],
) -> tuple[Cut, ...]:
    """Return what the fence would cut, grouped by account, place and program.

    `accounts` is name to uid, `addresses` this host's by interface. What is open when the fence comes may end its talk,
    if it sends before then; nothing of this comes up again.
    """
    ways = {address: name for name, found in addresses.items() for address in found}
    fence = _Fence(policy, {uid: name for name, uid in accounts.items()}, ways)
    return grouped(accounts, (one for one in connections if not _passes(fence, one)))


def grouped(accounts: Mapping[str, int], lost: Iterable[Connection]) -> tuple[Cut, ...]:
    """Return connections by account, place and program; `accounts` is name to uid."""
    names = {uid: name for name, uid in accounts.items()}
    groups: dict[tuple[str, str, str], set[str]] = {}
    for one in lost:
        key = (names.get(one.uid, f"uid {one.uid}"), one.place, one.process)
        groups.setdefault(key, set()).add(_shown(one))
    return tuple(Cut(*key, tuple(sorted(far))) for key, far in sorted(groups.items()))


def _shown(one: Connection) -> str:
    near, far = ((f"[{a}]" if ":" in a else a) for a in (one.near, one.far))
    arrow = f"to {far}:{one.far_port}"
    return f"{one.protocol} {f'from {far} on {near}:{one.near_port}' if one.inward else arrow}"


def _passes(fence: _Fence, one: Connection) -> bool:
    if one.far in fence.ways:  # this host with itself
        return True
    if not one.own:
        return _in(one.near, (fence.policy.host.pool,))  # a sandbox of hostkit's, whose gateway decides
    return _comes_in(fence, one) if one.inward else _goes_out(fence, one)


def _comes_in(fence: _Fence, one: Connection) -> bool:
    host = fence.policy.host
    if host.vpn and (host.vpn.protocol, host.vpn.listen) == (one.protocol, one.near_port):
        return True
    return fence.ways.get(one.near) in host.management and one.near_port in host.management_ports


def _goes_out(fence: _Fence, one: Connection) -> bool:
    host, name = fence.policy.host, fence.names.get(one.uid, "")
    if name in host.exempt or _by_vpn(fence.policy, one):
        return True
    if (one.protocol, one.near_port, one.far_port) in {("udp", 68, 67), ("udp", 546, 547)}:
        return True
    if one.far_port == 53 and name in {GATEWAY_ACCOUNT, RESOLVER, *TIME}:
        return one.far in host.resolvers
    if name in TIME:
        return (one.protocol, one.far_port) == ("udp", 123)
    return name == GATEWAY_ACCOUNT and one.protocol == "tcp" and _dialled(fence.policy, one)


def _dialled(policy: Policy, one: Connection) -> bool:
    """Return whether the fence lets the host's gateway there; which names lead there, the gateway itself decides."""
    listed = {network for way in policy.host.egress for network in way.networks}
    return one.far_port not in {53, 853} and (_in(one.far, listed) or not _in(one.far, policy.host.lan))


def _by_vpn(policy: Policy, one: Connection) -> bool:
    vpn = policy.host.vpn
    if vpn is None:
        return False
    if vpn.kind == "tailscale":  # the fence knows it by a mark, which no socket shows
        return one.process == "tailscaled"
    if vpn.endpoint is None or one.protocol != vpn.protocol:
        return False
    address, port = split_endpoint(vpn.endpoint)
    return (one.far, one.far_port) == (address, port)


def _in(address: str, networks: Iterable[str]) -> bool:
    one = ipaddress.ip_address(address)
    return any(one in ipaddress.ip_network(network) for network in networks)
