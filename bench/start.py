"""From the start of the command to the agent's first instruction: hostkit with its proof, and the bare engine."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import run
from hostkit.launch.parts import gateway_image, probe_image

CLIENT = "bench"
_BARE = "hostkit-bench-bare"
_SAY_WHEN = ("sh", "-c", "date +%s.%N; exec sleep infinity")
_POLICY = f"""\
version: 1
host: {{{{resolvers: [198.51.100.53], profile: solo, pool: {{pool}}}}}}
clients:
  {CLIENT}:
    agreement: {{{{permitted: true, document: bench.pdf, expires: 2099-01-01}}}}
    trust: analyst
    agent: {{{{preset: shell, command: [sh, -c, "date +%s.%N; exec sleep infinity"]}}}}
    egress: [{{{{name: listed.example}}}}]
"""


def write_policy(directory: Path, pool: str = "10.231.240.0/24") -> Path:
    path = directory / "hostkit.yml"
    path.write_text(_POLICY.format(pool=pool))
    return path


def _said(container: str) -> float:
    """Return the time the agent printed; the container's clock is the host's."""
    end = time.monotonic() + 10
    while not (words := run("docker", "logs", container).split()):
        if time.monotonic() > end:
            raise RuntimeError(f"{container} printed no time")
        time.sleep(0.05)
    return float(words[0])


def with_hostkit(hostkit: tuple[str, ...]) -> float:
    """Return the seconds of one launch from nothing: networks, volumes, gateway, proof, agent."""
    started = time.time()
    try:
        run(*hostkit, "launch", CLIENT)
        return _said(f"hostkit-{CLIENT}-agent") - started
    finally:
        run(*hostkit, "remove", CLIENT, "--yes")
        run("docker", "volume", "rm", "-f", f"hostkit-{CLIENT}-records")


def with_the_bare_engine(*, legs: int) -> float:
    """Return the seconds of two networks and two containers, one after the other, without any wall or proof.

    With two legs the gateway can do its work, with one it is a container like any other.
    """
    with _bare_names() as (inner, outer, gateway, agent):
        started = time.time()
        run("docker", "network", "create", "--internal", inner)
        run("docker", "network", "create", outer)
        way = ("--name", gateway, "--network", outer, gateway_image(), "sleep", "infinity")
        if legs == 1:
            run("docker", "run", "-d", *way)
        else:
            run("docker", "create", *way)
            run("docker", "network", "connect", inner, gateway)
            run("docker", "start", gateway)
        run("docker", "run", "-d", "--name", agent, "--network", inner, probe_image(), *_SAY_WHEN)
        return _said(agent) - started


@contextlib.contextmanager
def _bare_names() -> Iterator[tuple[str, str, str, str]]:
    inner, outer, gateway, agent = (f"{_BARE}-{part}" for part in ("in", "out", "gateway", "agent"))
    try:
        yield inner, outer, gateway, agent
    finally:
        run("docker", "rm", "-f", gateway, agent, codes=(0, 1))
        run("docker", "network", "rm", inner, outer, codes=(0, 1))
