"""What is refused before the first change, so that nobody is locked out: pure."""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hostkit.bootstrap.accounts import uids
from hostkit.bootstrap.engine import refuse_tcp
from hostkit.bootstrap.plays import Machine
from hostkit.errors import HostkitError
from hostkit.host import NO_SHELLS, Login
from hostkit.policy import GATEWAY_ACCOUNT, Policy

WINDOW = 120
"""Seconds in which an applied fence must be confirmed; playbooks/linux/files/hostkit-fence counts the same."""
UP = "The fence is up."
"""How the line begins that asks for the confirmation; a fleet's bootstrap waits for it."""


OWN_COMMENTS = ("hostkit agents", "hostkit gateway")
"""The comments of the accounts that the plays make; by them the next bootstrap knows its own."""


_SYSTEM = ("/", "/etc", "/usr", "/var", "/boot")


@dataclass(frozen=True)
class Standing:
    """Where bootstrap runs: platform, root, systemd, addresses by interface, tunnels, live SSH sessions, accounts.

    `machine` is None where the plays do not know the distribution. `shares` are the mount points that the plays take
    away: other machines' file systems and the automounter's. `keyed` says whether a login by key was seen to work;
    `engine_files` are the files that tell the container engine where to listen.
    """

    platform: str
    is_root: bool
    has_systemd: bool
    addresses: Mapping[str, tuple[str, ...]]
    tunnels: frozenset[str]
    sessions: tuple[Login, ...]
    passwd: str = ""
    shares: tuple[str, ...] = ()
    machine: Machine | None = None
    keyed: bool = True
    engine_files: Mapping[str, str] = field(default_factory=dict)


def refuse(policy: Policy, standing: Standing) -> None:
    """Raise HostkitError for the first thing that would make the plays fail half way, or cut a live session."""
    if not standing.is_root:
        raise HostkitError("bootstrap changes this host", "run it as root: sudo hostkit bootstrap")
    if not standing.has_systemd:
        do = "boot this machine with systemd; without it the fence could neither roll back nor return at boot"
        raise HostkitError("systemd does not run here", do)
    if standing.machine is None:
        do = "they are Debian 12, Debian 13 and Ubuntu 24.04; write what differs into playbooks/linux/distributions.yml"
        raise HostkitError("the plays do not know the distribution that /etc/os-release names", do)
    refuse_path(policy.path)
    for name in (policy.host.account, GATEWAY_ACCOUNT):
        _refuse_account(name, standing.passwd)
    _refuse_unknown(policy.host.exempt, standing.passwd)
    refuse_tcp(standing.engine_files)
    _refuse_needed_shares(standing, (policy.path, sys.executable))
    refuse_management(policy, standing.addresses)
    _refuse_tunnels(policy, standing.tunnels)
    refuse_sessions(policy, standing.addresses, standing.sessions)


def refuse_keyless(standing: Standing) -> None:
    """Raise HostkitError if SSH would want keys from now on, and nobody showed that a key gets in."""
    if not standing.keyed:
        do = "log in over SSH with a key and run it there, or leave SSH as it is: --skip ssh"
        raise HostkitError("no login by key was seen, and passwords would no longer be taken over SSH", do)


def whose(sessions: Iterable[Login], peer: str) -> tuple[Login, ...]:
    """Return the sessions from the address that this one comes from: another administrator's key is not theirs."""
    live = tuple(sessions)
    return tuple(session for session in live if session.peer.rpartition(":")[0] == peer) or live


def by_key(sessions: Iterable[Login], journal: str) -> bool:
    """Return whether sshd's own words say that one of these sessions was opened with a key."""
    told = re.findall(r"Accepted publickey for \S+ from (\S+) port (\d+)", journal)
    return bool({f"{address}:{port}" for address, port in told} & {session.peer for session in sessions})


def refuse_path(path: str) -> None:
    """Raise HostkitError for a path of which a unit, a ruleset or a template would read more than it is."""
    if not re.fullmatch(r"[A-Za-z0-9/._@+,-]+", path):
        what = f"the policy's path {path!r} stands in a unit, a ruleset and a template, which would read it as more"
        raise HostkitError(what, "move the policy to /etc/hostkit/hostkit.yml")


def _refuse_account(name: str, passwd: str) -> None:
    """Raise HostkitError if the play would lock the account of a person, or root's."""
    entry = next((words for line in passwd.splitlines() if (words := line.split(":"))[0] == name), None)
    if entry is None or len(entry) != 7 or entry[4] in OWN_COMMENTS:
        return
    if entry[2] == "0" or int(entry[2]) >= 1000 or entry[6] not in NO_SHELLS:
        what = f"which is somebody's account (uid {entry[2]}, {entry[6]})"
        if name == GATEWAY_ACCOUNT:
            do = "rename that account: bootstrap makes one of this name"
            raise HostkitError(f"the host's own gateway runs as {name}, {what}", do)
        do = "name one that is not there yet; bootstrap makes it, without shell, password or sudo"
        raise HostkitError(f"host.account names {name}, {what}", do)


def _refuse_unknown(exempt: Iterable[str], passwd: str) -> None:
    if unknown := next((name for name in exempt if name not in uids(passwd)), ""):
        do = "name an account of /etc/passwd: the fence knows it by its uid"
        raise HostkitError(f"host.exempt names {unknown}, which is no account of this host", do)


def _refuse_needed_shares(standing: Standing, own: Iterable[str]) -> None:
    """Raise HostkitError if a play would unmount what this host, hostkit, or somebody's login stands on."""
    entries = [words for line in standing.passwd.splitlines() if len(words := line.split(":")) == 7]
    homes = [words[5] for words in entries if words[6] not in NO_SHELLS]
    refuse_needed(standing.shares, (*_SYSTEM, *own, *homes))


def refuse_needed(shares: Iterable[str], needed: Iterable[str]) -> None:
    """Raise HostkitError if one of these paths lies on a share that a play would unmount."""
    paths = tuple(needed)
    for share in shares:
        below = share.rstrip("/") + "/"
        if found := next((path for path in paths if f"{path}/".startswith(below)), ""):
            what = f"{found} lies on {share}, a share that bootstrap would unmount"
            raise HostkitError(what, "move it to a disk of this machine first: without it nobody might get in again")


def refuse_management(policy: Policy, addresses: Mapping[str, tuple[str, ...]]) -> None:
    """Raise HostkitError if nobody could come in: an interface may come up later, but not every one."""
    names = policy.host.management
    if names and not set(names) & set(addresses):
        known = ", ".join(sorted(addresses))
        what = f"host.management names {', '.join(names)}, and none of them is here"
        raise HostkitError(what, f"name one that is up now besides those that come later; interfaces here: {known}")


def _refuse_tunnels(policy: Policy, tunnels: Iterable[str]) -> None:
    """Raise HostkitError if this host is managed through a tunnel whose own packets the fence would drop."""
    for name in policy.host.management:
        if name in tunnels and policy.host.vpn is None:
            do = "say under host.vpn what kind it is (wireguard, tailscale, openvpn) and where its other end is"
            raise HostkitError(f"{name} is a tunnel, and the fence would drop its own packets", do)


def refuse_sessions(policy: Policy, addresses: Mapping[str, tuple[str, ...]], sessions: Iterable[Login]) -> None:
    """Raise HostkitError for the first live session that the fence would cut."""
    for session in sessions:
        _refuse_if_cut(policy, addresses, session)


def _refuse_if_cut(policy: Policy, addresses: Mapping[str, tuple[str, ...]], session: Login) -> None:
    names = [name for name, entries in addresses.items() if session.address in entries]
    if session.address.startswith("127.") or session.address == "::1":
        return
    if set(names) & set(policy.host.management) and session.port in policy.host.management_ports:
        return
    where = f"{names[0] if names else 'an unknown interface'} port {session.port}"
    do = "name it under host.management (and host.management_ports) in the policy, or end that session"
    raise HostkitError(f"the SSH session from {session.peer} comes in on {where} and would be cut", do)


def applied_over(session: float | None, sessions: Iterable[Login], *, typed: bool = True) -> str:
    """Return `ssh`, `console` or `unattended`: how the fence is applied, and so how it must be confirmed.

    A live SSH session counts even where this process is not below it: whoever sits in tmux is not. `typed` says
    whether somebody sits at this process' terminal.
    """
    if session is not None or tuple(sessions):
        return "ssh"
    return "console" if typed else "unattended"


def refuse_unattended(over: str, far: Iterable[str]) -> None:
    """Raise HostkitError if nobody could confirm the fence that is about to come."""
    if over == "unattended" and not tuple(far):
        do = "say with --confirm-from HOST where the SSH connection that confirms will come from"
        raise HostkitError("nobody is here to confirm the fence: no terminal, and no SSH session", do)


@dataclass(frozen=True)
class Pending:
    """A fence that waits to be confirmed: since when (seconds since boot), how it was applied, and who may confirm.

    `far` are the addresses from which a connection confirms, empty if any does.
    """

    at: float
    over: str
    far: tuple[str, ...] = ()


def refuse_stale(pending: Pending | None, session: float | None, peer: str = "") -> None:
    """Raise HostkitError unless the one who confirms shows that a new connection gets in through the fence.

    `session` is when their SSH session began (None: at the console), in seconds since boot: no clock moves those.
    `peer` is the address it comes from.
    """
    if pending is None:
        raise HostkitError("no fence waits to be confirmed", "it was confirmed, or rolled back; see hostkit check")
    if session is None and pending.over == "console":
        raise HostkitError("the fence was applied at the console", "type the word that is shown there")
    if session is None:
        do = "confirm it over a new SSH connection, not at the console or in tmux"
        raise HostkitError("the fence was applied over SSH, or by nobody at a terminal", do)
    if session < pending.at:
        do = "open a new connection and confirm there; this one lives on whatever the fence does"
        raise HostkitError("this SSH session is older than the fence", do)
    if pending.far and peer not in pending.far:
        do = "connect from there; without it the fence rolls back"
        raise HostkitError(f"this connection comes from {peer}, and only {', '.join(pending.far)} may confirm", do)


def tunnels(names: Iterable[str], uevents: Mapping[str, str]) -> frozenset[str]:
    """Return which interfaces are tunnels, from their uevent text; a tun device's file is told as `tun_flags`."""
    marks = ("DEVTYPE=wireguard", "tun_flags")
    return frozenset(name for name in names if any(mark in uevents.get(name, "") for mark in marks))
