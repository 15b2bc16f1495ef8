"""kill -9 at any moment: the next run finishes the job, and nobody was ever cut off, nor a confirmed fence open."""

import random
import subprocess
import sys
import time

import pytest

from hostkit.bootstrap.guard import UP
from tests.e2e.test_bootstrap import WALLS, all_of, answers, confirm, is_pending, prepare, proved, tables
from tests.machines.machine import FOREIGN, wait_for
from tests.machines.prober import answer, probing

LET_IN, CLOSED = 2022, 8080
POLICY = f"""\
version: 1
host: {{{{management: [eth0], management_ports: [22, {LET_IN}, {{more}}], resolvers: [{FOREIGN}]}}}}
"""
KILL = "pkill -KILL -f '/usr/local/bin/[h]ostkit bootstrap|/usr/local/lib/hostkit/[f]ence'"
FIRST, LATER = 6, 11
"""Rounds on a machine that nobody hardened, and on one whose fence was confirmed; each has a run to kill."""


def wish(machine, number):
    """Give the machine a policy whose fence is another one than before."""
    machine.run(
        "install", "-m", "0600", "/dev/stdin", "/etc/hostkit/hostkit.yml", stdin=POLICY.format(more=9000 + number)
    )


def kill(machine, seconds, session):
    """Wait these seconds, and kill; again until there is something to kill, for a login may take longer."""
    time.sleep(seconds)
    wait_for(
        lambda: machine.run("sh", "-c", KILL, check=False).code == 0 or session.poll() is not None, machine.patience
    )


def kill_after(machine, seconds, *, confirming=False):
    """Start a bootstrap, and kill it and its fence's program that long after; `confirming`: while it is confirmed."""
    words = machine.ssh_words("sudo", "hostkit", "bootstrap", user="admin")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, **quiet) as session:
        if confirming:
            wait_for(lambda: is_pending(machine) or session.poll() is not None, 60)
            words = machine.ssh_words("sudo", "hostkit", "bootstrap", "--confirm", user="admin")
            with subprocess.Popen(words, **quiet):
                kill(machine, seconds, session)
        else:
            kill(machine, seconds, session)
        session.wait(machine.patience)
    wait_for(lambda: machine.run("pgrep", "-f", "ansible|mitogen", check=False).code, 15)


def finish(machine, *only):
    """Run a bootstrap to its end, and confirm the fence that it put up itself; one that a killed run left may wait."""
    words = machine.ssh_words("sudo", "hostkit", "bootstrap", *only, user="admin")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as session:
        said = []
        for line in session.stdout:
            said.append(line)
            if line.startswith(UP):
                assert confirm(machine).code == 0
        assert session.wait() == 0, "".join(said)


def nobody_saw_either(seen, confirmed):
    """Assert that no neighbour was ever cut off, nor found a confirmed fence open."""
    assert len(seen.answered(LET_IN)) > 1000
    assert seen.unanswered(LET_IN) == [], f"{seen.silence():.1f} s without an echo"
    assert [seen.told(knock) for knock in seen.answered(CLOSED, since=confirmed)] == []


@pytest.mark.systemd
@pytest.mark.timeout(900)
def test_seventeen_kills_at_any_moment_cut_nobody_off_and_open_nothing(systemd_machine):
    """New connections on the management ports and a live session go on all the while; what was confirmed stays closed.

    Until a fence was confirmed, what was open before stays open: that is the machine as its owner left it.
    """
    machine, seed = systemd_machine, random.randrange(1 << 32)
    sys.stderr.write(f"seed {seed}\n")
    dice = random.Random(seed)
    prepare(machine)
    wish(machine, 0)
    answer(machine, LET_IN, CLOSED)
    with probing(machine, LET_IN, CLOSED, limit=1.0) as seen:
        for _ in range(FIRST):
            kill_after(machine, dice.uniform(0.2, 9))
        finish(machine)
        confirmed = seen.phase("the confirmed fence")
        for number in range(1, LATER + 1):
            wish(machine, number)
            if number % 3 == 0:
                kill_after(machine, dice.uniform(0, 1.2), confirming=True)
            else:
                kill_after(machine, dice.uniform(0.2, 7))
        wish(machine, 99)
        finish(machine)
        assert answers(machine) == all_of(machine, "ok")
        assert machine.run("hostkit", "bootstrap").stdout.startswith("0 changed, ")
    nobody_saw_either(seen, confirmed)
    assert len(seen.echoes) > 1000
    assert seen.silence() < 3  # a session whose packets were dropped would wait for the roll-back


FENCE = ("--only", "fence")
"""What another policy changes of the walls, once all of them are there."""
MOMENTS = {
    "render": "/etc/hostkit/fence.candidate.nft",
    "apply": "/run/hostkit/fence.applying",
    "confirm": "/etc/hostkit/fence.nft.new",
}
"""What is there only from, or only during, each of these moments."""
SPY = """python3 -c 'import os, sys, time
while not os.path.exists(sys.argv[1]): time.sleep(0.005)'"""


def lie_in_wait(machine, moment):
    """Kill the bootstrap and its fence's program, all in the machine itself, as soon as the moment has come."""
    script = f"rm -f {MOMENTS[moment]}; touch /run/lies-in-wait; {SPY} {MOMENTS[moment]}; {KILL}"
    machine.run("sh", "-c", "rm -f /run/lies-in-wait")
    machine.run("systemd-run", "--quiet", "--collect", "--unit=killer", "sh", "-c", f"{script} && touch /run/{moment}")
    wait_for(lambda: machine.run("test", "-e", "/run/lies-in-wait", check=False).code == 0, 30)


def killed_in(machine, moment, *only):
    """Run a bootstrap that is killed at that moment, and a confirmation if it is the one."""
    lie_in_wait(machine, moment)
    words = machine.ssh_words("sudo", "hostkit", "bootstrap", *only, user="admin")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as session:
        if moment == "confirm":
            wait_for(lambda: is_pending(machine) or session.poll() is not None, machine.patience)
            machine.ssh("sudo", "hostkit", "bootstrap", "--confirm", user="admin", check=False)
        said, _ = session.communicate(timeout=machine.patience)
    wait_for(lambda: machine.run("test", "-e", f"/run/{moment}", check=False).code == 0, 60, f"not killed: {said}")
    wait_for(lambda: machine.run("pgrep", "-f", "[a]nsible|[m]itogen", check=False).code, 60)


@pytest.mark.vm
@pytest.mark.timeout(1700)
def test_a_kill_inside_render_apply_and_confirm_is_made_good_by_the_next_run(vm_machine):
    machine = vm_machine
    prepare(machine)
    wish(machine, 0)
    answer(machine, LET_IN, CLOSED)
    with probing(machine, LET_IN, CLOSED, limit=10.0, typing=0.5) as seen:
        seen.phase("the kill in render")
        killed_in(machine, "render", *WALLS)
        assert "table inet hostkit" not in tables(machine)
        seen.phase("the run after it")
        finish(machine, *WALLS)
        confirmed = seen.phase("the kill in apply")
        wish(machine, 1)
        killed_in(machine, "apply", *FENCE)
        assert machine.run("test", "-e", "/etc/hostkit/fence.nft").code == 0

        seen.phase("the kill in confirm")
        wish(machine, 2)
        killed_in(machine, "confirm", *FENCE)
        assert "table inet hostkit" in tables(machine)

        seen.phase("the last run")
        finish(machine, *FENCE)
        assert set(answers(machine, *proved(WALLS[1])).values()) == {"ok"}
    nobody_saw_either(seen, confirmed)
    assert seen.silence() < 10  # without KVM a busy guest is slow; the roll-back would take two minutes
