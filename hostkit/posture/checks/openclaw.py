"""OpenClaw, where it is installed beside hostkit: its own audit, its version, its socket and its files."""

import ipaddress
import re
from typing import Any

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.boxes import shown
from hostkit.posture.model import Command, Verdict, check, every, ok
from hostkit.posture.openclaw import NAMES, audit, installs, states
from hostkit.posture.readings import listeners

_GRAVE = {"critical", "high"}
_STATES = 5


@check(
    "openclaw-audit",
    severity="high",
    unhardened="ok fail unknown",
    why="OpenClaw knows its own dangerous settings best; a finding it was told to be silent about is still one.",
    fix="openclaw security audit --deep, as the account it runs under, says what to set; some of it with --fix.",
    kind="scan",
)
def its_own_audit_finds_nothing_grave(host: Host, policy: Policy) -> Verdict:
    """OpenClaw's own security audit finds nothing critical or high, what it was told to suppress included."""
    found = states(host)
    if not found:
        return ok("no home holds a state of OpenClaw's")
    if len(found) > _STATES:
        raise CannotTell(f"{len(found)} homes hold a state: too many to audit", "openclaw security audit --json")
    faults = [f"{shown(home)}: {fault}" for home, _ in found for fault in _grave(audit(host, home))]
    return every(faults, f"{len(found)} audited")


def _grave(said: dict[str, Any]) -> list[str]:
    active, silent = _named(said.get("findings")), _named(said.get("suppressedFindings"))
    return active + [f"{name} (suppressed there)" for name in silent]


def _named(findings: Any) -> list[str]:
    entries = [entry for entry in findings if isinstance(entry, dict)] if isinstance(findings, list) else []
    grave = [entry for entry in entries if entry.get("severity") in _GRAVE]
    return list(dict.fromkeys(shown(str(entry.get("checkId", "?"))) for entry in grave))


_FLOOR = (2026, 5, 12)
"""The release that closes CVE-2026-53853 (high), the last high one known when this was written (November 2026); the
critical ones before it are CVE-2026-44109 (closed in 2026.4.15) and GHSA-4jpw-hj22-2xmc (in 2026.3.11)."""


@check(
    "openclaw-version",
    severity="high",
    unhardened="ok fail unknown",
    why="Older releases let a stranger's message or web page run commands with the account's powers.",
    fix="npm install -g openclaw@latest, as whoever installed it; remove packages under its former names.",
    platforms=("linux", "darwin"),
    references=("NIST SP 800-53 SI-2",),
)
def its_release_has_no_known_hole(host: Host, policy: Policy) -> Verdict:
    """Every installed OpenClaw is a release in which the critical and high holes known to hostkit are closed."""
    found = installs(host)
    unread = [entry.folder for entry in found if not re.match(r"\d+\.\d+\.\d+", entry.version)]
    old = [entry for entry in found if entry.folder not in unread and _numbers(entry.version) < _FLOOR]
    former = [entry for entry in found if entry.name != NAMES[0]]
    faults = [f"{shown(e.folder)} is {e.name} {e.version}" for e in dict.fromkeys([*old, *former])]
    if unread and not faults:
        raise CannotTell(f"{shown(unread[0])} does not tell its version", "openclaw --version")
    told = ", ".join(f"{entry.version}" for entry in found)
    return every(faults, f"{told} (hostkit knows holes up to {'.'.join(map(str, _FLOOR))})" if found else "none found")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(word) for word in re.findall(r"\d{1,9}", version)[:3])


_PORTS = {18789, 18790, 18791, 18792}
"""Its gateway's, its bridge's, and its browser's, where nobody set another; a process of its name counts on any."""


@check(
    "openclaw-bind",
    severity="critical",
    unhardened="ok fail unknown",
    why="Who reaches OpenClaw's gateway talks to an agent with somebody's whole account.",
    fix="openclaw config set gateway.bind loopback, then restart it; reach it through SSH.",
    platforms=("linux", "darwin"),
    references=("NIST SP 800-53 SC-7",),
)
def its_gateway_listens_on_loopback(host: Host, policy: Policy) -> Verdict:
    """OpenClaw's gateway listens on loopback and nowhere else."""
    sockets = [entry for entry in listeners(host) if entry.protocol == "tcp"]
    outside = [e for e in sockets if not ipaddress.ip_address(e.address.partition("%")[0]).is_loopback]
    faults = [e for e in outside if e.port in _PORTS or e.process.startswith(NAMES)]
    if not faults and not host.is_root and any(not entry.process for entry in outside):
        raise CannotTell("whose sockets these are cannot be seen without root", "sudo hostkit check")
    inside = [e for e in sockets if e not in outside and (e.port in _PORTS or e.process.startswith(NAMES))]
    good = f"{len(inside)} sockets, on loopback" if inside else "no gateway listens"
    return every([f"{e.address}:{e.port}" + (f" ({shown(e.process)})" if e.process else "") for e in faults], good)


_PRIVATE = ("openclaw.json*", "clawdbot.json*", "moltbot.json*", ".env", "credentials", "credentials/*",
            "agents/*/agent/auth-profiles.json")  # fmt: skip


def _closing(host: Host, policy: Policy) -> tuple[Command, ...]:
    """Close each open file as its own account: root would follow a link that the account lays in its place."""
    commands: list[Command] = []
    for home, path in _own(host):
        facts, owner = host.stat(path), host.stat(home)
        if facts and owner and facts.kind != "link" and facts.uid == owner.uid and facts.mode & 0o077:
            who = (f"--reuid={owner.uid}", f"--regid={owner.gid}", "--clear-groups")
            commands.append(("setpriv", *who, "chmod", "go-rwx", "--", path))
    return tuple(commands)


def _own(host: Host) -> list[tuple[str, str]]:
    found = [(home, state) for home, state in states(host)]
    return found + [(h, path) for h, state in found for form in _PRIVATE for path in host.glob(f"{state}/{form}")[:200]]


@check(
    "openclaw-files",
    severity="high",
    unhardened="ok fail unknown",
    why="Its folder holds the tokens of every channel and model, and every word that was said.",
    fix="chmod -R go-rwx the folder, as the account that it belongs to.",
    mend=_closing,
    references=("NIST SP 800-53 AC-3", "NIST SP 800-53 IA-5"),
)
def its_files_are_its_own(host: Host, policy: Policy) -> Verdict:
    """OpenClaw's state, settings and credentials belong to the account of their home and are closed to all others."""
    faults = []
    for home, path in _own(host):
        facts, owner = host.stat(path), host.stat(home)
        if facts is None or owner is None:
            continue
        faults += [f"{shown(path)} is a link"] if facts.kind == "link" else []
        faults += [f"{shown(path)}: owner {facts.uid}"] if facts.uid != owner.uid else []
        faults += [f"{shown(path)}: mode {facts.mode:04o}"] if facts.mode & 0o077 and facts.kind != "link" else []
    return every(faults, f"{len(states(host))} states, each its account's own")
