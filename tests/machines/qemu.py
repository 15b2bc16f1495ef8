"""One QEMU process without KVM, inside a network namespace: started, asked over QMP, ended by its pid."""

import json
import socket
import subprocess
import time

from tests.machines import emulator

MORTAL = ("setpriv", "--pdeathsig", "KILL")  # it does not outlive the tests
CPU = ("-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "qemu64", "-smp", "1", "-m", "1024")
"""One processor: of two, both were once seen waiting for each other in the kernel after a reboot, and one is no slower:
a dry run of bootstrap took 99 s with one, 115 to 134 s with two."""
BARE = ("-nodefaults", "-no-user-config", "-display", "none", "-device", "virtio-rng-pci")
NICS = tuple(word for n in (0, 1) for word in (
    "-netdev", f"tap,id=n{n},ifname=tap{n},script=no,downscript=no",
    "-device", f"virtio-net-pci,netdev=n{n},romfile=,mac=52:54:00:09:00:0{n + 2}"))  # fmt: skip
KERNEL = "root=/dev/vda rw rootfstype=ext4 console=ttyS0 quiet net.ifnames=0 mitigations=off"


class Qemu:
    """A VM on `disk` (which it writes to), with its console's log and its socket in `folder`."""

    def __init__(self, within, cache, folder, disk, state=None):
        self.console = folder / "console.log"
        self._socket = folder / "qmp"
        words = [*within, *MORTAL, *emulator.words(), *CPU, *BARE, *NICS, "-serial", f"file:{self.console}",
                 "-kernel", str(cache / "vmlinuz"), "-initrd", str(cache / "initrd.img"), "-append", KERNEL,
                 "-drive", f"file={disk},format=qcow2,if=virtio,cache=unsafe",
                 "-qmp", f"unix:{self._socket},server,nowait"]  # fmt: skip
        if state:
            words += ["-incoming", f"exec:zstd -dc {state}"]
        self._log = folder / "qemu.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(self, command, **arguments):
        """Return QMP's answer to a command."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(30)
            wire.connect(str(self._socket))
            with wire.makefile("rw") as lines:
                lines.readline()  # its greeting
                _answer(lines, {"execute": "qmp_capabilities"})
                return _answer(lines, {"execute": command, "arguments": arguments})

    def resume(self):
        """Let a restored VM run, once its state has been read."""
        self._until("query-status", {"paused", "postmigrate", "prelaunch"}, 60)
        self.ask("cont")

    def save(self, path):
        """Stop the VM and write its live state; its disk must not change any more."""
        self.ask("stop")
        self.ask("migrate", uri=f"exec:zstd -1 -q > {path}")
        self._until("query-migrate", {"completed"}, 120)

    def _until(self, command, states, patience):
        until = time.monotonic() + patience
        while (state := self._state(command)) not in states:
            if time.monotonic() > until or state == "failed":
                raise AssertionError(f"{command} says {state}\n{self.story()}")
            time.sleep(0.1)

    def _state(self, command):
        try:
            return self.ask(command)["status"]
        except (FileNotFoundError, ConnectionRefusedError):  # it has not opened its socket yet
            return "gone" if self.ended() else "starting"

    def ended(self):
        """Tell whether the process is gone."""
        return self._process.poll() is not None

    def story(self):
        """Return what QEMU and the guest's console said last."""
        told = [path.read_text(errors="replace")[-3000:] for path in (self._log, self.console) if path.exists()]
        return "\n".join(told)

    def end(self):
        """End the process."""
        self._process.kill()
        self._process.wait(30)


def _answer(lines, request):
    lines.write(json.dumps(request) + "\n")
    lines.flush()
    while "return" not in (told := json.loads(lines.readline())):
        if "error" in told:
            raise AssertionError(f"{request}: {told['error']}")
    return told["return"]
