"""The order of things: networks, gateway, proof, agent; a failure on the way leaves nothing behind."""

import contextlib
import ipaddress
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hostkit.engine import Engine, Entry, in_order, owner, side_by_side, tries
from hostkit.errors import CannotTell, HostkitError, WallOpen
from hostkit.host import Host
from hostkit.launch import drift, keys, networks, parts, uids, vault
from hostkit.launch import plan as plans
from hostkit.launch.confinement import confinement, wrong_profile
from hostkit.launch.model import EngineFacts, LaunchPlan, Slot
from hostkit.launch.proof import Proof
from hostkit.launch.state import State
from hostkit.launch.vault import await_rules
from hostkit.policy.model import Policy
from hostkit.secrets.providers import fetch

_SLOTS = "+slots"
"""The lock of the slots: no client can be called this."""

_NOTICED = 1.0
"""Seconds within which an engine knows of a container that it has ended."""


@dataclass(frozen=True)
class Launched:
    """What a launch did: the plan, the walls that held, and whether the agent was running before."""

    plan: LaunchPlan
    held: tuple[str, ...]
    already: bool
    seconds: float


class Session:
    """Launches, stops and removes sandboxes on one engine."""

    def __init__(self, engine: Engine, host: Host, state: State) -> None:
        self.engine = self._engine = engine
        self._host = host
        self.state = self._state = state

    def plan(self, policy: Policy, name: str) -> LaunchPlan:
        """Return what a launch would do now; nothing is kept."""
        client = plans.find_client(policy, name)
        facts = self._facts(parts.agent_image(client))
        held = keys.held(name, client, self._kept_placeholders(name))
        slots = self._state.slots()
        networks.refuse_bridge_twins(name, slots)
        slot = networks.choose_slot(policy, slots, self._live(name), name)
        generation = int(self._state.entry(name).get("generation", 0)) + 1
        return plans.make_plan(policy, name, slot, facts, generation, held)

    def launch(self, policy: Policy, name: str) -> Launched:
        """Bring one client's agent up behind proven walls.

        Raise HostkitError if the policy refuses, WallOpen if a wall does not hold, CannotTell if one is not provable;
        in each case the agent does not run and nothing made on the way is left.
        """
        started = time.monotonic()
        client = plans.find_client(policy, name)
        plans.refuse_without_agreement(name, client, datetime.now(UTC).date())
        self._refuse_stopped(name)
        uids.refuse_collisions(self._host)
        values = {key: fetch(key, secret.source) for key, secret in client.secrets.items()}
        with self._state.locked(name):
            self._refuse_other_policy(policy, name)
            self._refuse_stopped(name)  # a program that gives a secret may have taken half a minute
            plan = self._kept_plan(policy, name)
            keys.refuse_reused(self._state, name, values)
            already = self._running(plan)
            held = self._reprove(plan, values) if already else self._bring_up(plan, values)
            self._remember(plan, policy.path)
        return Launched(plan, held, already, time.monotonic() - started)

    def _refuse_stopped(self, name: str) -> None:
        if stopped := self._state.entry(name).get("stopped"):
            raise HostkitError(f"{name}: its gateway was stopped by {stopped}", f"hostkit gateway go {name}")

    def stop(self, name: str) -> list[str]:
        """Remove the containers and networks of a client and return their names; volumes and records stay."""
        with self._state.locked(name):
            if self._state.entry(name):
                self._state.update(name, running=False)
            return self._tear_down(name)

    def remove(self, name: str) -> list[str]:
        """Stop a client and delete its volumes, all but the records; return the names of what is gone."""
        with self._state.locked(name):
            gone = self._tear_down(name)
            for volume in self._engine.volumes(name):
                if not volume.endswith("-records"):
                    self._engine.remove_volume(volume)
                    gone.append(volume)
            self._state.forget(name)
            keys.remove_authority(name)
        return gone

    def would_remove(self, name: str) -> list[str]:
        """Return what `remove` would delete."""
        running = [entry["Name"].lstrip("/") for entry in self._engine.containers(all=True, client=name)]
        kept = [volume for volume in self._engine.volumes(name) if not volume.endswith("-records")]
        return [*running, *kept]

    def current_plan(self, policy: Policy, name: str) -> LaunchPlan:
        """Return the plan of a client that runs; raise HostkitError if it does not."""
        plan = self.plan(policy, name)
        if not self._running(plan):
            raise HostkitError(f"{name} is not running", f"hostkit launch {name}")
        return plan

    def drilling(self, name: str) -> AbstractContextManager[None]:
        """Hold a client's drill: one at a time, or the second would clear the first away."""
        return self._state.locked(f"{name}+drill", wait=False)

    def borrow_slots(self, policy: Policy, name: str, count: int) -> list[Slot]:
        """Return free slots for a drill of a client, kept from everyone else until `return_slots`."""
        found = []
        with self._state.locked(_SLOTS):
            for number in range(count):
                borrowed = f"{name}/{number}"
                slot = networks.choose_slot(policy, self._state.slots(), self._live(name), borrowed)
                self._state.keep_slot(borrowed, slot)
                found.append(slot)
        return found

    def return_slots(self, name: str) -> None:
        """Give back what `borrow_slots` took."""
        for borrowed in [known for known in self._state.slots() if known.startswith(f"{name}/")]:
            self._state.forget(borrowed)

    def host_addresses(self) -> dict[str, tuple[str, ...]]:
        """Return each interface of this host with its addresses."""
        return dict(self._host.addresses())

    def launched(self) -> list[str]:
        """Return the clients that were launched and not stopped, and those that have a container."""
        kept = {name for name in self._state.slots() if self._state.entry(name).get("running")}
        return sorted(kept | {owner(document) for document in self._engine.containers(all=True)} - {""})

    def kept(self, name: str) -> dict[str, Any]:
        """Return what is remembered of a client."""
        return self._state.entry(name)

    def parts(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the inspect document of each part of a client's sandbox that is there."""
        documents = self._engine.containers(all=True, client=name)
        return {document["Config"]["Labels"].get("hostkit.part", "?"): document for document in documents}

    def exec(self, name: str, command: list[str], write: Callable[[int, bytes], None]) -> int:
        """Run a command in a client's agent, hand on what it writes as it comes, return its exit code.

        Raise HostkitError if the agent is not running.
        """
        agent = self._engine.inspect(f"hostkit-{name}-agent")
        if agent is None or not agent["State"]["Running"]:
            raise HostkitError(f"{name} is not running", f"hostkit launch {name}")
        return self._engine.stream(f"hostkit-{name}-agent", command, write)

    def _facts(self, agent: str) -> EngineFacts:
        names = {agent, parts.gateway_image(), parts.probe_image()}
        images = {image: self._engine.image_id(image) for image in names}
        known = {image: found for image, found in images.items() if found}
        return EngineFacts(self._engine.version(), known, self._host_addresses(), confinement(self._engine, self._host))

    def _host_addresses(self) -> tuple[str, ...]:
        found = {address for entries in self._host.addresses().values() for address in entries}
        return tuple(sorted(found))

    def _live(self, name: str) -> tuple[str, ...]:
        """Return the networks that are routed on this host, but for those of the client itself."""
        own = {networks.bridge_name(kind, name) for kind in ("hki", "hke")}
        return tuple(route for route, device in _routes(self._host.read("/proc/net/route")) if device not in own)

    def _remember(self, plan: LaunchPlan, path: str) -> None:
        facts = {"trust": plan.trust, "notes": list(plan.notes), "policy": path, "fixed": drift.fixed(plan)}
        self._state.update(plan.client, **facts, running=True, proved=time.time(), leaves=time.time())

    def _kept_placeholders(self, name: str) -> dict[str, str]:
        """Return what a running agent holds; one that does not run gets new ones with its next launch."""
        document = self._engine.inspect(f"hostkit-{name}-agent")
        up = document is not None and bool(document["State"].get("Running"))
        return dict(self._state.entry(name).get("placeholders", {})) if up else {}

    def _kept_plan(self, policy: Policy, name: str) -> LaunchPlan:
        with self._state.locked(_SLOTS):
            plan = self.plan(policy, name)
            if self._state.slots().get(name) != plan.slot:
                self._state.keep_slot(name, plan.slot)
            # The number is used up even if what follows fails: a vault's generation is never written twice.
            self._state.update(name, placeholders=plan.placeholders, generation=plan.generation)
        return plan

    def _refuse_other_policy(self, policy: Policy, name: str) -> None:
        kept = self._state.entry(name).get("policy")
        if kept and kept != policy.path and self._engine.containers(client=name):
            raise HostkitError(f"{name} runs from another policy, {kept}", f"hostkit --policy {kept} stop {name} first")

    def _running(self, plan: LaunchPlan) -> bool:
        documents = [self._engine.inspect(part.name) for part in (plan.agent, plan.gateway)]
        return all(document is not None and document["State"]["Running"] for document in documents)

    def _reprove(self, plan: LaunchPlan, values: dict[str, bytes]) -> tuple[str, ...]:
        """Reload the rules of a running gateway and prove the walls again, beside the running agent.

        Raise HostkitError, before anything changes, if the sandbox would have to be made anew for this plan.
        """
        kept = self._state.entry(plan.client).get("fixed", {})
        _refuse_changed(plan, drift.differences(kept, plan))
        try:
            with self._vault(plan, values, vault.running_generation(self._engine, plan.client)):
                return self._prove_beside(parts.without_secrets(plan))
        except WallOpen as why:
            self._tear_down(plan.client)
            raise WallOpen(why.what, "the agent that ran behind it was stopped") from None
        except CannotTell as why:
            raise CannotTell(why.what, "the agent was left as it is") from None
        finally:
            self._engine.remove_container(plan.probe.name)

    def _prove_beside(self, plan: LaunchPlan) -> tuple[str, ...]:
        self._engine.make_container(plan.probe, stdin=True)
        _refuse_changed(plan, self._drifted(plan))
        self._engine.put(plan.gateway.name, "/rules", [Entry("rules.json", plan.rules.to_json().encode())])
        self._read_back(plan)
        with Proof(self._engine, self._host, plan, {}) as proof:
            proof.attach()
            self._engine.start(plan.probe.name)
            proof.attack()
            await_rules(self._engine, plan)  # by its old ones it may have no room to put on record what is asked
            proof.ask()
            return proof.judge()

    def _drifted(self, plan: LaunchPlan) -> list[str]:
        """Return the walls in which the running agent differs from a probe made now; their volumes always do."""
        agent, probe = (self._engine.inspect(part.name) or {} for part in (plan.agent, plan.probe))
        return drift.drift(agent, probe, but=("Mounts",))

    def _bring_up(self, plan: LaunchPlan, values: dict[str, bytes]) -> tuple[str, ...]:
        self._tear_down(plan.client)
        networks.refuse_taken_bridges(plan, self._host.addresses())
        try:
            with Proof(self._engine, self._host, plan, parts.given(plan, values)) as proof:
                self._make(plan, proof, values)
                held = proof.judge()
                self._refuse_stopped(plan.client)
                self._engine.start(plan.agent.name)
            self._look_at_what_runs(plan)
        except BaseException:
            self._tear_down(plan.client)
            raise
        return held

    def _look_at_what_runs(self, plan: LaunchPlan) -> None:
        """Read back what runs while the probe is removed, and see that the agent has not ended meanwhile."""
        side_by_side(partial(self._read_back, plan), partial(self._engine.remove_container, plan.probe.name))
        self._refuse_ended(plan)

    def _read_back(self, plan: LaunchPlan) -> None:
        """Raise WallOpen unless agent and gateway are of the planned images, the agent of planned uid and profile."""
        agent, gateway = side_by_side(*(partial(self._engine.inspect, p.name) for p in (plan.agent, plan.gateway)))
        wrong = [
            f"{part.name} runs image {found}, not {part.image}"
            for part, document in ((plan.agent, agent), (plan.gateway, gateway))
            if (found := drift.other_image(document or {}, part.image))
        ]
        wrong += self._wrong_process(plan, (agent or {}).get("State", {}))
        if wrong:
            raise WallOpen("; ".join(wrong), "the agent was taken down")

    def _wrong_process(self, plan: LaunchPlan, state: dict[str, Any]) -> list[str]:
        """Return in what the agent's process differs from the plan, as the host sees it."""
        if not (pid := int(state.get("Pid", 0))):
            raise self._ended(plan, state)
        try:
            status, uid_map = (self._host.read(f"/proc/{pid}/{name}") for name in ("status", "uid_map"))
            profile = wrong_profile(self._host, plan.agent.apparmor, pid)
        except CannotTell:  # it may have ended since the engine told its number, which the engine learns a moment later
            if (now := self._end_of(plan.agent.name)) is None:
                raise
            raise self._ended(plan, now) from None
        return [word for word in (uids.wrong_uid(plan.host_uid, status, uid_map), profile) if word]

    def _refuse_ended(self, plan: LaunchPlan) -> None:
        """Raise CannotTell if the agent ended since its process was looked at."""
        if not (state := (self._engine.inspect(plan.agent.name) or {}).get("State", {})).get("Pid"):
            raise self._ended(plan, state)

    def _end_of(self, container: str) -> dict[str, Any] | None:
        """Return a container's state once the engine says that it ended, None if it does not within a second."""
        for _ in tries(_NOTICED):
            if not (state := (self._engine.inspect(container) or {}).get("State", {})).get("Pid"):
                return dict(state)
        return None

    def _ended(self, plan: LaunchPlan, state: dict[str, Any]) -> CannotTell:
        words = self._engine.logs(plan.agent.name, 1).strip()
        said = f": {words[-200:]!r}" if words else ""
        return CannotTell(f"the agent ended at once (exit {state.get('ExitCode')}){said}", "see agent.command")

    def _make(self, plan: LaunchPlan, proof: Proof, values: dict[str, bytes]) -> None:
        """Make all there is and start all but the agent, side by side where it can be.

        The inner network goes first: the probe on it listens longest for an answer of the host.
        """
        engine, client = self._engine, plan.client
        with contextlib.ExitStack() as held, in_order() as add:
            volumes = [add(partial(self._make_volume, plan, volume)) for volume in parts.volumes(plan)]
            inside = add(partial(engine.make_network, plan.inside, client))
            outside = add(partial(engine.make_network, plan.outside, client), inside)
            probe = add(partial(self._make_probe, plan, proof), volumes[0], inside)
            add(partial(engine.start, plan.probe.name), probe)
            ordered = add(proof.attack, probe, outside)
            filled = add(partial(self._fill, plan), *volumes)
            gateway = add(partial(self._make_gateway, plan), outside, *volumes)
            vault = add(lambda: held.enter_context(self._vault(plan, values)), *volumes)
            started = add(partial(engine.start, plan.gateway.name), gateway, filled, vault)
            add(proof.ask, ordered, started)
            add(partial(engine.make_container, plan.agent), started)
            add(partial(engine.remove_container, parts.filler(plan).name), started)

    def _vault(self, plan: LaunchPlan, values: dict[str, bytes], before: int = 0) -> AbstractContextManager[None]:
        """Hold the gateway's vault filled; the gateway has to have started before the block ends."""
        if not plan.rules.services:
            return contextlib.nullcontext()
        return vault.written(self._engine, parts.writer(plan), vault.filling(plan, values, datetime.now(UTC), before))

    def _make_probe(self, plan: LaunchPlan, proof: Proof) -> None:
        self._engine.make_container(plan.probe, stdin=True)
        proof.attach()

    def _make_gateway(self, plan: LaunchPlan) -> None:
        self._engine.make_container(plan.gateway)
        self._engine.join(plan.inside.name, plan.gateway.name, plan.gateway.address)

    def _make_volume(self, plan: LaunchPlan, volume: str) -> None:
        self._engine.make_volume(volume, plan.client, volume_options(plan, volume))

    def _fill(self, plan: LaunchPlan) -> None:
        """Own the volumes and lay the rules down, through a container that is never started."""
        filler = parts.filler(plan)
        self._engine.make_container(filler)
        entries = [*parts.volume_entries(plan), *parts.trust_entries(plan, datetime.now(UTC))]
        self._engine.put(filler.name, "/mnt", [Entry(*entry) for entry in entries])

    def _tear_down(self, name: str) -> list[str]:
        """Remove what carries the client's label, and nothing else."""
        gone = [entry["Name"].lstrip("/") for entry in self._engine.containers(all=True, client=name)]
        if gone:
            side_by_side(*(partial(self._engine.remove_container, container) for container in gone))
        for network in self._engine.networks(name):
            self._engine.remove_network(network["Id"])
            gone.append(network["Name"])
        return gone


def _routes(text: str) -> list[tuple[str, str]]:
    """Return (network, device) of each v4 route but the default one, from /proc/net/route."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        address, mask = (int.from_bytes(bytes.fromhex(words[index])[::-1]) for index in (1, 7))
        if mask:
            found.append((f"{ipaddress.ip_address(address)}/{mask.bit_count()}", words[0]))
    return found


def _refuse_changed(plan: LaunchPlan, changed: list[str]) -> None:
    if changed:
        do = f"hostkit stop {plan.client}, then launch it again"
        raise HostkitError(f"{plan.client} runs with other walls than planned: {', '.join(changed)}", do)


def volume_options(plan: LaunchPlan, volume: str) -> dict[str, str]:
    """Return with what a volume is made: memory for secrets and vault, the engine's own choice for the others."""
    whose = {"secrets": (plan.host_uid, "1m"), "vault": (plan.host_uid + 1, "8m")}
    if (last := volume.rsplit("-", 1)[-1]) not in whose:
        return {}
    uid, size = whose[last]
    return {"type": "tmpfs", "device": "tmpfs", "o": f"size={size},mode=0700,uid={uid},gid={uid},nosuid,nodev,noexec"}
