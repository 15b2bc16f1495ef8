"""What only a client's gateway may read: its keys and its leaves, written into memory over a container's stdin."""

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hostkit.engine import Engine, tries
from hostkit.errors import CannotTell
from hostkit.gateway.inspect.vault import leaf_file
from hostkit.launch.attached import answers, hang_up, send
from hostkit.launch.model import ContainerPlan, LaunchPlan

VAULT_WRITER = """\
import base64, json, os, shutil, sys
order = json.loads(sys.stdin.readline())
for old in os.listdir("/vault"):
    if old not in order["keep"]:
        shutil.rmtree(f"/vault/{old}")
os.makedirs(f"/vault/{order['generation']}", mode=0o700, exist_ok=True)
for name, coded in order["files"].items():
    path = f"/vault/{order['generation']}/{name}"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
    with os.fdopen(fd, "wb") as file:
        file.write(base64.b64decode(coded))
for name in order["copy"]:
    shutil.copy(f"/vault/{order['from']}/{name}", f"/vault/{order['generation']}/{name}", follow_symlinks=False)
print(json.dumps({"written": len(order["files"]) + len(order["copy"])}))
sys.stdin.read()
"""
"""Runs in the writer: it lays one generation down, drops those that nobody goes by, and waits to be hung up."""


def opened_hosts(plan: LaunchPlan) -> tuple[str, ...]:
    """Return the hosts that the plan's gateway opens, as its rules name them."""
    return tuple(host for service in plan.rules.services for host in service.hosts)


def leaf_name(host: str) -> str:
    """Return the name that a host's leaf is made out to: no client takes a `*` that is not a whole first label."""
    first, dot, rest = host.partition(".")
    return f"*{dot}{rest}" if "*" in first else host


@dataclass(frozen=True)
class Filling:
    """One generation of a vault: its files, those taken over from generation `since`, and the generations that stay."""

    generation: int
    files: Mapping[str, bytes] = field(repr=False)
    taken_over: tuple[str, ...] = ()
    since: int = 0
    keep: tuple[int, ...] = ()

    def order(self) -> bytes:
        """Return the line that tells the writer all of it."""
        coded = {name: base64.b64encode(data).decode() for name, data in self.files.items()}
        keep = [str(one) for one in (*self.keep, self.since, self.generation)]
        order = {"generation": self.generation, "files": coded, "keep": keep, "copy": self.taken_over}
        return json.dumps({**order, "from": self.since}).encode() + b"\n"

    @property
    def size(self) -> int:
        """Return how many files there will be."""
        return len(self.files) + len(self.taken_over)


def filling(plan: LaunchPlan, values: Mapping[str, bytes], now: datetime, before: int = 0) -> Filling:
    """Return what the plan's generation needs, while the gateway goes by generation `before`."""
    keys = {name: values[name] for name in key_names(plan)}
    files = {**{f"key-{name}": value for name, value in keys.items()}, **_leaves(plan, now)}
    return Filling(plan.generation, files, keep=(before,) if before else ())


def renewal(plan: LaunchPlan, now: datetime, before: int) -> Filling:
    """Return fresh leaves beside the keys of generation `before`, which nobody has to fetch again."""
    return Filling(plan.generation, _leaves(plan, now), tuple(f"key-{name}" for name in key_names(plan)), before)


def key_names(plan: LaunchPlan) -> list[str]:
    """Return the secrets whose values the plan's gateway needs."""
    return sorted({known.secret for service in plan.rules.services for known in service.credentials})


def _leaves(plan: LaunchPlan, now: datetime) -> dict[str, bytes]:
    from hostkit.secrets import authority  # noqa: PLC0415 - a launch without services needs no certificates

    hosts = opened_hosts(plan)
    issued = authority.issue(plan.client, {leaf_name(host) for host in hosts}, plan.generation, now)
    leaves = {leaf.name: leaf.chain_pem + leaf.key_pem for leaf in issued.leaves}
    return {leaf_file(host): leaves[leaf_name(host)] for host in hosts}


@contextlib.contextmanager
def written(engine: Engine, container: ContainerPlan, filling: Filling) -> Iterator[None]:
    """Write a generation into the vault, and hold it there as long as the block lasts: by then the gateway holds it.

    Raise CannotTell if the writer does not say that all of it is there.
    """
    engine.make_container(container, stdin=True)
    stream: Any = engine.attach(container.name)
    try:
        engine.start(container.name)
        send(stream, filling.order())
        if next(answers(stream, "vault's writer")).get("written") != filling.size:
            raise CannotTell("the gateway's vault was not written whole")
        yield
    finally:
        hang_up(stream)
        engine.remove_container(container.name)


def running_generation(engine: Engine, client: str) -> int:
    """Return the generation that a running gateway says it goes by, 0 if it says none."""
    said = (engine.gateway_status(client) or {}).get("generation")
    return said if isinstance(said, int) else 0


def await_rules(engine: Engine, plan: LaunchPlan, patience: float = 10.0) -> None:
    """Wait until the running gateway goes by the plan's rules; raise CannotTell after `patience` seconds."""
    said: dict[str, Any] = {}
    for _ in tries(patience):
        said = engine.gateway_status(plan.client) or {}
        if said.get("generation") == plan.generation:
            return
    why = said.get("why") or f"it goes by generation {said.get('generation')}, not {plan.generation}"
    raise CannotTell(f"the gateway did not take the new rules: {why}")
