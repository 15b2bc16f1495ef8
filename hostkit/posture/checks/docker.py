"""Who may command the engine, what it gives containers, and whether it is one that is looked after."""

import itertools
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from hostkit import engine
from hostkit.bootstrap.engine import FILE, WANTED
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.boxes import boxes, shown, told
from hostkit.posture.grants import root
from hostkit.posture.model import Command, Verdict, check, every, fail, ok, skip
from hostkit.posture.readings import all_processes, groups, in_container, survey

_SOCKETS = ("/var/run/docker.sock", "/run/containerd/containerd.sock")


def _closed(host: Host, policy: Policy) -> tuple[tuple[str, ...], ...]:
    return (("chmod", "o-rwx", "--", *(path for path in _SOCKETS if host.stat(path))),)


@check(
    "docker-socket",
    severity="high",
    unhardened="ok fail",
    why="Who may write to the engine's socket is root on this machine.",
    fix="chmod 0660 the socket and let root own it.",
    mend=_closed,
)
def engine_socket_is_roots(host: Host, policy: Policy) -> Verdict:
    """The engine's socket belongs to root and is closed to everyone else."""
    there = {path: facts for path in _SOCKETS if (facts := host.stat(path)) is not None}
    if not there:
        return ok("no engine socket")
    faults = [
        f"{path}: owner {facts.uid}, mode {facts.mode:04o}"
        for path, facts in there.items()
        if facts.uid or facts.mode & 0o007
    ]
    return every(faults, ", ".join(f"{path} {facts.mode:04o}" for path, facts in there.items()))


@check(
    "docker-group",
    severity="high",
    unhardened="ok fail",
    why="Membership of the docker group is root without a password.",
    fix="gpasswd -d USER docker for each of them.",
)
def docker_group_is_empty(host: Host, policy: Policy) -> Verdict:
    """Nobody is in the docker group."""
    return every(groups(host).get("docker", ()), "the group has no member")


_BOUNDED = {"local", "journald"}
"""Drivers of logs that keep within bounds of their own."""


@check(
    "docker-options",
    severity="medium",
    unhardened="fail skip unknown",
    why="What the engine gives by default, every container has that nobody thought about.",
    fix="hostkit bootstrap (play 60-engine); it keeps what /etc/docker/daemon.json says besides.",
    play="60-engine",
)
def engine_gives_containers_little(host: Host, policy: Policy) -> Verdict:
    """The engine lets containers gain nothing, talk to no neighbour and fill no disk, and outlives its own restart."""
    if not engine.exists():
        return skip("no engine in this container") if in_container(host) else fail("no engine runs")
    written, live = _written(host), engine.settings()
    faults = [f"{key} is {json.dumps(written.get(key))}" for key, want in WANTED.items() if written.get(key) != want]
    stale = [key for key in _LIVE if live[key] != WANTED[key]]
    faults += [f"the running engine has {key} {json.dumps(live[key])}{_LIVE[key]}" for key in stale]
    driver, bounds = live["log-driver"], written.get("log-opts") or {}
    if driver not in _BOUNDED and not {"max-size", "max-file"} <= set(bounds):
        faults.append(f"logs ({driver}) have no bounds")
    return every(faults, ", ".join(f"{key} {json.dumps(value)}" for key, value in WANTED.items()))


# With live-restore an engine leaves the default bridge as it is while a container runs.
_LIVE = {"live-restore": "", "icc": " until it starts while no container runs: stop them, systemctl restart docker"}


def _written(host: Host) -> dict[str, Any]:
    if host.stat(FILE) is None:
        return {}
    try:
        plain = json.loads(host.read(FILE))
    except ValueError as why:
        raise CannotTell(f"{FILE} is not JSON: {why}") from None
    return plain if isinstance(plain, dict) else {}


@check(
    "docker-userns",
    severity="medium",
    unhardened="ok fail unknown",
    why="Where root in a container is the host's root, one hole in the kernel's walls is the machine.",
    fix="Run strangers' containers with --user, or the engine rootless or with userns-remap.",
    references=("CIS Docker 2.9",),
)
def root_in_a_container_is_not_the_hosts(host: Host, policy: Policy) -> Verdict:
    """Root in a container is not the host's root: the engine maps user ids, or no container runs as root."""
    held = [option for option in _security() if option.startswith(("name=userns", "name=rootless"))]
    if held:
        return ok(f"the engine says {held[0]}")
    seen = boxes(host)
    return every(told(seen, lambda box: root(box, mapped=False)), f"no map, and none of {len(seen)} runs as root")


def _security() -> tuple[str, ...]:
    return tuple(map(str, survey()["info"].get("SecurityOptions") or ()))


_ENGINES = {
    29: None,
    28: None,
    25: None,
    27: date(2025, 5, 3),
    26: date(2025, 2, 17),
    24: date(2024, 6, 8),
    23: date(2025, 5, 19),
    20: date(2023, 12, 10),
    19: date(2021, 1, 8),
    18: date(2019, 8, 22),
}
"""When each line of the engine ended, None while its end was not announced: endoflife.date's page on docker-engine and
moby's BRANCHES-AND-TAGS.md as read in November 2026. 28 and 25 are there only as long as nobody ends them."""
_RUNC = {(1, 2): 8, (1, 3): 3}
"""The first release of each line of runc without CVE-2025-31133, -52565 and -52881: ways out of a container. 1.4.0 and
later never had them in a release, lines before 1.2 never got a fix (runc's advisories, November 2025)."""
_KEPT = "the distribution's own package, kept by its security updates"


@check(
    "docker-version",
    severity="high",
    unhardened="ok fail unknown",
    why="An engine that nobody looks after keeps every hole that is found in it.",
    fix="Install the current docker-ce, or the distribution's docker.io, and let security updates reach it.",
    references=("NIST SP 800-53 SA-22", "NIST SP 800-53 SI-2"),
)
def the_engine_is_looked_after(host: Host, policy: Policy) -> Verdict:
    """The engine is of a line that still gets fixes, or the distribution's own package, kept by its updates."""
    if not engine.exists():
        return ok("no engine")
    version = shown(str(survey()["version"].get("Version") or ""), 40)
    if _packaged(host, version, "docker.io", "dockerd"):
        return ok(f"{version}, {_KEPT}")
    major = re.match(r"(\d{1,3})\.", version)
    if not major or int(major[1]) not in _ENGINES:
        raise CannotTell(
            f"whether engine {version or 'without a version'} is looked after is not known", "docker version"
        )
    ended = _ENGINES[int(major[1])]
    gone = ended is not None and ended <= datetime.now(UTC).date()
    return fail(f"{version}: its line ended on {ended}") if gone else ok(f"{version}, a line that gets fixes")


def _packaged(host: Host, version: str, package: str, program: str) -> bool:
    """Return whether a program is the distribution's: by the mark in its version, or by its package's list of files.

    A package that was removed leaves a list behind, of its settings alone.
    """
    path = f"/var/lib/dpkg/info/{package}.list"
    listed = host.read(path).splitlines() if host.stat(path) else []
    return "+ds" in version or "+dfsg" in version or any(line.endswith(f"/{program}") for line in listed)


@check(
    "docker-runc",
    severity="high",
    unhardened="ok fail unknown",
    why="runc is what shuts a container in; its published holes are ways out for whoever starts one.",
    fix="Update containerd.io (docker-ce) or runc (the distribution's); then start every container anew.",
    references=("NIST SP 800-53 SI-2",),
)
def runc_has_no_known_way_out(host: Host, policy: Policy) -> Verdict:
    """The engine's runc is a release without the published ways out, or the distribution's, kept by its updates."""
    if not engine.exists():
        return ok("no engine")
    parts = [part for part in survey()["version"].get("Components") or () if isinstance(part, dict)]
    version = next((str(part.get("Version")) for part in parts if part.get("Name") == "runc"), "")
    if version and _packaged(host, version, "runc", "runc"):
        return ok(f"{shown(version, 40)}, {_KEPT}")
    numbers = re.match(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", version)
    if not numbers:
        raise CannotTell(f"the engine does not tell its runc's release: {shown(version, 40)!r}", "runc --version")
    major, minor, patch = map(int, numbers.groups())
    fine = (major, minor) >= (1, 4) or patch >= _RUNC.get((major, minor), patch + 1)
    return ok(shown(version, 40)) if fine else fail(f"{shown(version, 40)} has CVE-2025-31133, -52565 and -52881")


_FILES = (
    *(
        "/etc/docker",
        "/etc/docker/daemon.json",
        "/etc/default/docker",
        "/etc/containerd",
        "/etc/containerd/config.toml",
    ),
    *("/usr/bin/dockerd", "/usr/bin/containerd", "/usr/bin/runc", "/usr/sbin/runc", "/usr/sbin/dockerd"),
)
_FILE_PATTERNS = (
    *(f"{folder}/systemd/system/{unit}" for folder in ("/etc", "/usr/lib", "/run")
      for unit in ("docker.service*", "docker.socket*", "containerd.service*", "docker.service.d/*.conf")),
    *("/etc/docker/*.json", "/etc/docker/certs.d/*", "/etc/docker/*.pem"),
)  # fmt: skip
_DATA = "/var/lib/docker"


def _opened(host: Host) -> list[tuple[str, str, str]]:
    """Return (path, what is wrong, the mode that closes it) of what others than root could change or look into."""
    patterns = [path for pattern in _FILE_PATTERNS for path in host.glob(pattern)[:200]]
    found = []
    for path in dict.fromkeys((*_FILES, *patterns)):
        facts = host.stat(path)
        if facts and facts.kind != "link" and (facts.uid or facts.mode & 0o022):
            found.append((path, f"{shown(path)}: owner {facts.uid}, mode {facts.mode:04o}", "go-w"))
    for path in dict.fromkeys((_DATA, "/var/lib/containerd", str(survey()["info"].get("DockerRootDir") or _DATA))):
        facts = host.stat(path)
        if facts and (facts.uid or facts.mode & 0o026):
            found.append((path, f"{shown(path)}: owner {facts.uid}, mode {facts.mode:04o}", "g-w,o-rw"))
    return found


def _closing(host: Host, policy: Policy) -> tuple[Command, ...]:
    paths = [(path, mode) for path, _, mode in _opened(host)]
    return tuple(itertools.chain.from_iterable((("chown", "root", p), ("chmod", mode, p)) for p, mode in paths))


@check(
    "docker-files",
    severity="high",
    unhardened="ok fail unknown",
    why="Who writes the engine's settings, unit or program is root at its next start.",
    fix="chown root the named files, and chmod go-w them; chmod o-rw the engine's data.",
    mend=_closing,
    references=("NIST SP 800-53 CM-5",),
)
def the_engines_files_are_roots(host: Host, policy: Policy) -> Verdict:
    """Only root can change the engine's settings, units and programs, and nobody else looks into its data."""
    return every([wrong for _, wrong, _ in _opened(host)], "root's alone")


@check(
    "docker-registries",
    severity="high",
    unhardened="ok unknown",
    why="An image that comes without TLS is whatever somebody on the way made of it.",
    fix="Take insecure-registries and http:// mirrors out of /etc/docker/daemon.json, and restart the engine.",
    references=("NIST SP 800-53 SC-8",),
)
def every_registry_is_asked_over_tls(host: Host, policy: Policy) -> Verdict:
    """The engine asks every registry and mirror over TLS, but for those on loopback."""
    if not engine.exists():
        return ok("no engine")
    config, written = survey()["info"].get("RegistryConfig"), _written(host)
    if not isinstance(config, dict):
        raise CannotTell("the engine does not tell its registries", "docker info")
    named = [
        name for name, entry in (config.get("IndexConfigs") or {}).items() if not (entry or {}).get("Secure", True)
    ]
    networks = [*(config.get("InsecureRegistryCIDRs") or ()), *(written.get("insecure-registries") or ())]
    mirrors = [*(config.get("Mirrors") or ()), *(written.get("registry-mirrors") or ())]
    faults = [*named, *(n for n in networks if not _loopback(n)), *(m for m in mirrors if str(m).startswith("http:"))]
    return every((shown(str(fault)) for fault in dict.fromkeys(faults)), "TLS for all beyond loopback")


def _loopback(network: Any) -> bool:
    return str(network).startswith(("127.", "::1", "localhost", "[::1]"))


@check(
    "docker-iptables",
    severity="medium",
    unhardened="ok fail unknown",
    why="Without the engine's own rules an internal network leads out, and neighbours reach each other.",
    fix='Take "iptables": false and "ip6tables": false out of daemon.json and the unit, and restart the engine.',
    references=("CIS Docker 2.4",),
)
def the_engine_keeps_its_networks_apart(host: Host, policy: Policy) -> Verdict:
    """The engine writes the rules that keep its networks apart: neither its settings nor its command line forbid it."""
    if not engine.exists():
        return ok("no engine")
    written = _written(host)
    faults = [f"{FILE}: {key} is false" for key in ("iptables", "ip6tables") if written.get(key) is False]
    daemons = [entry for entry in all_processes(host) if entry.name == "dockerd"]
    if not daemons and not faults:
        raise CannotTell("the engine answers, and no dockerd is to be seen here", "see its host's own dockerd")
    words = [word for entry in daemons for word in entry.words[:200]]
    return every([*faults, *(shown(w) for w in words if _OFF.fullmatch(w))], "the engine writes its rules")


_OFF = re.compile(r"--?ip6?tables=(false|0|f|False|FALSE|F)")
_SOCKETS_OF_OTHERS = (
    *("/run/podman/podman.sock", "/run/user/*/podman/podman.sock", "/run/user/*/docker.sock", "/run/crio/crio.sock"),
    *("/run/k3s/containerd/containerd.sock", "/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket"),
    *("/run/incus/unix.socket", "/var/lib/incus/unix.socket", "/var/run/docker-*.sock"),
)
_TASKS = "/run/containerd/io.containerd.runtime.v2.task/*/*"
_PROGRAMS = {"conmon", "crio", "incusd", "k3s-server", "kubelet", "lxd", "podman", "systemd-nspawn"}


@check(
    "docker-others",
    severity="high",
    unhardened="ok fail unknown",
    why="What another engine runs, no check of containers here has looked at.",
    fix="Remove the other engine, or stop its socket and its containers: hostkit looks at one engine.",
    references=("NIST SP 800-53 CM-7",),
)
def there_is_no_other_engine(host: Host, policy: Policy) -> Verdict:
    """No other engine is here whose containers nobody checks: no socket, no task of containerd's, no program of one."""
    own = engine.socket_path()
    sockets = [path for pattern in _SOCKETS_OF_OTHERS for path in host.glob(pattern)[:50] if path != own]
    tasks = [path.split("/")[-2:] for path in host.glob(_TASKS)[:1000]]
    names = sorted({space for space, _ in tasks if space != "moby"})
    faults = [*map(shown, sockets), *(f"containers in containerd's {shown(name)}" for name in names)]
    return every([*faults, *_engines_at_work(host)], "no other engine")


def _engines_at_work(host: Host) -> Iterable[str]:
    seen = all_processes(host)
    daemons = [entry for entry in seen if entry.name == "dockerd"]
    yield from (f"another dockerd (pid {entry.pid})" for entry in daemons[1:])
    yield from dict.fromkeys(f"{entry.name} runs" for entry in seen if entry.name in _PROGRAMS)
