"""A Debian VM under plain QEMU in a network namespace of its own, restored from a state saved once after boot."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tests.machines import disk, systemd
from tests.machines.machine import FOREIGN, Machine, local, locked, unavailable
from tests.machines.qemu import Qemu

TOOLS = ("qemu-system-x86_64", "qemu-img", "mke2fs", "zstd", "ssh", "nsenter", "setpriv", "ip", "nc")
FOREIGN6 = "2001:db8::7"
WIRE = (
    "link set lo up",
    f"address add {FOREIGN}/32 dev lo",
    f"address add {FOREIGN6}/128 dev lo nodad",
    "tuntap add tap0 mode tap",
    "address add 10.9.0.1/24 dev tap0",
    "address add fd00:9::1/64 dev tap0 nodad",
    "link set tap0 up",
    "tuntap add tap1 mode tap",
    "address add 192.0.2.1/24 dev tap1",
    "address add 2001:db8:2::1/64 dev tap1 nodad",
    "link set tap1 up",
)


def require(suite=systemd.SUITE):
    """End the test when no VM can be started."""
    systemd.require(suite)
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        unavailable(f"not installed: {', '.join(missing)}; run: scripts/prepare test")
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        unavailable("a VM's network namespace needs root and /dev/net/tun")


class Namespace:
    """The whole world of one VM: its other end of the wire, and FOREIGN. It has no way to any other network."""

    def __init__(self):
        self.name = f"hktest-{secrets.token_hex(4)}"
        self.within = ("nsenter", f"--net=/run/netns/{self.name}")
        self._started = []
        local("ip", "netns", "add", self.name)
        for line in WIRE:
            local("ip", "-n", self.name, *line.split())

    def run(self, *command, check=True, stdin="", timeout=60):
        return local(*self.within, *command, check=check, stdin=stdin, timeout=timeout)

    def start(self, *command):
        """Start a command that goes on until the machine is removed."""
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        self._started.append(subprocess.Popen([*self.within, *command], start_new_session=True, **quiet))

    def remove(self):
        for process in self._started:
            os.killpg(process.pid, signal.SIGKILL)  # and what it started
            process.wait(30)
        local("ip", "netns", "delete", self.name)


class VirtualMachine(Machine):
    """The VM; `run` is over one ssh connection as root that is held for each boot, `ssh` over a fresh one each time.

    A login costs a guest without KVM seconds: asking for something five times a second took half of its processor.
    It has a second interface, `eth1` at `open_addresses`, which no policy of the tests names for management.
    """

    address = "10.9.0.2"
    address6 = "fd00:9::2"
    open_addresses = ("192.0.2.2", "2001:db8:2::2")
    patience = 480

    def __init__(self, folder, suite, layers):
        self._cache = disk.cache(layers, suite=suite)
        self._folder = folder
        self.key = self._cache / "key"
        self._world = Namespace()
        self.within = self._world.within
        self._qemu = self._held = None

    def start(self):
        """Restore the saved state on a disk of this VM's own, and set the clock that stood still."""
        with locked(self._cache / "lock"):
            if not (self._cache / "vm.state").exists():
                self._save()
        mine = _overlay(self._folder / "disk.qcow2", self._cache / "saved.qcow2", "qcow2")
        self._qemu = Qemu(self.within, self._cache, self._folder, mine, self._cache / "vm.state")
        self._qemu.resume()
        self._wait()
        self.run("date", "-s", f"@{time.time():.0f}")

    def _save(self):
        """Boot once and keep the live state; the state's name appears last, so that half of it is never used."""
        booted = _overlay(self._cache / "booting.qcow2", self._cache / "disk.raw", "raw")
        self._boot(booted)
        self.run(
            "/opt/hostkit/.venv/bin/ansible", "localhost", "-m", "ping"
        )  # its files are then in memory for every test
        self.run("sync")
        self._qemu.save(self._cache / "saving.state")
        self._qemu.end()
        booted.rename(self._cache / "saved.qcow2")
        (self._cache / "saving.state").rename(self._cache / "vm.state")

    def _boot(self, booted, tries=2):
        """Boot from cold; a boot may fail without KVM, and only a boot is tried again."""
        self._qemu = Qemu(self.within, self._cache, self._folder, booted)
        try:
            self._wait()
        except AssertionError:
            self._qemu.end()
            if tries == 1:
                raise
            self._boot(_overlay(booted, self._cache / "disk.raw", "raw"), tries - 1)

    def run(self, *command, check=True, stdin="", timeout=None):
        words = self.ssh_words(*command, options=(f"ControlPath={self._folder}/held",))
        return local(*words, stdin=stdin, timeout=timeout or self.patience, check=check)

    def _hold(self):
        """Hold a connection that `run` uses; without it, and until it is there, each run has one of its own."""
        self._let_go()
        words = self.ssh_words(options=("ControlMaster=yes", f"ControlPath={self._folder}/held", "SessionType=none"))
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        self._held = subprocess.Popen(words, **quiet)

    def _let_go(self):
        if self._held:
            self._held.kill()
            self._held.wait(30)
        (self._folder / "held").unlink(missing_ok=True)

    def restart(self):
        before = self._boot_id()
        self.run("systemctl", "reboot", check=False)
        self._wait(before)

    def outside(self):
        return self._world

    def remove(self):
        self._let_go()
        if self._qemu:
            self._qemu.end()
        self._world.remove()

    def story(self):
        """Return what the guest's console said last."""
        return self._qemu.story() if self._qemu else "it was never started"

    def _boot_id(self):
        try:
            words = self.ssh_words("cat", "/proc/sys/kernel/random/boot_id", patience=15)
            return local(*words, check=False, timeout=30).stdout.strip()
        except subprocess.TimeoutExpired:
            return ""

    def _wait(self, before=""):
        until = time.monotonic() + self.patience
        while (now := self._boot_id()) in {"", before}:
            if time.monotonic() > until or self._qemu.ended():
                raise AssertionError(f"no ssh after {self.patience} s, boot {now or 'unknown'}\n{self.story()}")
            time.sleep(0.2)
        self._hold()
        self.run("systemctl", "is-system-running", "--wait", check=False)


def _overlay(path, below, kind):
    path.unlink(missing_ok=True)
    local("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(below), "-F", kind, str(path))
    return path


@contextmanager
def machine(suite=systemd.SUITE, layers=disk.PLAIN):
    """Hold a fresh VM, of any scope; pytest shows the console's log when a test fails."""
    require(suite)
    with tempfile.TemporaryDirectory() as folder:
        made = VirtualMachine(Path(folder), suite, layers)
        try:
            made.start()
            yield made
        finally:
            sys.stderr.write(made.story())
            made.remove()
