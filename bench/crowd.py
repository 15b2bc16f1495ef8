"""How long `hostkit check` takes without probes and scans, and how much memory: alone, in a crowd, and beside Lynis.

`python bench/crowd.py [--no-lynis]`, as root, prints its figures; it exits with 1 if a goal is missed. The crowd is
3,000 processes and 20,000 listening sockets on loopback, of this program's own and gone when it ends. Lynis must be
installed (apt-get install lynis); it writes its log and report to a directory of this run.
"""

import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.figures import Figure, as_installed, verdict  # noqa: E402 - found by the line above

ROUNDS, PROCESSES, SOCKETS, HOLDERS = 7, 3_000, 20_000, 10
SECONDS, MEBIBYTES, SHARE, IN_A_CROWD = 1.0, 80.0, 1 / 40, 3
_POLICY = "version: 1\nhost:\n  resolvers: [198.51.100.53]\n"
_MANY = f"i=0; while [ $i -lt {PROCESSES} ]; do sleep 900 & i=$((i+1)); done; echo ready; wait"
_LISTENING = f"""\
import socket, time
held = []
for number in range({SOCKETS // HOLDERS}):
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    one.listen(1)
    held.append(one)
print("ready", flush=True)
time.sleep(900)
"""


@dataclass(frozen=True)
class Run:
    """One run of a command: its seconds, and the memory of its largest process, in MiB."""

    seconds: float
    resident: float


def measured(*command: str, codes: tuple[int, ...]) -> Run:
    """Return what a command took; raise RuntimeError if it did not end as it should.

    Its memory is never told as less than this program's own, which it has until it is itself: so this one stays small.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        taken = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it again
        errors.seek(0)
        if child.returncode not in codes:
            raise RuntimeError(f"{command[0]} ended with {child.returncode}: {errors.read()[-300:]!r}")
    return Run(taken, usage.ru_maxrss / 1024)


@contextmanager
def crowd() -> Iterator[None]:
    """Hold the crowd while the block runs; each part is a session of its own, so that all of it is ended."""
    commands = [("sh", "-c", _MANY), *((sys.executable, "-c", _LISTENING) for _ in range(HOLDERS))]
    parts: list[subprocess.Popen[str]] = []
    try:
        parts.extend(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) for command in commands
        )
        for part in parts:
            if part.stdout is None or part.stdout.readline() != "ready\n":
                raise RuntimeError("the crowd did not come together: are processes or open files limited?")
        yield
    finally:
        for part in parts:
            os.killpg(part.pid, signal.SIGKILL)
        for part in parts:
            part.communicate()


def figures(name: str, runs: list[Run], times: int) -> list[Figure]:
    """Return the medians of these runs against the goals, which are so many times wider."""
    seconds, resident = (
        statistics.median(found) for found in zip(*((r.seconds, r.resident) for r in runs), strict=True)
    )
    return [
        Figure(name, round(seconds, 3), "s", None, None, SECONDS * times),
        Figure(f"{name}, memory", round(resident, 1), "MiB", None, None, MEBIBYTES * times),
    ]


def beside_lynis(ours: float, directory: Path) -> Figure:
    """Return our share of Lynis' time on the same machine, now."""
    told = directory / "lynis.dat"
    places = ("--logfile", str(directory / "lynis.log"), "--report-file", str(told))  # it takes none with a `=`
    peer = measured("lynis", "audit", "system", "--quick", "--quiet", "--no-colors", *places, codes=(0, 78)).seconds
    if "report_datetime_end=" not in told.read_text(errors="replace"):
        raise RuntimeError("lynis did not come to its end, so its time says nothing")
    return Figure("hostkit check; peer: Lynis", round(ours, 3), "s", round(peer, 3), round(ours / peer, 4), SHARE)


def main(lynis: bool) -> int:  # noqa: FBT001 - of the command line
    if lynis and not shutil.which("lynis"):
        print("lynis is not installed; apt-get install lynis, or leave it out with --no-lynis", file=sys.stderr)
        return 2
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with tempfile.TemporaryDirectory() as name:
        return verdict(_all(Path(name), lynis=lynis))


def _all(directory: Path, *, lynis: bool) -> list[Figure]:
    as_installed()
    policy = directory / "hostkit.yml"
    policy.write_text(_POLICY)
    os.environ["HOSTKIT_STATE"] = str(directory / "state")
    command = (sys.executable, "-m", "hostkit", "--policy", str(policy), "check", "--skip", "probes,scans", "--json")
    check = lambda: measured(*command, codes=(0, 1, 3))  # noqa: E731 - the one thing that is measured
    check()  # the first one warms the page cache
    alone = [check() for _ in range(ROUNDS)]
    found = figures("hostkit check", alone, 1)
    with crowd():
        found += figures("hostkit check in a crowd", [check() for _ in range(ROUNDS)], IN_A_CROWD)
    return [*found, beside_lynis(found[0].value, directory)] if lynis else found


if __name__ == "__main__":
    raise SystemExit(main("--no-lynis" not in sys.argv[1:]))
