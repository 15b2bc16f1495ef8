"""What a drill puts beside a sandbox: pure plans of the collector, the twin, and the rehearsal gateway."""

import dataclasses
import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hostkit.drill import service
from hostkit.drill.lacking import PLAN_WALLS, lacking
from hostkit.drill.walls import OPEN_GATEWAY
from hostkit.gateway.rules import Grant, Rules
from hostkit.launch.model import ContainerPlan, LaunchPlan, MountPlan, NetworkPlan, Slot
from hostkit.launch.networks import bridge_name
from hostkit.launch.parts import filler
from hostkit.launch.parts import writer as vault_writer

REBINDING = "rebinding.drill.invalid"
ZONE = "unlisted.drill.invalid"
STAND_IN = "/other-client"
VOLUMES = ("rules", "records", "stand", "leaf", "given")
"""The drill's volumes beside the vault, which is memory."""
_STOOD_IN = frozenset({"volumes_separate", "engine_socket", "authority_outside"})
_COLLECTOR = Path(__file__).parent / "collector.py"
_UNPRIVILEGED_PORTS = {"net.ipv4.ip_unprivileged_port_start": "0"}


@dataclass(frozen=True)
class Stage:
    """The names, networks and papers of one drill: `plan` is the client's own, slots are free ones of the pool."""

    plan: LaunchPlan
    twin_slot: Slot
    other_slot: Slot
    port: int
    papers: service.Papers = field(repr=False)

    def name(self, part: str) -> str:
        """Return the engine's name for a part of this drill."""
        return f"hostkit-{self.plan.client}-drill-{part}"

    def address(self, subnet: str, index: int) -> str:
        """Return an address of a subnet by its number."""
        return str(ipaddress.ip_network(subnet)[index])

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels of every part, so that `hostkit stop` clears up after a drill that was killed."""
        return {"hostkit.client": self.plan.client, "hostkit.part": "drill"}


def far_network(stage: Stage) -> NetworkPlan:
    """Return the collector's home, an ordinary network that stands for everywhere else."""
    bridge = bridge_name("hkd", stage.plan.client + "/far")
    return NetworkPlan(stage.name("far"), bridge, stage.twin_slot.outside, False, _named(bridge))


def other_network(stage: Stage) -> NetworkPlan:
    """Return the stand-in of another client's internal network, made like the real ones."""
    bridge = bridge_name("hkd", stage.plan.client + "/other")
    options = {**stage.plan.inside.options, **_named(bridge)}
    return NetworkPlan(stage.name("other"), bridge, stage.other_slot.inside, True, options)


def _named(bridge: str) -> dict[str, str]:
    return {"com.docker.network.bridge.name": bridge}


def collector(stage: Stage) -> ContainerPlan:
    """Return the far end of every attempt: it also plays the open gateway, the resolver and the engine's socket."""
    settings = {
        "addresses": ["0.0.0.0", "::"],
        "port": stage.port,
        "dns": 53,
        "http": 80,
        "proxy": 3128,
        "upstream": "127.0.0.1",
        "upstream_port": stage.port,
        "answer": stage.address(stage.twin_slot.outside, 2),
        "socket": f"{STAND_IN}/engine.sock",
        "service": service.NAME,
        "service_port": 443,
        "leaf": "/leaf/leaf.pem",
        "elsewhere": f"elsewhere.{ZONE}",
    }
    return dataclasses.replace(
        stage.plan.gateway,
        name=stage.name("collector"),
        image=stage.plan.probe.image,
        command=("python3", "-I", "-u", "-c", _COLLECTOR.read_text(encoding="utf-8"), json.dumps(settings)),
        network=stage.name("far"),
        mounts=(MountPlan(stage.name("stand"), STAND_IN), MountPlan(stage.name("leaf"), "/leaf", read_only=True)),
        pids=1024,  # a thread for each connection of whoever floods it
        sysctls={**_UNPRIVILEGED_PORTS, "net.ipv6.conf.all.disable_ipv6": "0"},
        environment={},
        labels=stage.labels,
        restart="no",
    )


def inside_probe(stage: Stage) -> ContainerPlan:
    """Return the container that attacks the real sandbox: the agent's own plan, at an address beside it."""
    return dataclasses.replace(
        stage.plan.agent,
        name=stage.name("probe"),
        image=stage.plan.probe.image,
        command=("sleep", "infinity"),
        address=stage.address(stage.plan.inside.subnet, 6),
        labels=stage.labels,
    )


def twin_network(stage: Stage, out: frozenset[str]) -> NetworkPlan:
    """Return the twin's network: the real one's options on a bridge and subnet of its own, less what is out."""
    real = lacking(stage.plan, *(out & {"internal_network", "inhibit_host", "ipv6_off"})).inside
    bridge = bridge_name("hkd", stage.plan.client + "/twin")
    options = {**real.options, **_named(bridge)}
    return dataclasses.replace(
        real, name=stage.name("in"), bridge=bridge, subnet=stage.twin_slot.inside, options=options
    )


def twin_agent(stage: Stage, out: frozenset[str]) -> ContainerPlan:
    """Return the twin: the agent's plan less the walls in `out`, without credentials, workspace or agent code."""
    agent = lacking(stage.plan, *(out & set(PLAN_WALLS))).agent
    resolver = stage.address(stage.twin_slot.inside, 2)
    stand_in = (MountPlan(stage.name("stand"), STAND_IN),)
    given = tuple(MountPlan(stage.name("given"), place) for place in _given(stage.plan))
    return dataclasses.replace(
        agent,
        name=stage.name("twin"),
        image=stage.plan.probe.image,
        command=("sleep", "infinity"),
        network=stage.name("in"),
        address=stage.address(stage.twin_slot.inside, 3),
        apparmor="unconfined",  # no probe's wall: the engine's own profile would hold what the twin is to let out
        dns=(resolver,) if out & {"resolver", *OPEN_GATEWAY} else ("127.0.0.1",),
        mounts=(*(stand_in if out & _STOOD_IN else ()), *(given if "given_read_only" in out else ())),
        environment={"DRILL_API_KEY": stage.papers.shaped} if "placeholders" in out else {},
        labels=stage.labels,
    )


def _given(plan: LaunchPlan) -> tuple[str, ...]:
    return tuple(mount.target for mount in plan.agent.mounts if mount.read_only)


def needs_collector(out: frozenset[str]) -> bool:
    """Return whether the collector has a leg on the twin's network."""
    return bool(out & {"internal_network", "resolver", "ipv6_off", *OPEN_GATEWAY})


def rehearsal(stage: Stage, far: str) -> LaunchPlan:
    """Return a second gateway on the client's network; `far` is the collector, its resolver and all that it reaches.

    It lists a name whose address turns out private, and opens the drill's own service, which is the collector. It
    grants nothing else, so the agent beside it gains no way out while the drill runs.
    """
    plan, address = stage.plan, stage.address(stage.plan.inside.subnet, 5)
    rules = Rules(
        client=plan.client,
        generation=plan.generation,
        address=address,
        grants=(Grant(REBINDING, (stage.port,), ()), service.grant(far)),
        forwards=(),
        refuse=_but(plan.rules.refuse, far),
        resolvers=(far,),
        budget=plan.rules.budget,
        services=(service.service(stage.papers),),
    )
    mounts = (
        MountPlan(stage.name("rules"), "/rules"),
        MountPlan(stage.name("records"), "/records"),
        MountPlan(stage.name("vault"), "/vault", read_only=True),
    )
    gateway = dataclasses.replace(
        plan.gateway,
        name=stage.name("gateway"),
        network=stage.name("far"),
        address=address,
        mounts=mounts,
        labels=stage.labels,
        restart="no",
    )
    return dataclasses.replace(plan, gateway=gateway, rules=rules, agent=dataclasses.replace(plan.agent, mounts=()))


def _but(networks: Iterable[str], address: str) -> tuple[str, ...]:
    """Return the networks without one address, which is the collector's and nobody else's."""
    alone, kept = ipaddress.IPv4Network(address), list[str]()
    for text in networks:
        network = ipaddress.ip_network(text)
        if isinstance(network, ipaddress.IPv4Network) and alone.subnet_of(network):
            kept += map(str, network.address_exclude(alone))
        else:
            kept.append(text)
    return tuple(kept)


def writer(stage: Stage) -> ContainerPlan:
    """Return the one-shot container that fills the rehearsal gateway's vault."""
    mounts = (MountPlan(stage.name("vault"), "/vault"),)
    plan = vault_writer(stage.plan)
    return dataclasses.replace(plan, name=stage.name("writer"), mounts=mounts, labels=stage.labels)


def drill_filler(stage: Stage) -> ContainerPlan:
    """Return a container that is never started, through which the drill's volumes are owned and filled."""
    return dataclasses.replace(
        filler(stage.plan),
        name=stage.name("filler"),
        mounts=tuple(MountPlan(stage.name(name), f"/mnt/{name}") for name in VOLUMES),
        labels=stage.labels,
    )


def volume_entries(stage: Stage, rules: Rules) -> list[tuple[str, bytes | None, int, int]]:
    """Return (name, content, uid, mode) of what the drill's volumes hold before anything starts."""
    uid = stage.plan.host_uid + 1
    return [
        ("records", None, uid, 0o700),
        ("rules", None, 0, 0o755),
        ("rules/rules.json", rules.to_json().encode(), 0, 0o444),
        ("stand", None, uid, 0o755),
        ("stand/hostkit-other-client", b"another client's\n", 0, 0o444),
        ("stand/authority.pem", stage.papers.signer, 0, 0o444),
        ("leaf", None, uid, 0o700),
        ("leaf/leaf.pem", stage.papers.far, uid, 0o400),
        ("given", None, stage.plan.host_uid, 0o700),
    ]


def common_targets(stage: Stage, host: Mapping[str, str]) -> dict[str, str]:
    """Return what every place aims at: ports, names, limits, and the host's addresses."""
    plan = stage.plan
    grant = next((g for g in plan.rules.grants if not g.name.startswith("*.")), next(iter(plan.rules.grants), None))
    listed = {"listed": grant.name.replace("*.", "hostkit-drill."), "listed_port": str(grant.ports[0])} if grant else {}
    return {
        **listed,
        **host,
        "proxy_port": "3128",
        "own_ports": ",".join(["53", "80", "443", "3128", *(str(f.local_port) for f in plan.rules.forwards)]),
        "collector_port": str(stage.port),
        "zone": ZONE,
        "rebinding": REBINDING,
        "rebinding_port": str(stage.port),
        "other_agent": stage.address(stage.other_slot.inside, 3),
        "other_gateway": stage.address(stage.other_slot.inside, 3),
        "given": ",".join(_given(plan)),
        **service.targets(stage.papers, plan.client, plan.placeholders),
        **_limits(plan),
    }


def _limits(plan: LaunchPlan) -> dict[str, str]:
    tmp = dict(word.partition("=")[::2] for word in plan.agent.tmpfs["/tmp"].split(","))  # noqa: S108 - the agent's
    places = (*(mount.target for mount in plan.agent.mounts), *plan.agent.tmpfs)
    return {
        "pids": str(plan.agent.pids),
        "memory": str(plan.agent.memory),
        "nofile": str(plan.agent.nofile),
        "tmpfs": tmp["size"],
        "mounts": ",".join(places),
    }
