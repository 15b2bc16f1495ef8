"""The drill's places on a real engine: the sandbox as it runs, and its twins, all gone afterwards."""

import contextlib
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hostkit.drill import collector, service, twin
from hostkit.drill.run import Place
from hostkit.drill.twin import Stage
from hostkit.engine import Engine, Entry, side_by_side, tries
from hostkit.errors import CannotTell, HostkitError
from hostkit.launch.drift import drift
from hostkit.launch.model import ContainerPlan, LaunchPlan
from hostkit.launch.session import Session, volume_options
from hostkit.launch.vault import Filling, written
from hostkit.policy.model import Policy

_PATIENCE = 30.0
"""Seconds that the drill's far end has to start: beside a busy VM without KVM its gateway once took over 10 s."""


@dataclass(frozen=True)
class ContainerRunner:
    """Runs python3 in one container."""

    engine: Engine = field(repr=False)
    container: str

    def exec_python(self, source: str, arguments: tuple[str, ...], timeout: float) -> str:
        """Return what it printed; past `timeout` seconds it is killed."""
        command = ["timeout", "-k", "1", f"{timeout:g}", "python3", "-I", "-c", source, *arguments]
        return self.engine.exec(self.container, command)[1].decode(errors="replace")


class EngineLab:
    """One client's drill; a context manager that takes down all it made, whatever happens.

    Raise HostkitError if the client is not running or runs other walls than its policy plans now.
    """

    throwaway = False

    def __init__(self, session: Session, policy: Policy, client: str) -> None:
        self._session, self._engine, self._policy, self._client = session, session.engine, policy, client
        self._servers: list[Any] = []
        self._heard: list[str] = []
        self._far = ""

    def __enter__(self) -> Self:
        plan = self._session.current_plan(self._policy, self._client)
        with contextlib.ExitStack() as held:
            held.enter_context(self._session.drilling(self._client))
            self._clear()
            held.callback(self._clear)
            self._listen(self._session.borrow_slots(self._policy, self._client, 2), plan)
            self._set_up()
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def _listen(self, slots: list[Any], plan: LaunchPlan) -> None:
        """Open the host's own end of the attempts on its LAN address and on the engine's default bridge."""
        addresses = self._session.host_addresses()
        self._host = _aims(addresses)
        port = _free_port(sorted(set(self._host.values())))
        papers = service.minted(self._client, plan.generation, datetime.now(UTC))
        self._stage = Stage(plan, slots[0], slots[1], port, papers)
        wanted = {"addresses": sorted(set(self._host.values())), "port": port}
        self._servers = collector.start(wanted, log=self._hear)

    def _hear(self, kind: str, peer: str, data: bytes) -> None:
        self._heard.append(json.dumps({"kind": kind, "from": peer, "data": data[:2048].decode("latin-1")}))

    def _set_up(self) -> None:
        engine, stage, client = self._engine, self._stage, self._client
        side_by_side(
            *(partial(self._make_volume, name) for name in (*twin.VOLUMES, "vault")),
            partial(engine.make_network, twin.far_network(stage), client),
            partial(engine.make_network, twin.other_network(stage), client),
        )
        self._far = stage.address(stage.twin_slot.outside, 2)
        rehearsal = twin.rehearsal(stage, self._far)
        self._fill(rehearsal)
        self._start(twin.collector(stage))
        self._far = self._address(stage.name("collector"), stage.name("far"))
        engine.join(stage.name("other"), stage.name("collector"), stage.address(stage.other_slot.inside, 3))
        self._wait(stage.name("collector"), "ready", lambda: '"ready"' in engine.logs(stage.name("collector")))
        self._rehearse(rehearsal)

    def _make_volume(self, name: str) -> None:
        whole = self._stage.name(name)
        self._engine.make_volume(whole, self._client, volume_options(self._stage.plan, whole))

    def _rehearse(self, rehearsal: LaunchPlan) -> None:
        """Start the second gateway, its vault filled with the drill's own keys, and wait until it is open."""
        engine, stage, client, gateway = self._engine, self._stage, self._client, rehearsal.gateway
        with written(engine, twin.writer(stage), Filling(rehearsal.generation, service.vault_files(stage.papers))):
            engine.make_container(gateway)
            engine.join(stage.plan.inside.name, gateway.name, gateway.address)
            engine.start(gateway.name)
        self._wait(
            gateway.name, "open", lambda: (engine.gateway_status(f"{client}-drill") or {}).get("state") == "open"
        )

    def _fill(self, rehearsal: LaunchPlan) -> None:
        filler = twin.drill_filler(self._stage)
        self._engine.make_container(filler)
        entries = [Entry(*entry) for entry in twin.volume_entries(self._stage, rehearsal.rules)]
        self._engine.put(filler.name, "/mnt", entries)
        self._engine.remove_container(filler.name)

    def _start(self, plan: ContainerPlan) -> None:
        self._engine.make_container(plan)
        self._engine.start(plan.name)

    def _address(self, container: str, network: str) -> str:
        document = self._engine.inspect(container) or {}
        return str(document["NetworkSettings"]["Networks"][network]["IPAddress"])

    def _wait(self, container: str, what: str, ready: Callable[[], bool]) -> None:
        """Return once `container` is `what`; raise CannotTell at once if it has ended, or after half a minute."""
        for _ in tries(_PATIENCE):
            if ready():
                return
            if not (self._engine.inspect(container) or {}).get("State", {}).get("Running"):
                said = self._engine.logs(container, lines=1).strip()[-200:]
                raise CannotTell(f"{container} ended before it was {what}: {said!r}")
        raise CannotTell(f"the drill's far end, {container}, is not {what} after {_PATIENCE:g} s")

    def sandbox(self) -> Place:
        """Return the client's own network and gateway, attacked from a container with the agent's plan."""
        stage = self._stage
        probe = twin.inside_probe(stage)
        self._start(probe)
        changed = drift(self._engine.inspect(stage.plan.agent.name) or {}, self._engine.inspect(probe.name) or {})
        if changed:
            do = f"hostkit stop {self._client}, then launch it again"
            raise HostkitError(f"{self._client} runs with other walls than planned: {', '.join(changed)}", do)
        rules = stage.plan.rules
        own = {"gateway": rules.address, "rehearsal": stage.address(stage.plan.inside.subnet, 5)}
        bridge = stage.address(stage.plan.inside.subnet, 1)
        targets = {**own, "bridge": bridge, "collector": self._far}
        return self._place(probe, stage.plan.inside.bridge, targets)

    def twin(self, walls: frozenset[str]) -> Place:
        """Return a started twin with `walls` taken out; one that cannot be made leaves nothing behind."""
        try:
            return self._make_twin(walls)
        except HostkitError:
            self._remove_twin()
            raise

    def _make_twin(self, walls: frozenset[str]) -> Place:
        engine, stage = self._engine, self._stage
        network, agent = twin.twin_network(stage, walls), twin.twin_agent(stage, walls)
        engine.make_network(network, self._client)
        second = stage.address(stage.twin_slot.inside, 2)
        met = twin.needs_collector(walls)
        if met:
            engine.join(network.name, stage.name("collector"), second)
        engine.make_container(agent)
        if "networks_separate" in walls:
            engine.join(stage.name("other"), agent.name, stage.address(stage.other_slot.inside, 4))
        engine.start(agent.name)
        targets = {"gateway": second, "rehearsal": second, "bridge": stage.address(stage.twin_slot.inside, 1)}
        return self._place(agent, network.bridge, {**targets, "collector": second if met else self._far})

    def _remove_twin(self) -> None:
        self._engine.remove_container(self._stage.name("twin"))
        self._engine.leave(self._stage.name("in"), self._stage.name("collector"))
        self._engine.remove_network(self._stage.name("in"))

    def stop(self, place: Place) -> None:
        """Take a place down."""
        runner = place.runner
        if not isinstance(runner, ContainerRunner):
            return
        if runner.container == self._stage.name("twin"):
            self._remove_twin()
        else:
            self._engine.remove_container(runner.container)

    def _place(self, container: ContainerPlan, bridge: str, targets: dict[str, str]) -> Place:
        return Place(
            client=self._client,
            runner=ContainerRunner(self._engine, container.name),
            targets={**twin.common_targets(self._stage, self._host), **targets},
            collected=self._collected,
            records=self._records,
            counter=partial(_received, bridge),
            source=container.address,
        )

    def _collected(self) -> tuple[str, ...]:
        return (*self._heard, *self._engine.logs(self._stage.name("collector"), lines=2000).splitlines())

    def _records(self) -> tuple[str, ...]:
        names = (self._stage.plan.gateway.name, self._stage.name("gateway"))
        texts = side_by_side(*(partial(self._engine.fetch, name, "/records/requests.jsonl", 1 << 20) for name in names))
        return tuple(line for text in texts for line in text.decode(errors="replace").splitlines())

    def _clear(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers = []
        mark = f"hostkit-{self._client}-drill-"
        engine = self._engine
        names = [entry["Name"].lstrip("/") for entry in engine.containers(all=True, client=self._client)]
        for job, found in (
            (engine.remove_container, names),
            (engine.remove_network, [entry["Name"] for entry in engine.networks(self._client)]),
            (engine.remove_volume, engine.volumes(self._client)),
        ):
            side_by_side(*(partial(job, name) for name in found if name.startswith(mark)))
        self._session.return_slots(self._client)


def _aims(addresses: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the host's address on its LAN and the engine's default bridge, v4, where there is one."""
    v4 = {
        name: next((a for a in found if ipaddress.ip_address(a).version == 4), "") for name, found in addresses.items()
    }
    own = next(
        (a for name, a in v4.items() if a and name != "lo" and not name.startswith(("br-", "docker", "hk", "veth"))), ""
    )
    return {key: value for key, value in {"docker0": v4.get("docker0", ""), "host": own}.items() if value}


def _free_port(addresses: list[str]) -> int:
    import socket  # noqa: PLC0415 - used here only

    with socket.socket() as wire:
        wire.bind((addresses[0] if addresses else "127.0.0.1", 0))
        return int(wire.getsockname()[1])


def _received(bridge: str) -> int | None:
    """Return the packets a bridge received: from /proc, which unlike /sys always shows our own network namespace."""
    for line in Path("/proc/net/dev").read_text(encoding="ascii").splitlines():
        name, _, counters = line.partition(":")
        if name.strip() == bridge:
            return int(counters.split()[1])
    return None
