"""A QEMU that is recent enough: this machine's own, or the one of Debian 13's packages."""

import functools
import hashlib
import re
import shutil
import tempfile
from pathlib import Path

from tests.machines import systemd
from tests.machines.machine import kept, local, locked, packed

RECENT = 10
"""Debian 12's QEMU 7.2 translates a program anew wherever in memory it is loaded, so that with ASLR each start is a
first one. Measured here, the same guest, several runs each: ten starts of Python took 1.2 s to 1.5 s with 7.2 and
0.75 s to 1.0 s with 10.0; without ASLR both took 0.7 s to 0.85 s."""
RECIPE = systemd.HERE / "emulator.Dockerfile"
OWN = "qemu-system-x86_64"


@functools.cache
def words():
    """Return the command that runs QEMU, building its tree once where this machine's own is older."""
    if int(re.search(r"version (\d+)", local(OWN, "--version").stdout)[1]) >= RECENT:
        return (OWN,)
    tree = _tree()
    firmware = [word for name in ("qemu", "seabios") for word in ("-L", f"{tree}/usr/share/{name}")]
    loader = (f"{tree}/lib64/ld-linux-x86-64.so.2", "--library-path", f"{tree}/usr/lib/x86_64-linux-gnu")
    return (*loader, f"{tree}/usr/bin/{OWN}", *firmware)


@functools.cache
def version():
    """Return what it says of its version: a saved state is its own version's."""
    return local(*words(), "--version").stdout


def _tree():
    base = systemd.BASE.format(suite="trixie")
    known = systemd.docker("image", "inspect", "-f", "{{.Id}}", base).stdout
    place = kept("emulator") / hashlib.sha256(known.encode() + RECIPE.read_bytes()).hexdigest()[:12]
    with locked(place.parent / "lock"):
        if not place.exists():
            _build(base, place)
    return place


def _build(base, place):
    context = packed(RECIPE, names=["Dockerfile"])
    image = systemd.docker("build", "-q", "--build-arg", f"BASE={base}", "-", stdin=context, timeout=900).stdout.strip()
    building = Path(tempfile.mkdtemp(prefix="building-", dir=place.parent))
    systemd.export(image, building)
    for name in ("usr/share/doc", "var"):
        shutil.rmtree(building / name)
    building.rename(place)
