"""What only a client's gateway may read: its keys and its leaves, written into memory over a container's stdin."""

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from hostkit.engine import Engine
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
print(json.dumps({"written": len(order["files"])}))
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


def contents(plan: LaunchPlan, values: Mapping[str, bytes], now: datetime) -> dict[str, bytes]:
    """Return the vault's files of the plan's generation: a key for each credential, a fresh leaf for each host."""
    from hostkit.secrets import authority  # noqa: PLC0415 - a launch without services needs no certificates

    hosts = opened_hosts(plan)
    issued = authority.issue(plan.client, {leaf_name(host) for host in hosts}, plan.generation, now)
    leaves = {leaf.name: leaf.chain_pem + leaf.key_pem for leaf in issued.leaves}
    keys = {known.secret for service in plan.rules.services for known in service.credentials}
    return {
        **{f"key-{name}": values[name] for name in keys},
        **{leaf_file(host): leaves[leaf_name(host)] for host in hosts},
    }


@contextlib.contextmanager
def written(
    engine: Engine, container: ContainerPlan, files: Mapping[str, bytes], generation: int, keep: tuple[int, ...] = ()
) -> Iterator[None]:
    """Write a generation into the vault, and hold it there as long as the block lasts: by then the gateway holds it.

    Raise CannotTell if the writer does not say that all of it is there.
    """
    engine.make_container(container, stdin=True)
    stream: Any = engine.attach(container.name)
    try:
        engine.start(container.name)
        coded = {name: base64.b64encode(data).decode() for name, data in files.items()}
        order = {"generation": generation, "files": coded, "keep": [str(one) for one in (*keep, generation)]}
        send(stream, json.dumps(order).encode() + b"\n")
        if next(answers(stream, "vault's writer")).get("written") != len(files):
            raise CannotTell("the gateway's vault was not written whole")
        yield
    finally:
        hang_up(stream)
        engine.remove_container(container.name)
