"""A launch whose plan lacks one wall: the proof sees it on a real engine, the agent never runs, nothing is left."""

import contextlib
import subprocess
import sys
import time

import pytest

from hostkit.launch.parts import probe_image

pytestmark = pytest.mark.docker
LABEL, LAST = "hostkit.client=e2e-one", "hostkit-e2e-last"

LACKING = """\
import dataclasses, sys
from hostkit.cli import main
from hostkit.drill.lacking import lacking
from hostkit.launch import plan as plans
whole, wall = plans.make_plan, sys.argv[1]
def made(*arguments):
    plan = whole(*arguments)
    lacks, own = lacking(plan, wall), ("name", "image", "command", "address", "mounts", "environment", "labels")
    probe = dataclasses.replace(lacks.agent, **{name: getattr(plan.probe, name) for name in own})
    return dataclasses.replace(lacks, probe=probe)
plans.make_plan = made
main(sys.argv[2:])
"""
OPEN = [
    ("inhibit_host", 1, "the host answers the sandbox at 10.231."),
    ("read_only", 1, "the root file system is not read-only"),
    ("capabilities", 1, "CapBnd is"),
    ("no_new_privileges", 1, "NoNewPrivs is '0'"),
    ("seccomp", 1, "Seccomp is '0'"),
    ("pids", 1, "the process limit is"),
    ("memory", 1, "the memory limit is"),
    ("nofile", 1, "the limit of open files is"),
    ("resolver", 3, "a name asked of Docker's resolver is not among the gateway's denials"),
]


@contextlib.contextmanager
def starting(hostkit):
    """Give the set that holds, after the block, which parts of the client the engine started within it.

    From a stream: of what is past, an engine keeps 256 events, and some seconds of other tests are more.
    """
    these = ("--filter", "event=start", "--filter", f"label={LABEL}", "--format", "{{.Actor.Attributes.name}}")
    words = [*hostkit.engine.before, "docker", "events", "--since", f"{time.time():.3f}", *these]
    seen = set()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as stream:
        try:
            yield seen
            hostkit.docker("run", "--rm", "--label", LABEL, "--name", LAST, probe_image(), "true")
            seen.update(iter(lambda: stream.stdout.readline().strip(), LAST))
        finally:
            stream.kill()


@pytest.mark.parametrize(("wall", "code", "says"), OPEN, ids=lambda value: str(value)[:20])
def test_without_this_wall_there_is_no_agent_and_nothing_is_left(hostkit, wall, code, says):
    words = ("--policy", str(hostkit.policy), "launch", "e2e-one")
    with starting(hostkit) as started:
        done = hostkit.engine.run(sys.executable, "-c", LACKING, wall, *words, HOSTKIT_STATE=str(hostkit.state))
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert started == {"hostkit-e2e-one-gateway", "hostkit-e2e-one-probe"}
    assert hostkit.docker("ps", "-aq", "--filter", f"label={LABEL}").stdout == ""
    assert hostkit.docker("network", "ls", "-q", "--filter", f"label={LABEL}").stdout == ""


def test_with_all_walls_the_agent_starts(hostkit):
    with starting(hostkit) as started:
        assert hostkit("launch", "e2e-one").returncode == 0
    assert "hostkit-e2e-one-agent" in started


def test_a_full_disk_under_the_state_is_one_line_and_nothing_is_made(hostkit):
    folder = hostkit.state.parent / "full"
    folder.mkdir()
    fill = f'mount -t tmpfs -o size=32k tmpfs {folder}; cat /dev/zero > {folder}/filler 2>/dev/null; exec "$@"'
    words = ("unshare", "--mount", "sh", "-c", fill, "full", *hostkit.command("launch", "e2e-one"))
    done = hostkit.engine.run(*words, HOSTKIT_STATE=str(folder))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert f"{folder}: No space left on device; make room" in done.stderr
    assert hostkit.docker("ps", "-aq", "--filter", f"label={LABEL}").stdout == ""
