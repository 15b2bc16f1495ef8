"""Docker 26.1 out of a Debian 13 tree, in a network and a mount namespace of its own.

The tree and the engine's images stay in a cache folder for the next run; the engine, its namespaces and its
interfaces are gone when the block ends. Its bridges and rules live in its own network namespace, so hostkit has to
run there as well: its proof opens listeners on that host's addresses.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.machines.machine import work

NAME = "hostkit-26"
PACKAGES = ("apparmor", "docker.io", "iptables", "nftables", "iproute2", "ca-certificates")
NEWEST = "usr/sbin/apparmor_parser"
"""What a tree lacks that was built before the newest of these packages was listed."""
_INSIDE = ("nsenter", f"--net=/run/netns/{NAME}")
LAN = "203.0.113.10"
"""The namespace's own address on its LAN: the proof and the drill count neither loopback nor a bridge of Docker's."""

_INSTALL = """\
set -eu
cp /etc/resolv.conf "$1/etc/resolv.conf"
printf '#!/bin/sh\\nexit 101\\n' > "$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive
chroot "$1" apt-get update -qq
tree=$1; shift
chroot "$tree" apt-get install -y -qq --no-install-recommends "$@"
chroot "$tree" apt-get clean
"""
# A bind on itself makes the tree a mount, so that it can become the root of this mount namespace. With a chroot in
# its place, containers start, but an exec in one finds itself in the machine's own root.
_START = """\
set -eu
tree=$1; state=$2
mount --make-rprivate /
mount --bind "$tree" "$tree"; cd "$tree"
for part in proc sys dev; do mount --rbind "/$part" "$tree/$part"; done
mkdir -p "$tree/var/lib/hk26" "$tree/machine"; mount --bind "$state" "$tree/var/lib/hk26"
pivot_root . machine
exec chroot . sh -c 'umount -l /machine; exec dockerd --data-root /var/lib/hk26/data --exec-root /var/lib/hk26/exec \
  -p /var/lib/hk26/pid -H unix:///var/lib/hk26/docker.sock'
"""
_LAN = (
    "link set lo up",
    "link add lan0 type veth peer name lan1",
    f"address add {LAN}/24 dev lan0",
    "link set lan0 up",
    "link set lan1 up",
    "route add default via 203.0.113.1",
)


@dataclass(frozen=True)
class Reach:
    """How a test reaches one engine: words before each command, and the environment."""

    name: str
    before: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command, timeout=120.0, **more):
        environment = {**os.environ, **self.environment, **more}
        words = [*self.before, *command]
        return subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=environment, check=False)

    def start(self, *command):
        """Start a command that goes on until its process is killed."""
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        return subprocess.Popen([*self.before, *command], **quiet)


FIRST = Reach("docker-20.10")
both_engines = pytest.mark.parametrize(
    "engine", [FIRST.name, pytest.param("docker-26.1", marks=pytest.mark.second_engine)], indirect=True
)


def cache():
    return work() / "second-engine"


@contextlib.contextmanager
def second_engine(images):
    """Yield how to reach a running Docker 26.1 that holds `images`; one test run at a time has it."""
    place = cache()
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree, state = build_tree(place), place / "state"
        _end(state)
        state.mkdir(mode=0o700, exist_ok=True)
        engine = None
        try:
            engine = _start(tree, state)
            yield _ready(engine, state, images)
        finally:
            _end(state)
            if engine is not None:
                engine.wait()


def build_tree(place):
    """Return the finished tree; it has its name only when it is whole, what is half built is built anew."""
    tree, building = place / "trixie", place / "trixie.building"
    if not tree.exists():
        if building.exists():
            shutil.rmtree(building)
        _do(place, "unshare", "-m", "debootstrap", "--variant=minbase", "trixie", str(building), timeout=900)
        _install(place, building)
        building.rename(tree)
    if not (tree / NEWEST).exists():
        _install(place, tree)
    return tree


def _install(place, tree):
    _do(place, "unshare", "-m", "sh", "-c", _INSTALL, "install", str(tree), *PACKAGES, timeout=900)


def _do(place, *command, timeout=60.0):
    log = place / "build.log"
    with log.open("a") as out:
        done = subprocess.run(command, stdout=out, stderr=out, timeout=timeout, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[:4]} ended with {done.returncode}; see {log}: {log.read_text()[-300:]}")


def _start(tree, state):
    """Start the engine in namespaces of its own; the kernel ends it should this process be killed."""
    _do(state, "ip", "netns", "add", NAME)
    for words in _LAN:
        _do(state, "ip", "-n", NAME, *words.split())
    alone = ("setpriv", "--pdeathsig", "TERM", *_INSIDE, "unshare", "-m")
    with (state / "dockerd.log").open("w") as log:
        command = [*alone, "sh", "-c", _START, "start", str(tree), str(state)]
        engine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (state / "engine.pid").write_text(str(engine.pid))
    return engine


def _ready(engine, state, images):
    reach = Reach("docker-26.1", _INSIDE, {"DOCKER_HOST": f"unix://{state}/docker.sock"})
    end = time.monotonic() + 60
    while (answer := reach.run("docker", "version", "--format", "{{.Server.Version}}")).returncode:
        if engine.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the second engine did not start: {(state / 'dockerd.log').read_text()[-500:]}")
        time.sleep(0.2)
    if not answer.stdout.startswith("26.1."):
        raise RuntimeError(f"the Debian 13 tree holds Docker {answer.stdout.strip()}, not 26.1")
    for image in images:
        _load(reach, image)
    return reach


def _load(reach, image):
    """Bring one image over; an image keeps its id on the way, so one that is there already is known by it."""
    wanted = json.loads(FIRST.run("docker", "image", "inspect", image).stdout)[0]["Id"]
    found = reach.run("docker", "image", "inspect", "--format", "{{.Id}}", image)
    if found.stdout.strip() == wanted:
        return
    environment = {**os.environ, **reach.environment}
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
        subprocess.run([*reach.before, "docker", "load", "-q"], stdin=saved.stdout, env=environment, check=True)
    if saved.returncode:
        raise RuntimeError(f"docker save {image} ended with {saved.returncode}")
    reach.run("docker", "image", "prune", "-f")


def _end(state):
    """End the engine of this run, or what a killed run left: by its pid, then whatever still lives in its namespace."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        _end_pid(int((state / "engine.pid").read_text()), signal.SIGTERM, 30)
        (state / "engine.pid").unlink()
    listed = subprocess.run(["ip", "netns", "pids", NAME], capture_output=True, text=True, check=False)
    for pid in listed.stdout.split():
        _end_pid(int(pid), signal.SIGKILL, 5)
    subprocess.run(["ip", "netns", "del", NAME], capture_output=True, check=False)
    shutil.rmtree(state / "exec", ignore_errors=True)
    (state / "pid").unlink(missing_ok=True)


def _end_pid(pid, how, patience):
    """Signal a process of the namespace and wait for it; a pid that another process has by now is left alone."""
    try:
        ours = Path(f"/proc/{pid}/ns/net").samefile(f"/run/netns/{NAME}")
    except OSError:
        return
    if not ours:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
    end = time.monotonic() + patience
    while Path(f"/proc/{pid}/ns/net").exists() and time.monotonic() < end:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)
