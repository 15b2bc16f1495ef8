"""What a machine's neighbours saw all the while: new connections every 50 ms, and a session that is echoed."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import NamedTuple

from tests.machines.machine import wait_for

PACE = 0.05
_KNOCK = """\
import asyncio, sys, time
address, pace, limit, ports = sys.argv[1], *map(float, sys.argv[2:4]), [int(word) for word in sys.argv[4:]]
async def knock(port):
    at, said = time.monotonic(), "no"
    try:
        _, wire = await asyncio.wait_for(asyncio.open_connection(address, port), limit)
        said = "yes"
        wire.close()
    except (OSError, asyncio.TimeoutError):
        pass
    print(at, port, said, flush=True)
async def main():
    tasks = set()
    while True:
        for port in ports:
            task = asyncio.create_task(knock(port))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(pace)
asyncio.run(main())
"""
_ANSWER = """\
import contextlib, socket, sys, time
def listening(port):
    server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096)
    server.setblocking(False)
    return server
servers = [listening(int(port)) for port in sys.argv[1:]]
while True:
    time.sleep(1)
    for server in servers:
        with contextlib.suppress(OSError):
            while True:
                server.accept()[0].close()
"""
"""The kernel shakes hands by itself; who waits is hung up on once a second. Woken by each of 40 connections a second,
a guest without KVM has little time for anything else."""


class Knock(NamedTuple):
    """One attempt: when it began (monotonic seconds), at which port, and whether somebody answered."""

    at: float
    port: int
    answered: bool


class Probes:
    """What was seen so far."""

    def __init__(self):
        self.knocks, self.echoes, self.phases = [], [], []

    def phase(self, name):
        """Say what comes from now on; return when that is, in monotonic seconds."""
        self.phases.append((time.monotonic(), name))
        return self.phases[-1][0]

    def unanswered(self, port):
        """Return each attempt that nobody answered, as seconds into a phase."""
        return [self.told(knock) for knock in self.knocks if knock.port == port and not knock.answered]

    def told(self, knock):
        """Return when an attempt began, as seconds into a phase."""
        begun = (phase for phase in self.phases if phase[0] <= knock.at)
        began, name = max(begun, default=(self.knocks[0].at, "the start"))
        return f"{knock.at - began:.1f} s into {name}"

    def answered(self, port, since=0.0):
        return [knock for knock in self.knocks if knock.port == port and knock.answered and knock.at >= since]

    def silence(self):
        """Return the longest time, in seconds, in which the session heard no echo."""
        return max(after - before for before, after in zip(self.echoes, self.echoes[1:], strict=False))


def answer(machine, *ports):
    """Let the machine answer at these ports, v4 and v6, until it goes; return when it does."""
    words = ("systemd-run", "--quiet", "--unit=answers", "python3", "-c", _ANSWER, *map(str, ports))
    machine.run(*words)
    listening = [f"sport = :{port}" for port in ports]
    wait_for(
        lambda: all(machine.run("ss", "-Hltn", line).stdout for line in listening), machine.patience, "nobody listens"
    )


@contextmanager
def probing(machine, *ports, limit, typing=PACE):
    """Knock at each port every 50 ms, and type into a session every `typing` seconds.

    After `limit` seconds an answer is none.
    """
    seen = Probes()
    knock = (*machine.within, sys.executable, "-c", _KNOCK, machine.address, str(PACE), str(limit), *map(str, ports))
    quiet = {"stdout": subprocess.PIPE, "stdin": subprocess.PIPE, "text": True}
    with subprocess.Popen(knock, **quiet) as knocking, subprocess.Popen(machine.ssh_words("cat"), **quiet) as session:
        work = ((_note, knocking, seen), (_listen, session, seen), (_type, session, typing))
        jobs = [threading.Thread(target=job, args=given, daemon=True) for job, *given in work]
        for job in jobs:
            job.start()
        try:
            yield seen
        finally:
            knocking.kill()
            session.kill()


def _note(process, seen):
    for line in process.stdout:
        at, port, said = line.split()
        seen.knocks.append(Knock(float(at), int(port), said == "yes"))


def _listen(process, seen):
    for _ in process.stdout:
        seen.echoes.append(time.monotonic())


def _type(process, pace):
    try:
        while process.poll() is None:
            process.stdin.write("x\n")
            process.stdin.flush()
            time.sleep(pace)
    except (BrokenPipeError, ValueError):  # it was ended
        return
