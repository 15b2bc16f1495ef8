"""The fence: hostkit's own nftables table, as the kernel has it and as the next boot will."""

import json

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail

_HOOKS = ("input", "output", "forward")
_UNIT = "/etc/systemd/system/sysinit.target.wants/hostkit-fence.service"
_FLUSHER = "/etc/systemd/system/sysinit.target.wants/nftables.service"


def _table(host: Host) -> list[dict[str, dict[str, object]]]:
    if not host.is_root:
        raise CannotTell("the live ruleset cannot be read without root", "sudo hostkit check")
    listed = json.loads(host.run("nft", "-j", "list", "ruleset"))["nftables"]
    return [entry for entry in listed if any(_ours(value) for value in entry.values() if isinstance(value, dict))]


def _ours(value: dict[str, object]) -> bool:
    return value.get("family") == "inet" and (value.get("table") or value.get("name")) == "hostkit"


@check(
    "firewall-fence",
    severity="high",
    unhardened="fail",
    why="Without the fence every other wall is alone.",
    fix="hostkit bootstrap (play 90-fence), then hostkit bootstrap --confirm.",
)
def fence_stands(host: Host, policy: Policy) -> Verdict:
    """The kernel holds hostkit's table, and it drops what it does not allow: inbound, outbound and forwarded."""
    if not any(host.stat(path) for path in ("/usr/sbin/nft", "/sbin/nft")):
        return fail("nft is not installed, so there is no fence")
    found = _table(host)
    if not found:
        return fail("there is no table inet hostkit")
    dormant = [entry for entry in found if "dormant" in str(entry.get("table", {}).get("flags", ""))]
    if dormant:
        return fail("the table is dormant: it is there and does nothing")
    chains = [entry["chain"] for entry in found if "chain" in entry]
    dropping = {chain.get("hook") for chain in chains if chain.get("policy") == "drop"}
    rules = {entry["rule"].get("chain") for entry in found if "rule" in entry}
    faults = [f"{hook} does not drop" for hook in _HOOKS if hook not in dropping]
    faults += [f"{hook} has no rules" for hook in _HOOKS if hook not in rules]
    return every(faults, f"{len(chains)} chains, {len([e for e in found if 'rule' in e])} rules")


@check(
    "firewall-intact",
    severity="high",
    unhardened="fail",
    why="A rule added by hand at two in the morning is a hole that nobody remembers.",
    fix="hostkit bootstrap (play 90-fence) puts the confirmed fence back; then hostkit bootstrap --confirm.",
)
def fence_is_as_it_was_confirmed(host: Host, policy: Policy) -> Verdict:
    """The kernel's table is, rule by rule, the one that was confirmed."""
    if not host.is_root:
        raise CannotTell("the live ruleset cannot be read without root", "sudo hostkit check")
    if host.stat("/run/hostkit/fence.pending"):
        return fail("a fence waits to be confirmed")
    if host.stat("/run/hostkit/fence.listing") is None:
        return fail("no fence was confirmed")
    confirmed = host.read("/run/hostkit/fence.listing").splitlines()
    live = host.run("nft", "-s", "list", "table", "inet", "hostkit").splitlines()
    odd = [f"more: {line.strip()}" for line in live if line not in confirmed]
    odd += [f"gone: {line.strip()}" for line in confirmed if line not in live]
    same = live == confirmed
    return every(odd or ([] if same else ["the rules stand in another order"]), f"{len(live)} lines, all as confirmed")


@check(
    "firewall-boot",
    severity="high",
    unhardened="fail",
    why="A fence that is not there after a reboot is not there when nobody looks.",
    fix="hostkit bootstrap (play 90-fence), then hostkit bootstrap --confirm; disable nftables.service.",
)
def fence_returns_at_boot(host: Host, policy: Policy) -> Verdict:
    """The next boot brings the fence up before the network, and nothing flushes it away."""
    faults = [] if host.stat(_UNIT) else ["hostkit-fence.service is not enabled"]
    faults += [] if host.stat("/etc/hostkit/fence.nft") else ["/etc/hostkit/fence.nft is not there"]
    if host.stat(_FLUSHER):
        faults += ["nftables.service is enabled and flushes every table"] if _flushes(host) else []
    return every(faults, "enabled, and nothing flushes it")


def _flushes(host: Host) -> bool:
    return any(line.strip() == "flush ruleset" for line in host.read("/etc/nftables.conf").splitlines())
