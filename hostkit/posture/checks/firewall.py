"""The fence: hostkit's own nftables table, as the kernel has it and as the next boot will."""

import json

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, ok

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
    severity="critical",
    unhardened="fail",
    why="Without the fence every other wall is alone.",
    fix="hostkit bootstrap (play 90-fence), then hostkit bootstrap --confirm.",
    play="90-fence",
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
    play="90-fence",
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
    play="90-fence",
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


_FRONT_ENDS = ("ufw.service", "firewalld.service", "nftables.service", "netfilter-persistent.service")


@check(
    "firewall-owner",
    severity="medium",
    unhardened="ok fail unknown",
    why="Two programs that write rules undo each other's, and which one was last depends on the boot.",
    fix="systemctl disable --now all of them but one (do not purge nftables: the engine needs it).",
    references=("CIS Debian 12 4.1.1", "NIST SP 800-53 CM-6"),
)
def one_front_end_writes_rules(host: Host, policy: Policy) -> Verdict:
    """Besides hostkit's own table, one program at most writes firewall rules, now and at boot."""
    said = host.run("systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", *_FRONT_ENDS)
    units = [dict(line.partition("=")[::2] for line in part.splitlines()) for part in said.split("\n\n")]
    if {unit.get("Id") for unit in units} != set(_FRONT_ENDS):
        raise CannotTell("systemctl did not say of each front-end whether it runs", "systemctl status ufw firewalld")
    owners = [str(unit["Id"]).removesuffix(".service") for unit in units if _writes(unit)]
    owners = [name for name in owners if name != "ufw" or _ufw_is_on(host)]
    return (
        fail(f"{' and '.join(owners)} write rules")
        if len(owners) > 1
        else ok(f"{''.join(owners) or 'none'} besides it")
    )


def _writes(unit: dict[str, str]) -> bool:
    return unit.get("ActiveState") == "active" or unit.get("UnitFileState") in {"enabled", "enabled-runtime"}


def _ufw_is_on(host: Host) -> bool:
    """Return whether ufw's unit does anything: it is enabled wherever ufw is installed."""
    if host.stat("/etc/ufw/ufw.conf") is None:
        return True
    lines = [line.strip().lower().replace('"', "") for line in host.read("/etc/ufw/ufw.conf").splitlines()]
    return "enabled=yes" in lines
