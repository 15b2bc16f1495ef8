"""The containers of a client and what their volumes hold before anything starts."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime

from hostkit import __version__
from hostkit.errors import HostkitError
from hostkit.launch.model import ContainerPlan, EngineFacts, LaunchPlan, MountPlan, Slot
from hostkit.launch.vault import VAULT_WRITER
from hostkit.policy.model import Client
from hostkit.policy.units import parse_size
from hostkit.secrets.way import FOLDER, environment, proxies

_MIB = 1024 * 1024
_READ_ORDER = "import sys,json\norder=json.loads(sys.stdin.readline())\nexec(order['source'])"
_SYSCTLS = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"}


def image_id(engine: EngineFacts, image: str) -> str:
    """Return the exact id or digest behind an image's name; raise HostkitError if the engine has none."""
    found = engine.images.get(image)
    if found is None:
        raise HostkitError(f"image {image} is not on this engine", "build it (make demo) or pull it first")
    return found


def agent_image(client: Client) -> str:
    """Return the name of the image that a client's agent runs."""
    return client.agent.image or f"hostkit/agent:{__version__}"


def gateway_image() -> str:
    """Return the name of the gateway's image."""
    return f"hostkit/gateway:{__version__}"


def probe_image() -> str:
    """Return the name of the image that proves the walls: hostkit's own, whatever the agent runs."""
    return f"hostkit/agent:{__version__}"


def _labels(name: str, part: str) -> dict[str, str]:
    return {"hostkit.client": name, "hostkit.part": part}


def agent(name: str, client: Client, slot: Slot, addresses: list[str], engine: EngineFacts) -> ContainerPlan:
    """Return the container that the agent runs in: nothing of the host, no capability, its gateway its only way."""
    limits, uid = client.limits, slot.uid
    return ContainerPlan(
        name=f"hostkit-{name}-agent",
        image=image_id(engine, agent_image(client)),
        command=client.agent.command or ("sleep", "infinity"),
        user=f"{uid}:{uid}",
        network=f"hostkit-{name}-in",
        address=addresses[3],
        memory=parse_size(limits.memory),
        cpus=limits.cpus,
        pids=limits.pids,
        nofile=limits.nofile,
        apparmor=engine.confinement.profile,
        dns=(addresses[2],),
        tmpfs=_agent_tmpfs(parse_size(limits.tmp), uid),
        mounts=_agent_mounts(name, client),
        sysctls=dict(_SYSCTLS),
        environment=_agent_environment(addresses[2], client),
        labels=_labels(name, "agent"),
    )


def _agent_tmpfs(size: int, uid: int) -> dict[str, str]:
    runtime = f"rw,nosuid,nodev,noexec,size={16 * _MIB},mode=0700,uid={uid},gid={uid}"
    return {"/tmp": f"rw,nosuid,nodev,size={size},mode=1777", "/run/agent": runtime}  # noqa: S108 - the agent's own


def _agent_mounts(name: str, client: Client) -> tuple[MountPlan, ...]:
    opened = (MountPlan(f"hostkit-{name}-trust", FOLDER, read_only=True),) if client.services else ()
    return (
        MountPlan(f"hostkit-{name}-workspace", "/workspace"),
        MountPlan(f"hostkit-{name}-state", "/home/agent"),
        MountPlan(f"hostkit-{name}-secrets", "/run/secrets", read_only=True),
        *opened,
    )


def _agent_environment(gateway: str, client: Client) -> dict[str, str]:
    """Return the variables by which most clients find the proxy, and trust it where it opens anything for them."""
    return {
        **(environment(gateway, 3128) if client.services else proxies(gateway, 3128)),
        "PIP_BREAK_SYSTEM_PACKAGES": "1",  # Debian's pip refuses `--user`; the system is read-only, so nothing breaks
        "HOME": "/home/agent",
        "XDG_RUNTIME_DIR": "/run/agent",
    }


def gateway(name: str, client: Client, slot: Slot, addresses: list[str], engine: EngineFacts) -> ContainerPlan:
    """Return the container of the gateway: a uid of its own, the only one with a second leg."""
    uid = slot.uid + 1
    vault = (MountPlan(f"hostkit-{name}-vault", "/vault", read_only=True),) if client.services else ()
    return ContainerPlan(
        name=f"hostkit-{name}-gateway",
        image=image_id(engine, gateway_image()),
        command=("python3", "-m", "hostkit.gateway"),
        user=f"{uid}:{uid}",
        network=f"hostkit-{name}-out",
        address=addresses[2],
        memory=256 * _MIB,
        cpus=1.0,
        pids=64,
        nofile=4096,
        tmpfs={"/tmp": f"rw,nosuid,nodev,noexec,size={16 * _MIB},mode=1777"},  # noqa: S108 - the gateway's own
        mounts=(MountPlan(f"hostkit-{name}-rules", "/rules"), MountPlan(f"hostkit-{name}-records", "/records"), *vault),
        sysctls={**_SYSCTLS, "net.ipv4.ip_forward": "0", "net.ipv4.ip_unprivileged_port_start": "0"},
        environment={"PYTHONPATH": "/opt/hostkit", "PYTHONDONTWRITEBYTECODE": "1"},
        labels=_labels(name, "gateway"),
        restart="on-failure",
    )


def probe(name: str, agent: ContainerPlan, address: str, engine: EngineFacts) -> ContainerPlan:
    """Return the throw-away twin that proves the walls: the agent's posture, none of its volumes but the secrets.

    It writes the secrets before the agent starts, so it alone sees that volume writable.
    """
    return dataclasses.replace(
        agent,
        name=f"hostkit-{name}-probe",
        image=image_id(engine, probe_image()),
        command=("python3", "-I", "-u", "-c", _READ_ORDER),
        address=address,
        mounts=(MountPlan(f"hostkit-{name}-secrets", "/run/secrets"),),
        environment={},
        labels=_labels(name, "probe"),
    )


def filler(plan: LaunchPlan) -> ContainerPlan:
    """Return a container that is never started: volumes are owned and filled through it, none of the host's files."""
    in_memory = {"/run/secrets", "/vault"}
    mounts = [mount for part in (plan.agent, plan.gateway) for mount in part.mounts if mount.target not in in_memory]
    return dataclasses.replace(
        plan.gateway,
        name=f"hostkit-{plan.client}-filler",
        command=("true",),
        network="none",
        read_only=False,
        mounts=tuple(MountPlan(mount.volume, f"/mnt/{_last(mount)}") for mount in mounts),
        labels=_labels(plan.client, "filler"),
        sysctls={},
        restart="no",
    )


def writer(plan: LaunchPlan) -> ContainerPlan:
    """Return the one-shot container that fills the gateway's vault out of its stdin, and holds it until it is read.

    It alone sees that volume writable, has no network, and is nobody but the gateway's own uid.
    """
    return dataclasses.replace(
        plan.gateway,
        name=f"hostkit-{plan.client}-writer",
        command=("python3", "-I", "-u", "-c", VAULT_WRITER),
        network="none",
        address="",
        mounts=(MountPlan(f"hostkit-{plan.client}-vault", "/vault"),),
        labels=_labels(plan.client, "writer"),
        sysctls={},
        environment={},
        restart="no",
    )


def _last(mount: MountPlan) -> str:
    return mount.volume.rsplit("-", 1)[-1]


def volumes(plan: LaunchPlan) -> list[str]:
    """Return the names of all volumes, first the one that the probe needs."""
    first = [mount.volume for mount in plan.probe.mounts]
    rest = {mount.volume for part in (plan.agent, plan.gateway) for mount in part.mounts}
    return [*first, *sorted(rest.difference(first))]


def volume_entries(plan: LaunchPlan) -> list[tuple[str, bytes | None, int, int]]:
    """Return (name, content, uid, mode) of what the volumes hold before anything starts."""
    return [
        ("workspace", None, plan.host_uid, 0o700),
        ("state", None, plan.host_uid, 0o700),
        ("records", None, plan.host_uid + 1, 0o700),
        ("rules", None, 0, 0o755),
        ("rules/rules.json", plan.rules.to_json().encode(), 0, 0o444),
    ]


def trust_entries(plan: LaunchPlan, now: datetime) -> list[tuple[str, bytes | None, int, int]]:
    """Return what the agent's trust volume holds, as `volume_entries` does; nothing where nothing is opened."""
    if not plan.rules.services:
        return []
    from hostkit.secrets import authority, trust  # noqa: PLC0415 - a launch without services needs no certificates

    root = authority.pem(authority.root(plan.client, now).certificate)
    files = sorted(trust.files(root).items())
    return [("trust", None, 0, 0o755), *((f"trust/{name}", data, 0, 0o444) for name, data in files)]


def given(plan: LaunchPlan, values: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what the agent reads under /run/secrets: a service's placeholder for its key, any other value itself."""
    return {**values, **{name: text.encode() for name, text in plan.placeholders.items()}}


def without_secrets(plan: LaunchPlan) -> LaunchPlan:
    """Return the plan with a probe that sees no volume at all, for a proof beside a running agent."""
    return dataclasses.replace(plan, probe=dataclasses.replace(plan.probe, mounts=()))
