"""Who may command the engine."""

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, ok
from hostkit.posture.readings import groups

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
