"""From a policy to everything a launch will ask of the engine: pure, whole, printable as JSON."""

import dataclasses
import hashlib
import ipaddress
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hostkit import __version__
from hostkit.errors import HostkitError
from hostkit.gateway.rules import Forward, Grant, Rules
from hostkit.policy.model import Client, Policy
from hostkit.policy.units import parse_size

UID_BASE = 70000
SLOTS = 256
_MIB = 1024 * 1024
_READ_ORDER = "import sys,json\norder=json.loads(sys.stdin.readline())\nexec(order['source'])"
_BRIDGE = "com.docker.network.bridge."


@dataclass(frozen=True)
class NetworkPlan:
    """One bridge network: the inner one of the client, or its gateway's way out."""

    name: str
    bridge: str
    subnet: str
    internal: bool
    options: dict[str, str]
    ipv6: str = ""


@dataclass(frozen=True)
class MountPlan:
    """A volume of the engine and where it is seen; nothing of the host is ever mounted."""

    volume: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerPlan:
    """All that is asked for one container. Sizes are bytes, `user` is uid:gid inside the container."""

    name: str
    image: str
    command: tuple[str, ...]
    user: str
    network: str
    address: str
    memory: int
    cpus: float
    pids: int
    nofile: int
    dns: tuple[str, ...] = ()
    read_only: bool = True
    cap_drop: tuple[str, ...] = ("ALL",)
    cap_add: tuple[str, ...] = ()
    no_new_privileges: bool = True
    seccomp: str = "hostkit"
    tmpfs: dict[str, str] = field(default_factory=dict)
    mounts: tuple[MountPlan, ...] = ()
    sysctls: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    restart: str = "no"
    log_size: str = "10m"
    log_files: int = 3


@dataclass(frozen=True)
class LaunchPlan:
    """One client's sandbox, whole: what `hostkit plan` prints is what `hostkit launch` does."""

    client: str
    policy: str
    trust: str
    generation: int
    host_uid: int
    agent: ContainerPlan
    gateway: ContainerPlan
    probe: ContainerPlan
    inside: NetworkPlan
    outside: NetworkPlan
    rules: Rules
    secrets: dict[str, str]
    notes: tuple[str, ...]

    @property
    def slot(self) -> "Slot":
        """Return the slot the plan was made for."""
        return Slot((self.host_uid - UID_BASE) // 2, self.inside.subnet, self.outside.subnet)

    def to_json(self) -> str:
        """Return the whole plan as JSON; it names where secrets come from and holds none of them."""
        return json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True)

    def without(self, *walls: str) -> "LaunchPlan":
        """Return the same plan with walls taken out, for a drill's twin; raise KeyError for a wall not known."""
        plan = self
        for wall in walls:
            plan = WALLS[wall](plan)
        return plan


@dataclass(frozen=True)
class Slot:
    """What a client keeps over all its launches: its number and its two /29 networks."""

    number: int
    inside: str
    outside: str

    @property
    def uid(self) -> int:
        """The agent's uid; its gateway's is the next."""
        return UID_BASE + 2 * self.number


@dataclass(frozen=True)
class EngineFacts:
    """What a plan needs to know of the engine: its version as three numbers, and image name to exact id."""

    version: tuple[int, int, int]
    images: dict[str, str]
    host_addresses: tuple[str, ...] = ()


def refuse_without_agreement(name: str, client: Client, today: date) -> None:
    """Raise HostkitError unless the client's agreement permits an agent today."""
    agreement = client.agreement
    if not agreement.permitted:
        raise HostkitError(f"{name}: the agreement does not permit an agent", "see agreement.permitted in the policy")
    if agreement.expires < today:
        do = f"renew it and set its new date in the policy; an agent that runs goes on until hostkit stop {name}"
        raise HostkitError(f"{name}: the agreement ({agreement.document}) expired on {agreement.expires}", do)


def find_client(policy: Policy, name: str) -> Client:
    """Return the client called `name`; raise HostkitError, with the nearest name, if the policy has none."""
    if name in policy.clients:
        return policy.clients[name]
    known = ", ".join(sorted(policy.clients)) or "none"
    raise HostkitError(f"unknown client {name!r}", f"clients in {policy.path}: {known}")


def choose_slot(policy: Policy, taken: dict[str, Slot], live: tuple[str, ...], name: str) -> Slot:
    """Return the client's kept slot, or the first free one of the pool that overlaps no live route."""
    if name in taken:
        return taken[name]
    numbers = {slot.number for slot in taken.values()}
    used = [ipaddress.ip_network(net) for slot in taken.values() for net in (slot.inside, slot.outside)]
    busy = [*used, *(ipaddress.ip_network(net) for net in live)]
    free = _free_subnets(ipaddress.ip_network(policy.host.pool), busy)
    number = next((n for n in range(SLOTS) if n not in numbers), None)
    if number is None or len(free) < 2:
        raise HostkitError(f"the pool {policy.host.pool} has no two free /29 networks", "widen host.pool")
    return Slot(number, free[0], free[1])


def _free_subnets(pool: Any, busy: list[Any]) -> list[str]:
    free: list[str] = []
    if pool.prefixlen > 29:
        return free
    for subnet in pool.subnets(new_prefix=29):
        if not any(subnet.version == net.version and subnet.overlaps(net) for net in busy):
            free.append(str(subnet))
        if len(free) == 2:
            break
    return free


def bridge_name(kind: str, client: str) -> str:
    """Return hki or hke with 8 hex digits of the client's name: 11 characters, Linux allows 15."""
    return kind + hashlib.sha256(client.encode()).hexdigest()[:8]


def network_options(version: tuple[int, int, int], bridge: str, *, internal: bool) -> dict[str, str]:
    """Return the bridge driver's options: the host has no address on an internal bridge.

    Isolated gateway mode exists from engine 28.0 (moby pull request 49262); older engines ignore it in silence.
    """
    options = {_BRIDGE + "name": bridge}
    if internal:
        options[_BRIDGE + "inhibit_ipv4"] = "true"
        if version >= (28, 0, 0):
            options[_BRIDGE + "gateway_mode_ipv4"] = "isolated"
    return options


def refuse_engine(version: tuple[int, int, int]) -> None:
    """Raise HostkitError for an engine on which an internal network's names cannot reach its gateway.

    From 25.0.5 up to 26.1.2 `--dns` with a server inside an internal network is broken; a resolv.conf of our own
    would have to be mounted from the host, and nothing of the host is ever mounted.
    """
    if (25, 0, 5) <= version < (26, 1, 3):
        shown = ".".join(map(str, version))
        what = f"Docker {shown} cannot send an internal network's names to its gateway (moby issue 47821)"
        raise HostkitError(what, "upgrade the engine to 26.1.3 or later")


def refuse_bridge_twins(name: str, others: Iterable[str]) -> None:
    """Raise HostkitError if another client's bridge would have the same name on the host."""
    twins = sorted(other for other in others if other != name and bridge_name("", other) == bridge_name("", name))
    if twins:
        what = f"{name} and {twins[0]} would share the bridge {bridge_name('hki', name)}"
        raise HostkitError(what, "give one of the two clients another name")


def refuse_taken_bridges(plan: LaunchPlan, interfaces: Iterable[str]) -> None:
    """Raise HostkitError if an interface has a bridge's name: the engine would make it its own without a word."""
    taken = sorted({plan.inside.bridge, plan.outside.bridge}.intersection(interfaces))
    if taken:
        what = f"interface {taken[0]} is there and is no network of {plan.client}"
        raise HostkitError(what, f"see `ip link show {taken[0]}`, and remove it if it is a left-over")


def make_plan(policy: Policy, name: str, slot: Slot, engine: EngineFacts, generation: int = 1) -> LaunchPlan:
    """Return the plan of one client; raise HostkitError if the engine is not fit for it or has no such image."""
    from hostkit.policy.trust import unenforced  # noqa: PLC0415 - only plans pay for it

    client = find_client(policy, name)
    refuse_engine(engine.version)
    refuse_bridge_twins(name, policy.clients)
    inside = ipaddress.ip_network(slot.inside)
    addresses = [str(inside[index]) for index in range(5)]
    networks = _networks(name, slot, engine)
    rules = _rules(policy, name, addresses[2], engine, generation)
    agent = _agent(name, client, slot, addresses, engine)
    return LaunchPlan(
        client=name,
        policy=policy.path,
        trust=client.trust,
        generation=generation,
        host_uid=slot.uid,
        agent=agent,
        gateway=_gateway(name, slot, addresses, engine),
        probe=_probe(name, agent, addresses[4], engine),
        inside=networks[0],
        outside=networks[1],
        rules=rules,
        secrets={key: secret.source for key, secret in sorted(client.secrets.items())},
        notes=(*unenforced(client), *_notes(client)),
    )


def _notes(client: Client) -> tuple[str, ...]:
    size = client.limits.workspace
    notes = [f"the workspace's size ({size}) is not enforced: the engine's local volumes have no quota"]
    notes += [
        f"{way.name}: every name below it is a way out, a name server included; list exact names where you can"
        for way in client.egress
        if way.name.startswith("*.")
    ]
    return tuple(notes)


def _networks(name: str, slot: Slot, engine: EngineFacts) -> tuple[NetworkPlan, NetworkPlan]:
    inner, outer = bridge_name("hki", name), bridge_name("hke", name)
    return (
        NetworkPlan(
            f"hostkit-{name}-in", inner, slot.inside, True, network_options(engine.version, inner, internal=True)
        ),
        NetworkPlan(
            f"hostkit-{name}-out", outer, slot.outside, False, network_options(engine.version, outer, internal=False)
        ),
    )


def _rules(policy: Policy, name: str, address: str, engine: EngineFacts, generation: int) -> Rules:
    client = policy.clients[name]
    tls = [way for way in client.egress if way.raw is None]
    raw = [way for way in client.egress if way.raw is not None]
    return Rules(
        client=name,
        generation=generation,
        address=address,
        grants=tuple(Grant(way.name, way.ports, way.networks) for way in tls),
        forwards=tuple(Forward(way.name, way.raw or 0, way.local_port or way.raw or 0, way.networks) for way in raw),
        refuse=tuple(sorted({policy.host.pool, *(str(ipaddress.ip_network(a)) for a in engine.host_addresses)})),
        resolvers=policy.host.resolvers,
        budget=parse_size(client.limits.records),
    )


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


_SYSCTLS = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"}


def _agent(name: str, client: Client, slot: Slot, addresses: list[str], engine: EngineFacts) -> ContainerPlan:
    limits, uid, proxy = client.limits, slot.uid, f"http://{addresses[2]}:3128"
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
        dns=(addresses[2],),
        tmpfs=_agent_tmpfs(parse_size(limits.tmp), uid),
        mounts=_agent_mounts(name),
        sysctls=dict(_SYSCTLS),
        environment=_agent_environment(proxy),
        labels=_labels(name, "agent"),
    )


def _agent_tmpfs(size: int, uid: int) -> dict[str, str]:
    runtime = f"rw,nosuid,nodev,noexec,size={16 * _MIB},mode=0700,uid={uid},gid={uid}"
    return {"/tmp": f"rw,nosuid,nodev,size={size},mode=1777", "/run/agent": runtime}  # noqa: S108 - the agent's own


def _agent_mounts(name: str) -> tuple[MountPlan, ...]:
    return (
        MountPlan(f"hostkit-{name}-workspace", "/workspace"),
        MountPlan(f"hostkit-{name}-state", "/home/agent"),
        MountPlan(f"hostkit-{name}-secrets", "/run/secrets", read_only=True),
    )


def _agent_environment(proxy: str) -> dict[str, str]:
    """Return the variables that most clients read to find the proxy (facts measured per client in docs)."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    return {
        **dict.fromkeys(proxies, proxy),
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
        "NODE_USE_ENV_PROXY": "1",
        "PIP_BREAK_SYSTEM_PACKAGES": "1",  # Debian's pip refuses `--user`; the system is read-only, so nothing breaks
        "HOME": "/home/agent",
        "XDG_RUNTIME_DIR": "/run/agent",
    }


def _gateway(name: str, slot: Slot, addresses: list[str], engine: EngineFacts) -> ContainerPlan:
    uid = slot.uid + 1
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
        mounts=(MountPlan(f"hostkit-{name}-rules", "/rules"), MountPlan(f"hostkit-{name}-records", "/records")),
        sysctls={**_SYSCTLS, "net.ipv4.ip_forward": "0", "net.ipv4.ip_unprivileged_port_start": "0"},
        environment={"PYTHONPATH": "/opt/hostkit", "PYTHONDONTWRITEBYTECODE": "1"},
        labels=_labels(name, "gateway"),
        restart="on-failure",
    )


def _probe(name: str, agent: ContainerPlan, address: str, engine: EngineFacts) -> ContainerPlan:
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
    mounts = [mount for part in (plan.agent, plan.gateway) for mount in part.mounts if mount.target != "/run/secrets"]
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


def without_secrets(plan: LaunchPlan) -> LaunchPlan:
    """Return the plan with a probe that sees no volume at all, for a proof beside a running agent."""
    return dataclasses.replace(plan, probe=dataclasses.replace(plan.probe, mounts=()))


Wall = Callable[[LaunchPlan], LaunchPlan]


def _both(**changes: Any) -> Wall:
    def take_out(plan: LaunchPlan) -> LaunchPlan:
        return dataclasses.replace(plan, agent=dataclasses.replace(plan.agent, **changes))

    return take_out


def _open_network(plan: LaunchPlan) -> LaunchPlan:
    options = {key: value for key, value in plan.inside.options.items() if key == _BRIDGE + "name"}
    return dataclasses.replace(plan, inside=dataclasses.replace(plan.inside, internal=False, options=options))


def _visible_host(plan: LaunchPlan) -> LaunchPlan:
    options = {key: value for key, value in plan.inside.options.items() if key == _BRIDGE + "name"}
    return dataclasses.replace(plan, inside=dataclasses.replace(plan.inside, options=options))


def _ipv6(plan: LaunchPlan) -> LaunchPlan:
    inside = dataclasses.replace(plan.inside, ipv6="fd00:6869:6b00::/64")
    return dataclasses.replace(plan, inside=inside, agent=dataclasses.replace(plan.agent, sysctls={}))


WALLS: dict[str, Wall] = {
    "internal_network": _open_network,
    "inhibit_host": _visible_host,
    "ipv6_off": _ipv6,
    "resolver": _both(dns=()),
    "read_only": _both(read_only=False),
    "capabilities": _both(cap_drop=(), user="0:0"),
    "no_new_privileges": _both(no_new_privileges=False),
    "seccomp": _both(seccomp="unconfined"),
    "user": _both(user="0:0"),
    "pids": _both(pids=0),
    "memory": _both(memory=0),
    "nofile": _both(nofile=0),
    "tmpfs": _both(tmpfs={"/tmp": "rw,size=1073741824"}),  # noqa: S108 - the twin's own
}
