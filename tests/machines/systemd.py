"""A Debian 12 with systemd in a container of the shared engine, on a network of its own."""

import functools
import hashlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tests.machines.machine import FOREIGN, ROOT, Machine, kept, local, locked, make_key, packed, unavailable

HERE = Path(__file__).parent
IMAGE = "hostkit/test-systemd:{suite}"
BASE = "hostkit/base:{suite}"
SUITE = "bookworm"
RECIPE = (HERE / "Dockerfile", HERE / "accounts.sh", HERE / "start.sh", ROOT / "requirements.lock")
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt").resolve()
BOOTABLE = (
    "--cap-add=SYS_ADMIN", "--cap-add=NET_ADMIN", "--cap-add=SYSLOG", "--cap-add=SYS_PTRACE",
    "--cap-add=DAC_READ_SEARCH", "--cgroupns=private",
    "--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined",
    "--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec",
    "--device=/dev/fuse", "--env=container=docker", "--stop-signal=SIGRTMIN+3", "--tty",
)  # fmt: skip


def docker(*words, **more):
    return local("docker", *words, **more)


def export(image, tree):
    """Unpack an image into that folder."""
    container = docker("create", image, "true").stdout.strip()
    try:
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as exporting:
            unpack = ["tar", "-x", "--numeric-owner", "-C", str(tree)]
            subprocess.run(unpack, stdin=exporting.stdout, check=True, timeout=300)
        assert exporting.returncode == 0
    finally:
        docker("rm", container)


@functools.cache
def image(suite=SUITE):
    """Return the name of a Debian's image, built when its recipe is new."""
    base, latest = BASE.format(suite=suite), IMAGE.format(suite=suite)
    known = docker("image", "inspect", "-f", "{{.Id}}", base).stdout.strip()
    recipe = hashlib.sha256(known.encode() + b"".join(path.read_bytes() for path in RECIPE)).hexdigest()[:12]
    name = f"{latest}-{recipe}"
    with locked(kept("images") / suite):  # another test may want it at the same time
        if docker("image", "inspect", name, check=False).code:
            _build(base, name, latest)
    return name


def _build(base, name, latest):
    with tempfile.NamedTemporaryFile() as nothing:
        trusted = TRUSTED if TRUSTED.exists() else Path(nothing.name)
        context = packed(*RECIPE, trusted, names=[*(path.name for path in RECIPE), "trusted.crt"])
    os.environ["DOCKER_BUILDKIT"] = "0"
    docker("build", "-q", "--build-arg", f"BASE={base}", "-t", name, "-t", latest, "-", stdin=context, timeout=900)


def require(suite=SUITE):
    """End the test when no container can be started."""
    for tool in ("docker", "ssh", "ssh-keygen"):
        if not shutil.which(tool):
            unavailable(f"{tool} is not installed; run: scripts/prepare test")
    answered = docker("image", "inspect", BASE.format(suite=suite), check=False)
    if answered.code:
        unavailable(f"no engine or no base image: {answered.stderr.strip()}; run: scripts/prepare test")


class Outside:
    """The world outside: a container beside the machine that owns FOREIGN."""

    def __init__(self, name, network):
        self.name = name
        docker(
            "run",
            "-d",
            "--init",
            "--cap-add=NET_ADMIN",
            f"--name={name}",
            f"--network={network}",
            image(),
            "sleep",
            "infinity",
        )
        self.address = address_of(name)
        self.run("ip", "address", "add", f"{FOREIGN}/32", "dev", "lo")

    def run(self, *command, check=True, stdin="", timeout=60):
        return docker("exec", "-i", self.name, *command, check=check, stdin=stdin, timeout=timeout)

    def start(self, *command):
        """Start a command that goes on until the machine is removed."""
        docker("exec", "-d", self.name, *command)


def address_of(container):
    return docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container).stdout.strip()


class SystemdMachine(Machine):
    """The container; `run` goes through the engine, so that it works behind any firewall rule."""

    def __init__(self, folder):
        self.name = f"hktest-{secrets.token_hex(4)}"
        self.key = make_key(folder)
        self._outside = None

    def start(self):
        """Create it, wait until it is up, let the key in."""
        docker("network", "create", self.name)
        docker(
            "run", "-d", *BOOTABLE, f"--name={self.name}", f"--hostname={self.name}", f"--network={self.name}", image()
        )
        self.address = address_of(self.name)
        self._wait()
        keys = self.key.with_suffix(".pub").read_text()
        for user, home in (("root", "/root"), ("admin", "/home/admin")):
            self.run("install", "-m", "0600", "-o", user, "/dev/stdin", f"{home}/.ssh/authorized_keys", stdin=keys)

    def run(self, *command, check=True, stdin="", timeout=None):
        return docker("exec", "-i", self.name, *command, check=check, stdin=stdin, timeout=timeout or self.patience)

    def restart(self):
        docker("restart", "-t", "30", self.name)
        self.address = address_of(self.name)
        self._wait()

    def outside(self):
        if self._outside is None:
            self._outside = Outside(f"{self.name}-outside", self.name)
            self._wait()
        return self._outside

    def remove(self):
        docker("rm", "-f", "-v", self.name, f"{self.name}-outside", check=False)
        docker("network", "rm", self.name, check=False)

    def _state(self):
        return self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip()

    def _wait(self):
        until = time.monotonic() + self.patience
        while (state := self._state()) not in {"running", "degraded"}:
            if time.monotonic() > until:
                raise AssertionError(f"not up: {state}\n{docker('logs', self.name, check=False).stdout[-2000:]}")
            time.sleep(0.1)
        if self._outside:
            self.run("ip", "route", "replace", f"{FOREIGN}/32", "via", self._outside.address)


@contextmanager
def machine(kind=SystemdMachine):
    """Hold a fresh machine of that kind, of any scope."""
    require()
    with tempfile.TemporaryDirectory() as folder:
        made = kind(Path(folder))
        try:
            made.start()
            yield made
        finally:
            made.remove()
