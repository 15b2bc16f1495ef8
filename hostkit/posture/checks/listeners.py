"""Who listens: every open socket of this machine against the policy, v4 and v6, TCP and UDP."""

import functools
import ipaddress

from hostkit.errors import CannotTell
from hostkit.host import Host, Listener
from hostkit.policy import Policy
from hostkit.posture import fence
from hostkit.posture.model import Verdict, check, every, fail, ok
from hostkit.posture.readings import all_processes, listeners, once, words_of

_DHCP_CLIENT = {68, 546}
_API_PORTS = {2375, 2376}


@functools.lru_cache(maxsize=1024)
def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


@once
def _outside(host: Host) -> tuple[Listener, ...]:
    """Return the sockets that somebody elsewhere could reach."""
    return tuple(entry for entry in listeners(host) if not _is_loopback(entry.address))


def _managed(host: Host, policy: Policy) -> set[str]:
    return {address for name in policy.host.management for address in host.addresses().get(name, ())}


def _told(entry: Listener) -> str:
    place = f"[{entry.address}]" if ":" in entry.address else entry.address
    return f"{entry.protocol} {place}:{entry.port}" + (f" ({entry.process})" if entry.process else "")


def _declared(entry: Listener, managed: set[str], policy: Policy) -> bool:
    if entry.protocol == "udp" and entry.port in _DHCP_CLIENT:
        return True
    if entry.protocol == "tcp" and entry.port in policy.host.management_ports and entry.address in managed:
        return True
    return any(
        (line.protocol, line.port) == (entry.protocol, entry.port) and line.address in {"*", entry.address}
        for line in policy.host.listen
    )


@check(
    "listeners-declared",
    severity="critical",
    unhardened="ok fail",
    why="Every socket that takes packets from outside is a way in that somebody must have wanted.",
    fix="Stop the service, bind it to 127.0.0.1, or declare it under host.listen in the policy.",
    platforms=("linux", "darwin"),
)
def only_declared_sockets_listen(host: Host, policy: Policy) -> Verdict:
    """Nothing listens beyond loopback but what the policy declares."""
    sockets, managed = _outside(host), _managed(host, policy)
    faults = [_told(entry) for entry in sockets if not _declared(entry, managed, policy)]
    return every(faults, "no undeclared socket")


@check(
    "listeners-engine-api",
    severity="critical",
    unhardened="ok fail",
    why="Who reaches the engine's API is root on this machine.",
    fix="Remove the tcp:// entry from dockerd's hosts and restart it.",
    platforms=("linux", "darwin"),
)
def engine_api_is_not_on_the_network(host: Host, policy: Policy) -> Verdict:
    """The container engine's API is on no TCP port, loopback included."""
    sockets = listeners(host)
    faults = [_told(entry) for entry in sockets if entry.port in _API_PORTS or entry.process == "dockerd"]
    if not faults and not host.is_root and any(entry.protocol == "tcp" and not entry.process for entry in sockets):
        raise CannotTell("whose sockets these are cannot be seen without root", "sudo hostkit check")
    return every(faults, "no engine API on TCP")


_DESKTOP_PORTS = {
    3389,
    5938,
    6568,
    7070,
    *range(5800, 5811),
    *range(5900, 5964),
    *range(6000, 6064),
    *range(21115, 21120),
}
"""TCP: RDP, TeamViewer, AnyDesk (6568, 7070), VNC's web form and VNC, X11, RustDesk."""
_DESKTOPS = frozenset(
    """
    anydesk chrome-remote-desktop-host dwagent gnome-remote-desktop-daemon krfb nxd nxserver.bin parsecd
    remoting_me2me_host rustdesk srserver sunshine teamviewer teamviewerd tigervncserver vino-server vncserver
    vncserver-x11 vncserver-x11-core wayvnc weston-rdp x0tigervncserver x0vncserver x11vnc xpra xrdp xtigervnc
    xtightvnc xvnc
    """.split()  # noqa: SIM905 - a list of words reads as one
)


@check(
    "listeners-desktop",
    severity="critical",
    unhardened="ok fail unknown",
    why="Whoever gets to a remote desktop sits at this machine, and TeamViewer and its like let them in from anywhere.",
    fix="Stop and remove the named program: administration is SSH on the management interface.",
    references=("NIST SP 800-53 AC-17",),
)
def nobody_sits_at_a_remote_desktop(host: Host, policy: Policy) -> Verdict:
    """No remote desktop listens beyond loopback, and no program runs that gives one away: VNC, RDP, X11, TeamViewer."""
    faults = [_told(entry) for entry in _outside(host) if entry.protocol == "tcp" and entry.port in _DESKTOP_PORTS]
    faults += sorted({f"{word} runs" for entry in all_processes(host) for word in words_of(entry) & _DESKTOPS})
    return every(faults, "none listens or runs")


_SSH = ("sshd", "dropbear", "tinysshd")


@check(
    "listeners-ssh",
    severity="critical",
    unhardened="ok fail unknown",
    play="90-fence",
    why="An SSH server that the whole network can reach is the door that every scanner knocks at.",
    fix="Name the interfaces for administration under host.management, then hostkit bootstrap (play 90-fence).",
    references=("NIST SP 800-53 AC-17", "NIST SP 800-53 SC-7"),
)
def ssh_is_for_management_only(host: Host, policy: Policy) -> Verdict:
    """SSH can be reached on the management interfaces only, by where it listens or by what the fence lets in."""
    sockets = [entry for entry in _outside(host) if entry.protocol == "tcp"]
    found = [entry for entry in sockets if _is_ssh(entry, policy)]
    if any(not entry.process for entry in sockets) and not host.is_root:
        raise CannotTell("whose sockets these are cannot be seen without root", "sudo hostkit check")
    managed = _managed(host, policy)
    wide = [entry for entry in found if entry.address not in managed]
    if not wide:
        return ok(f"{', '.join(map(_told, found)) or 'no SSH server listens beyond loopback'}")
    standing = fence.standing(host)
    if isinstance(standing, str):
        return fail(f"{', '.join(map(_told, wide))}, and {standing}")
    ways = {name for entry in wide for name in fence.opened(standing, entry.port)}
    faults = [f"{_way(name)} leads to it" for name in sorted(ways - {"lo", "hkd*", *policy.host.management})]
    return every(faults, f"{', '.join(map(_told, wide))}, behind the fence: {', '.join(sorted(ways)) or 'no way in'}")


def _is_ssh(entry: Listener, policy: Policy) -> bool:
    """Return whether SSH is behind a socket; where there is an ssh.socket, systemd holds it."""
    ports = {22, *policy.host.management_ports}
    return entry.process.startswith(_SSH) or (entry.process in {"", "systemd", "init"} and entry.port in ports)


def _way(name: str) -> str:
    return "every interface" if name == "*" else f"interface {name}"


_DISCOVERY = {137: "NetBIOS", 138: "NetBIOS", 1900: "SSDP", 3702: "WS-Discovery", 5353: "mDNS", 5355: "LLMNR"}


@check(
    "listeners-discovery",
    severity="medium",
    unhardened="ok fail",
    why="It tells the segment what stands here, and believes whoever there claims a name.",
    fix="systemctl disable --now avahi-daemon; LLMNR=no and MulticastDNS=no in /etc/systemd/resolved.conf.d.",
    references=("CIS Debian 12 2.1.2", "NIST SP 800-53 CM-7"),
)
def nothing_announces_this_machine(host: Host, policy: Policy) -> Verdict:
    """Nothing answers the segment's calls for names and services: mDNS, LLMNR, SSDP, WS-Discovery, NetBIOS."""
    faults = [
        f"{_DISCOVERY[entry.port]}: {_told(entry)}"
        for entry in _outside(host)
        if entry.port in _DISCOVERY and (entry.protocol == "udp" or entry.port == 5355)
    ]
    return every(faults, "nobody listens for them")
