"""A launch whose plan lacks one wall: the proof sees it on a real engine, the agent never runs, nothing is left."""

import sys
import time

import pytest

pytestmark = pytest.mark.docker

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


def started(hostkit, since):
    """Return the parts of the client that the engine started since then."""
    way = ("--since", f"{since:.3f}", "--until", f"{time.time():.3f}", "--format", "{{.Actor.Attributes.name}}")
    return set(hostkit.docker("events", *way, "--filter", "event=start").stdout.split())


@pytest.mark.parametrize(("wall", "code", "says"), OPEN, ids=lambda value: str(value)[:20])
def test_without_this_wall_there_is_no_agent_and_nothing_is_left(hostkit, wall, code, says):
    since = time.time()
    words = ("--policy", str(hostkit.policy), "launch", "e2e-one")
    done = hostkit.engine.run(sys.executable, "-c", LACKING, wall, *words, HOSTKIT_STATE=str(hostkit.state))
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert started(hostkit, since) == {"hostkit-e2e-one-gateway", "hostkit-e2e-one-probe"}
    label = "label=hostkit.client=e2e-one"
    assert hostkit.docker("ps", "-aq", "--filter", label).stdout == ""
    assert hostkit.docker("network", "ls", "-q", "--filter", label).stdout == ""


def test_with_all_walls_the_agent_starts(hostkit):
    since = time.time()
    assert hostkit("launch", "e2e-one").returncode == 0
    assert "hostkit-e2e-one-agent" in started(hostkit, since)


def test_a_full_disk_under_the_state_is_one_line_and_nothing_is_made(hostkit):
    folder = hostkit.state.parent / "full"
    folder.mkdir()
    fill = f'mount -t tmpfs -o size=32k tmpfs {folder}; cat /dev/zero > {folder}/filler 2>/dev/null; exec "$@"'
    words = ("unshare", "--mount", "sh", "-c", fill, "full", *hostkit.command("launch", "e2e-one"))
    done = hostkit.engine.run(*words, HOSTKIT_STATE=str(folder))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert f"{folder}: No space left on device; make room" in done.stderr
    assert hostkit.docker("ps", "-aq", "--filter", "label=hostkit.client=e2e-one").stdout == ""
