"""Measure what the issues promise and write bench/results.json; exit 1 if a goal is missed."""

import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import figures, gateway, soak, start  # noqa: E402 - found by the line above

ROUNDS = 10


def measure(directory: Path) -> list[figures.Figure]:
    os.environ["HOSTKIT_STATE"] = str(directory / "state")
    policy = start.write_policy(directory)
    program = str(ROOT / ".venv" / "bin" / "hostkit")
    hostkit = (program, "--policy", str(policy))
    start.with_hostkit(hostkit)  # a first one warms the page cache for both sides
    start.with_the_bare_engine(legs=2)
    rounds = [_round(hostkit) for _ in range(ROUNDS)]
    ours, whole, one_leg = map(list, zip(*rounds, strict=True))
    helped = figures.times(ROUNDS, lambda: figures.seconds(program, "--help"))
    checked = figures.times(
        ROUNDS, lambda: figures.seconds(*hostkit, "check", "--skip", "probes,scans", codes=(0, 1, 3))
    )
    launch = "hostkit launch to the agent's first instruction"
    return [
        figures.alone("hostkit --help", helped, 0.25),
        figures.alone("hostkit check without probes and scans", checked, 1.5),
        figures.against(f"{launch}; peer: the bare engine, its gateway on both networks", ours, whole, 1.5),
        figures.against(f"{launch}; peer: the bare engine, its gateway on one network", ours, one_leg, 1.5),
    ]


def _round(hostkit: tuple[str, ...]) -> list[float]:
    """Measure each once, after a pause: the kernel is still clearing away what the one before has left."""
    found = []
    for measured in (
        lambda: start.with_hostkit(hostkit),
        lambda: start.with_the_bare_engine(legs=2),
        lambda: start.with_the_bare_engine(legs=1),
    ):
        time.sleep(1)
        found.append(measured())
    return found


def main() -> int:
    figures.as_installed()
    with tempfile.TemporaryDirectory() as directory:
        found = measure(Path(directory))
    if sys.platform == "linux":
        found += [*gateway.measure(), *soak.measure()]
    return figures.report(found, ROOT / "bench" / "results.json")


if __name__ == "__main__":
    raise SystemExit(main())
