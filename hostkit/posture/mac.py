"""Reading a Mac for the checks: services, preferences, ports, homes; each answer is asked for once in a run."""

import functools
import re
from collections.abc import Mapping

from hostkit.errors import CannotTell
from hostkit.host import Host, apple
from hostkit.host.apple import DEFAULTS, LAUNCHCTL, MOST, brief, job, known, pairs, printed, records
from hostkit.posture import model
from hostkit.posture.readings import once

__all__ = ["brief", "job", "known", "pairs", "printed", "records"]
check = functools.partial(model.check, platforms=("darwin",), unhardened="ok fail skip unknown")
"""Declare a check of a Mac."""


def heard(host: Host, *command: str, form: str) -> str:
    """Return the one word that a tool said in this form, on whichever stream and with whatever exit code."""
    return known(command[0].rpartition("/")[2], host.ask(*command).both, form).group(1)


def need_root(host: Host, what: str) -> None:
    """Raise CannotTell unless this is root: some tools show an unprivileged caller less, and do not say so."""
    if not host.is_root:
        raise CannotTell(f"{what} cannot be seen without root", "sudo hostkit check")


def setting(host: Host, domain: str, key: str, person: str = "", *, by_host: bool = False) -> str | None:
    """Return a preference as `defaults` prints it, None if it is seen not to be set; a person's own if one is named."""
    prefix = ("/usr/bin/sudo", "-n", "-u", person) if person else ()
    words = (DEFAULTS, "-currentHost", "read") if by_host else (DEFAULTS, "read")
    said = host.ask(*prefix, *words, domain, key)
    if said.code == 0 and said.out.strip() and len(said.out) <= MOST:
        return said.out.strip("\n")
    absent = rf"^The domain/default pair of \(.*, {re.escape(key)}\) does not exist$"
    if said.code == 1 and not said.out and re.search(absent, said.err[:MOST], re.MULTILINE):
        _refuse_what_is_hidden(host, domain)
        return None
    raise CannotTell(f"defaults said nothing that is known of {domain} {key}: {brief(said.both)}")


def _refuse_what_is_hidden(host: Host, domain: str) -> None:
    """Raise CannotTell for a file that this user may not read; `defaults` says of it that nothing is set."""
    facts = host.stat(f"{domain.removesuffix('.plist')}.plist") if domain.startswith("/") else None
    if facts and not facts.mode & 0o004:
        need_root(host, domain)


def switch(host: Host, domain: str, key: str, person: str = "", *, by_host: bool = False) -> bool | None:
    """Return a preference that is 1 or 0; None if it is not set."""
    told = setting(host, domain, key, person, by_host=by_host)
    if told in {None, "0", "1"}:
        return None if told is None else told == "1"
    raise CannotTell(f"{domain} {key} is neither 0 nor 1: {brief(told or '')}")


persons = once(apple.persons)


@once
def homes(host: Host) -> Mapping[str, str]:
    """Return every home directory with an account that has it."""
    told = records(host, "NFSHomeDirectory").items()
    found = {path.rstrip("/"): name for name, path in sorted(told) if path.startswith("/")}
    if not any(path.startswith("/Users/") for path in found):
        raise CannotTell("dscl lists no home below /Users")
    return {path: name for path, name in found.items() if path not in {"", "/var/empty", "/dev/null"}}


@once
def overrides(host: Host) -> Mapping[str, bool]:
    """Return for each service that launchd was told about whether it may start: true is enabled."""
    said = printed(host, LAUNCHCTL, "print-disabled", "system")
    table = re.search(r"^\s*disabled services = \{\n(.*?)^\s*\}$", said, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for line in table.group(1).splitlines()] if table else []
    found = [match.groups() for line in lines if (match := re.fullmatch(r'"([^"]+)" => (enabled|disabled)', line))]
    if not found or len(found) != len(lines):
        raise CannotTell(f"launchctl said nothing that is known: {brief(said)}")
    return {label: word == "enabled" for label, word in found}


@once
def open_ports(host: Host) -> Mapping[int, str]:
    """Return each TCP port that listens beyond loopback, with an address; netstat shows all accounts' to everybody."""
    lines = printed(host, "/usr/sbin/netstat", "-anv", "-p", "tcp").splitlines()
    if not any(line.split()[:6] == ["Proto", "Recv-Q", "Send-Q", "Local", "Address", "Foreign"] for line in lines):
        raise CannotTell(f"netstat said nothing that is known: {brief(' '.join(lines[:3]))}")
    rows = [_SOCKET.match(line) for line in lines[2:]]
    if not all(rows) or len(rows) < 1:
        odd = next((line for line, row in zip(lines[2:], rows, strict=True) if row is None), "none")
        raise CannotTell(f"netstat lists a socket in a form that is not known: {brief(odd)}")
    local = [row.group("port", "address") for row in rows if row and row["state"] == "LISTEN"]
    return {int(port): address for port, address in local if not _loopback(address)}


_SOCKET = re.compile(
    r"tcp(?:4|6|46)\s+\d+\s+\d+\s+(?P<address>\S+)\.(?P<port>\d+|\*)\s+\S+\.(?:\d+|\*)\s+"
    r"(?P<state>CLOSED|LISTEN|SYN_SENT|SYN_RCVD|ESTABLISHED|CLOSE_WAIT|FIN_WAIT_[12]|CLOSING|LAST_ACK|TIME_WAIT)\s"
)
"""A row of `netstat -anv -p tcp`; the states are tcpstates of network_cmds, all the same from macOS 13 to 26."""


def _loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1" or address.endswith("%lo0")


def service_faults(host: Host, label: str, *ports: int) -> list[str]:
    """Return what says that a service of the system is on: what launchd was told, what it holds, who listens.

    "Not running" is no sign of off: launchd starts these when somebody knocks.
    """
    faults = [f"{label} is enabled"] if overrides(host).get(label) else []
    faults += [f"{label} is loaded"] if job(host, label) else []
    return faults + [f"{open_ports(host)[port]}:{port} listens" for port in ports if port in open_ports(host)]
