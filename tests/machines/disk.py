"""A VM's kernel, initrd and disk: made once from the container's image, kept outside the project."""

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from tests.machines import emulator, systemd
from tests.machines.machine import ROOT, kept, local, locked, make_key, packed

PLAIN = ("vm.Dockerfile",)
RECIPE = tuple(systemd.HERE / name for name in ("disk.py", "qemu.py"))
GEMS = Path("/usr/share/rubygems-integration/all/gems")
ETC = {
    "hostname": "debian\n",
    "hosts": "127.0.0.1 localhost\n127.0.1.1 debian\n::1 localhost ip6-localhost\n",
    "resolv.conf": "nameserver 198.51.100.53\n",
}


def cache(layers=PLAIN, size="3G", suite=systemd.SUITE):
    """Return the folder of this recipe's disk, building it when it is not there; half-built ones never get the name.

    `layers` are Dockerfiles, each upon the one before it, the first upon the container's image.
    """
    image = systemd.image(suite)
    texts = [path.read_bytes() for path in (*RECIPE, *(systemd.HERE / name for name in layers))]
    recipe = hashlib.sha256((image + emulator.version() + size).encode() + b"".join(texts)).hexdigest()[:12]
    work = kept("vm")
    with locked(work / "lock"):
        if not (work / recipe).exists():
            _drop_older(work)
            building = Path(tempfile.mkdtemp(prefix="building-", dir=work))
            _build(_layered(image, layers, suite), building, size)
            building.rename(work / recipe)
    return work / recipe


def _drop_older(work):
    """Remove what was half built, and what nobody used for a day: another checkout may use another recipe's."""
    for folder in work.glob("*/"):
        if folder.name.startswith("building-") or time.time() - folder.stat().st_atime > 86400:
            shutil.rmtree(folder)


def _layered(image, layers, suite):
    """Return the image with all layers upon it; each may copy the lock file, the authorities and Vagrant's key."""
    known = [(ROOT / "requirements.lock", "requirements.lock"), (systemd.TRUSTED, "trusted.crt")]
    known += [(path, "vagrant.pub") for path in GEMS.glob("vagrant-*/keys/vagrant.pub")]
    for layer in layers:
        sources, names = zip((systemd.HERE / layer, "Dockerfile"), *known, strict=True)
        name = f"{systemd.IMAGE.format(suite=suite)}-{layer.partition('.')[0]}"
        words = ("build", "-q", "--build-arg", f"BASE={image}", "-t", name, "-")
        systemd.docker(*words, stdin=packed(*sources, names=names), timeout=900)
        image = name
    return image


def _build(image, folder, size):
    tree = folder / "tree"
    tree.mkdir()
    systemd.export(image, tree)
    _finish(tree, make_key(folder))
    for part in ("vmlinuz", "initrd.img"):
        shutil.copy(next(tree.glob(f"boot/{part}-*")), folder / part)
    local("truncate", "-s", size, str(folder / "disk.raw"))
    plain = ("-q", "-F", "-t", "ext4", "-m", "0", "-E", "lazy_itable_init=0,root_owner=0:0", "-O", "^has_journal")
    local("mke2fs", *plain, "-d", str(tree), str(folder / "disk.raw"), timeout=300)
    shutil.rmtree(tree)


def _finish(tree, key):
    """Write what the engine keeps for itself, and let the key in."""
    (tree / ".dockerenv").unlink(missing_ok=True)
    for name, text in ETC.items():
        (tree / "etc" / name).write_text(text)
    for home in ("root", "home/admin"):
        allowed = tree / home / ".ssh" / "authorized_keys"
        shutil.copy(key.with_suffix(".pub"), allowed)
        owner = allowed.parent.stat()
        os.chown(allowed, owner.st_uid, owner.st_gid)
        allowed.chmod(0o600)
