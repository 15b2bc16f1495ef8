"""Vagrant with libvirt and no KVM, in a network and a mount namespace of its own: this machine sees none of it."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tests.machines import disk, vm
from tests.machines.machine import ROOT, local, unavailable, work
from tests.machines.qemu import KERNEL, MORTAL

BOX = "hostkit-test"
TOOLS = ("vagrant", "libvirtd", "virsh", "dnsmasq", "rsync", "unshare")
LAYERS = ("vm.Dockerfile", "vagrant.Dockerfile")
OLD = f"{KERNEL} norandmaps"
"""What libvirt starts is this machine's own QEMU; emulator.py says why an old one is slow."""
QEMU = """\
user = "root"
group = "root"
security_driver = "none"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
"""
LIBVIRTD = """\
unix_sock_group = "root"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_filters = "3:*"
"""
# libvirtd insists on an account of its own, which only the mount namespace's passwd has.
_ALONE = """\
set -eu
mount -t tmpfs none /run
mkdir /run/cgroup
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs none /sys
mount --rbind /run/cgroup /sys/fs/cgroup
for name in lib cache log; do
  mkdir -p "$1/$name" "/var/$name/libvirt"
  mount --bind "$1/$name" "/var/$name/libvirt"
done
mount --bind "$1/etc" /etc/libvirt
for name in passwd group; do cp "/etc/$name" "$1/$name"; done
echo libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin >>"$1/passwd"
echo libvirt-qemu:x:64055: >>"$1/group"
for name in passwd group; do mount --bind "$1/$name" "/etc/$name"; done
exec libvirtd -f "$1/libvirtd.conf" -p "$1/libvirtd.pid"
"""


def require():
    """End the test when Vagrant cannot be run."""
    vm.require()
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        unavailable(f"not installed: {', '.join(missing)}; run: scripts/prepare test")


class Vagrant:
    """The project's Vagrantfile upon a libvirtd that lives as long as this."""

    def __init__(self, folder):
        self.name = f"hktest-{secrets.token_hex(4)}"
        self.console = folder / "console.log"
        self._folder = folder
        self._cache = disk.cache(LAYERS)
        self._daemon = None

    def start(self):
        local("ip", "netns", "add", self.name)
        local("ip", "-n", self.name, "link", "set", "lo", "up")
        for name, text in (("etc/qemu.conf", QEMU), ("libvirtd.conf", LIBVIRTD)):
            (self._folder / name).parent.mkdir(exist_ok=True)
            (self._folder / name).write_text(text)
        alone = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _ALONE, "alone", str(self._folder))
        with (self._folder / "libvirtd.log").open("w") as log:
            words = (*MORTAL, "nsenter", f"--net=/run/netns/{self.name}", *MORTAL, *alone)
            self._daemon = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while self.run("virsh", "list", check=False).code:
            if time.monotonic() > until or self._daemon.poll() is not None:
                raise AssertionError(f"libvirtd does not answer\n{self.story()}")
            time.sleep(0.2)

    def run(self, *command, check=True, timeout=60):
        """Run a command beside libvirtd."""
        place = (f"--net=/run/netns/{self.name}", f"--mount=/proc/{self._daemon.pid}/ns/mnt")
        settings = {
            "VAGRANT_HOME": self._folder / "home", "VAGRANT_DOTFILE_PATH": self._folder / "dot", "VAGRANT_CWD": ROOT,
            "VAGRANT_CHECKPOINT_DISABLE": 1, "VAGRANT_BOX_UPDATE_CHECK_DISABLE": 1, "VAGRANT_NO_COLOR": 1,
            "VAGRANT_DEFAULT_PROVIDER": "libvirt", "HOSTKIT_BOX": BOX, "LIBVIRT_DRIVER": "qemu", "VM_CMDLINE": OLD,
            "VM_KERNEL": self._cache / "vmlinuz", "VM_INITRD": self._cache / "initrd.img", "VM_CONSOLE": self.console,
        }  # fmt: skip
        words = ("env", "-C", str(ROOT), *(f"{name}={value}" for name, value in settings.items()), *command)
        return local("nsenter", *place, *words, check=check, timeout=timeout)

    def __call__(self, *words, check=True, timeout=900):
        """Run a vagrant command."""
        return self.run("vagrant", *words, check=check, timeout=timeout)

    def inside(self, command, check=True):
        """Run a line of shell in the machine, as its user `vagrant`."""
        return self("ssh", "-c", command, "--", "-T", check=check, timeout=300)

    def add_box(self):
        """Make the box out of the disk, as others publish theirs, and add it."""
        image, box = self._folder / "box.img", self._folder / "test.box"
        small = ("-c", "-O", "qcow2", "-o", "compression_type=zstd")
        local("qemu-img", "convert", *small, "-f", "raw", str(self._cache / "disk.raw"), str(image), timeout=300)
        (self._folder / "metadata.json").write_text(
            json.dumps({"provider": "libvirt", "format": "qcow2", "virtual_size": 3})
        )
        (self._folder / "Vagrantfile").write_text('Vagrant.configure("2") { |config| }\n')
        with tarfile.open(box, "w") as archive:
            for name in ("metadata.json", "Vagrantfile", "box.img"):
                archive.add(self._folder / name, name)
        image.unlink()
        self("box", "add", "--name", BOX, "--provider", "libvirt", str(box))
        box.unlink()

    def boot(self, tries=2):
        """Bring the machine up without provisioning it; a boot may fail without KVM, and only a boot is tried again."""
        answer = self("up", "--no-provision", check=False, timeout=1200)
        if answer.code and tries > 1:
            self("destroy", "-f")
            return self.boot(tries - 1)
        assert answer.code == 0, f"{answer.stdout}{answer.stderr}{self.story()}"
        return answer

    def story(self):
        """Return what libvirtd and the machine's console said last."""
        told = [path for path in (self._folder / "libvirtd.log", self.console) if path.exists()]
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in told)

    def remove(self):
        """End libvirtd, then what it started: all that lives in the namespace."""
        if self._daemon:
            self._daemon.terminate()
            self._daemon.wait(60)
        for pid in local("ip", "netns", "pids", self.name).stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        local("ip", "netns", "delete", self.name)


@contextmanager
def machine():
    """Hold Vagrant with an empty libvirtd; pytest shows the console's log when a test fails."""
    require()
    with tempfile.TemporaryDirectory(dir=work(), ignore_cleanup_errors=True) as folder:
        made = Vagrant(Path(folder))
        try:
            made.start()
            yield made
        finally:
            sys.stderr.write(made.story())
            made.remove()
