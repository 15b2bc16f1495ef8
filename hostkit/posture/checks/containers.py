"""Every container on this host, ours and strangers', by the engine's own account of it."""

import time
from typing import Any

from hostkit import engine, health
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every
from hostkit.posture.readings import containers, named

_HARMLESS = {"CAP_NET_BIND_SERVICE", "NET_BIND_SERVICE"}


def _faults(document: dict[str, Any]) -> list[str]:
    config = document.get("HostConfig", {})
    modes = [
        word
        for key, word in (("NetworkMode", "network"), ("PidMode", "pid"), ("IpcMode", "ipc"))
        if config.get(key) == "host"
    ]
    found = ["privileged"] if config.get("Privileged") else []
    found += [f"the host's {word}" for word in modes]
    found += [f"capability {name}" for name in config.get("CapAdd") or () if name not in _HARMLESS]
    binds = [mount.get("Source") for mount in document.get("Mounts") or () if mount.get("Type") == "bind"]
    return found + [f"{source} of the host" for source in binds]


@check(
    "containers-confined",
    severity="high",
    unhardened="ok fail",
    why="One container with a hand on the host is a way out of all the others.",
    fix="Stop the container, or run it without the listed grants.",
    platforms=("linux", "darwin"),
)
def no_container_has_a_hand_on_the_host(host: Host, policy: Policy) -> Verdict:
    """No running container is privileged, shares the host's namespaces or files, or adds capabilities."""
    running = [document for document in containers() if document.get("State", {}).get("Running")]
    return every(
        [f"{named(d)}: {', '.join(faults)}" for d in running if (faults := _faults(d))], f"{len(running)} running"
    )


@check(
    "containers-ports",
    severity="high",
    unhardened="ok fail",
    why="A published port walks past most host firewalls: the engine writes its own rules.",
    fix="Publish on 127.0.0.1, or not at all.",
    platforms=("linux", "darwin"),
)
def no_container_publishes_a_port(host: Host, policy: Policy) -> Verdict:
    """No container publishes a port beyond loopback."""
    faults = []
    for document in containers():
        published = document.get("NetworkSettings", {}).get("Ports") or {}
        open_to = [(port, bind.get("HostIp", "")) for port, binds in published.items() for bind in binds or ()]
        faults += [
            f"{named(document)}: {port} on {ip or '*'}" for port, ip in open_to if not ip.startswith(("127.", "::1"))
        ]
    return every(faults, "nothing published")


_UNIT = "/etc/systemd/system/hostkit-client@.service"
_WANTS = "/etc/systemd/system/multi-user.target.wants"


@check(
    "containers-return",
    severity="medium",
    unhardened="fail",
    why="An agent that the engine restarts is back behind unproved walls; one that nobody restarts stays away.",
    fix="hostkit bootstrap (play 80-clients), then systemctl enable hostkit-client@CLIENT.",
)
def sandboxes_come_back_through_their_launch(host: Host, policy: Policy) -> Verdict:
    """Every client that runs is launched again at boot, and no agent is restarted by the engine."""
    faults = [] if host.stat(_UNIT) else ["hostkit-client@.service is not there"]
    agents = [d for d in containers() if engine.owner(d) and _labels(d).get("hostkit.part") == "agent"]
    for document in agents:
        name, policy_of = engine.owner(document), document.get("HostConfig", {}).get("RestartPolicy", {})
        faults += [] if policy_of.get("Name") in {None, "", "no"} else [f"{name}: the engine restarts its agent"]
        enabled = host.stat(f"{_WANTS}/hostkit-client@{name}.service")
        faults += [] if enabled else [f"hostkit-client@{name} is not enabled"]
    return every(faults, f"{len(agents)} clients, each enabled")


def _labels(document: dict[str, Any]) -> dict[str, str]:
    return document.get("Config", {}).get("Labels") or {}


@check(
    "containers-gateways",
    severity="high",
    unhardened="ok",
    why="A client whose gateway is closed or gone has no way out, and no record of what it tried.",
    fix="hostkit ps names the reason; then hostkit launch the client again.",
    platforms=("linux", "darwin"),
)
def every_gateway_is_alive(host: Host, policy: Policy) -> Verdict:
    """Every sandbox's gateway runs, holds usable rules, said so in the last four seconds, and stands as proved."""
    kept = _remembered(host)
    parts = [d for d in containers() if _labels(d).get("hostkit.part") in {"agent", "gateway"}]
    there = {engine.owner(document) for document in parts} - {""}
    clients = sorted(there | {name for name, entry in kept.items() if entry.get("running")})
    faults = [f"{name}: {fault}" for name in clients if (fault := _fault(name, kept.get(name, {})))]
    return every(faults, f"{len(clients)} gateways alive")


def _remembered(host: Host) -> dict[str, dict[str, Any]]:
    """Return what hostkit remembers of its clients; raise CannotTell if it does and this user may not read it."""
    path = str(health.state_directory() / "state.json")
    return health.remembered(host.read(path)) if host.stat(path) else {}


def _fault(client: str, entry: dict[str, Any]) -> str:
    fault = health.gateway_fault(engine.gateway_status(client), time.time(), entry.get("proved"))
    if fault and not fault.certain:
        raise CannotTell(f"{client}: {fault.why}")
    return fault.why if fault else ""
