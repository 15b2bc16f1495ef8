"""Who may command the engine."""

import json
from typing import Any

from hostkit import engine
from hostkit.bootstrap.engine import FILE, WANTED
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, ok, skip
from hostkit.posture.readings import groups, in_container

_SOCKETS = ("/var/run/docker.sock", "/run/containerd/containerd.sock")


@check(
    "docker-socket",
    severity="high",
    unhardened="ok fail",
    why="Who may write to the engine's socket is root on this machine.",
    fix="chmod 0660 the socket and let root own it.",
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
