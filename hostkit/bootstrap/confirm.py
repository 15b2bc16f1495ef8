"""Keeping a fence that was applied: over a fresh connection, within its window; else it rolls back by itself."""

import ipaddress
import json
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

from hostkit.bootstrap import engine
from hostkit.bootstrap.gateway import RECORDS, RULES
from hostkit.bootstrap.guard import Pending, Standing, by_key, refuse_stale, tunnels, whose
from hostkit.bootstrap.mac import jobs as mac
from hostkit.bootstrap.plays import Machine, distribution
from hostkit.errors import CannotTell, HostkitError
from hostkit.host import NO_SHELLS, SHARED_FILE_SYSTEMS, Host, Login, accounts

SSH_FILE = "/etc/ssh/sshd_config.d/00-hostkit.conf"
PROGRAM = "/usr/local/lib/hostkit/fence"


@dataclass(frozen=True)
class Places:
    """Where a platform's fence keeps its mark while it waits, itself once it was confirmed, and its own program."""

    pending: str
    confirmed: str
    program: str


_PLACES = {
    "linux": Places("/run/hostkit/fence.pending", "/etc/hostkit/fence.nft", PROGRAM),
    "darwin": Places("/var/run/hostkit/pf.pending", "/etc/hostkit/pf.anchor", mac.PROGRAM),
}


def standing(host: Host) -> Standing:
    """Return what the refusals need to know of this host."""
    addresses, sessions = host.addresses(), host.ssh_sessions()
    return Standing(
        platform=host.platform,
        is_root=host.is_root,
        has_systemd=host.stat("/run/systemd/system") is not None,
        addresses=addresses,
        tunnels=tunnels(addresses, {name: _uevent(host, name) for name in addresses}),
        sessions=sessions,
        passwd=host.read("/etc/passwd"),
        shares=shares(host.read("/proc/self/mountinfo")),
        machine=_machine(host),
        keyed=_keyed(host, sessions),
        engine_files={path: host.read(path) for pattern in (engine.FILE, *engine.UNITS) for path in host.glob(pattern)},
    )


def _keyed(host: Host, sessions: Iterable[Login]) -> bool:
    """Return whether a key gets in: seen for this session, else for a live one; with none, one that lies there."""
    if not host.is_root or host.stat("/usr/sbin/sshd") is None or host.stat(SSH_FILE):
        return True
    if live := whose(sessions, host.own_peer()):
        return by_key(live, host.run("journalctl", "-q", "-b", "-o", "cat", "-t", "sshd", "-t", "sshd-session"))
    homes = [line[5] for line in accounts(host) if line[6] not in NO_SHELLS]
    return any(host.stat(f"{home}/.ssh/authorized_keys") for home in homes)


def _machine(host: Host) -> Machine | None:
    known = distribution(host.read("/etc/os-release")) if host.stat("/etc/os-release") else None
    if known is None:
        return None
    found = host.addresses()
    return Machine(
        known,
        # systemd's own word for it, which `systemd-detect-virt --container` reads too
        in_container=host.stat("/run/systemd/container") is not None,
        addresses=tuple(address for own in found.values() for address in own),
        bridges=tuple(address for name, own in found.items() if engine.is_bridge(name) for address in own),
        interfaces=tuple(name for name in found if not (name == "lo" or engine.faces_containers(name))),
        rules=_kept(host, RULES),
        status=_kept(host, f"{RECORDS}/status.json"),
        daemon=_kept(host, engine.FILE),
    )


def _kept(host: Host, path: str) -> str:
    return host.read(path) if host.is_root and host.stat(path) else ""


def shares(mountinfo: str) -> tuple[str, ...]:
    """Return the mount points of shares and of the automounter, as mountinfo spells them but for spaces."""
    lines = [line.split() for line in mountinfo.splitlines()]
    kinds = SHARED_FILE_SYSTEMS | {"autofs"}
    return tuple(words[4].replace("\\040", " ") for words in lines if words[words.index("-") + 1] in kinds)


def _uevent(host: Host, name: str) -> str:
    folder = f"/sys/class/net/{name}"
    if host.stat(f"{folder}/tun_flags"):
        return "tun_flags"
    return host.read(f"{folder}/uevent") if host.stat(f"{folder}/uevent") else ""


def pending(host: Host) -> Pending | None:
    """Return the fence that waits to be confirmed, if one does; raise CannotTell if its mark is not readable."""
    path = _PLACES[host.platform].pending
    if host.stat(path) is None:
        return None
    try:
        plain = json.loads(host.read(path))
        return Pending(float(plain["at"]), str(plain["over"]), tuple(str(plain.get("from", "")).split()))
    except (ValueError, KeyError, TypeError):
        raise CannotTell(f"{path} is not readable as JSON", "wait two minutes: the fence rolls back") from None


def confirm(host: Host) -> None:
    """Keep the fence that was applied; raise HostkitError if none waits or this connection proves nothing."""
    if not host.is_root:
        raise HostkitError(
            "confirming keeps the fence of this host", "run it as root: sudo hostkit bootstrap --confirm"
        )
    waits, session = pending(host), host.own_session()
    asked = waits is not None and waits.far and session is not None
    refuse_stale(waits, session, host.own_peer() if asked else "")
    keep(host)


def keep(host: Host) -> None:
    """Keep the fence that was applied, over reboots too; raise CannotTell if it is not that one any more."""
    # It waits its turn, and is not to be killed half way.
    host.run(_PLACES[host.platform].program, "confirm", timeout=30)


def resolved(name: str) -> tuple[str, ...]:
    """Return the addresses of the host that may confirm; raise HostkitError if it is neither address nor name."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as why:
        raise HostkitError(
            f"--confirm-from {name!r}: {why}", "name a host that resolves here, or its address"
        ) from None
    addresses = {ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found}
    return tuple(sorted(str(getattr(address, "ipv4_mapped", None) or address) for address in addresses))


def stands(host: Host, ruleset: str) -> bool:
    """Return whether this very fence was confirmed and is up, so that a run would put up none."""
    path = _PLACES[host.platform].confirmed
    kept = host.stat(path) is not None and host.read(path) == ruleset
    return kept and pending(host) is None and _stands(host)


def wait(host: Host, window: float) -> bool:
    """Wait until the fence is confirmed or rolled back, `window` seconds and a little; return whether it stands."""
    end, places = time.monotonic() + window + 15, _PLACES[host.platform]
    while host.stat(places.pending) is not None and time.monotonic() < end:
        time.sleep(0.5)
    return host.stat(places.confirmed) is not None and _stands(host)


def _stands(host: Host) -> bool:
    try:
        host.run(_PLACES[host.platform].program, "stands")
    except CannotTell:
        return False
    return True
