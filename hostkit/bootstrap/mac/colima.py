"""Colima: where it is, and its settings for the agent's account: nothing of the Mac is shared, lent or opened."""

import re
from collections.abc import Iterable

import yaml

from hostkit.bootstrap.mac.pf import VM_SSH
from hostkit.host import Host

PLACES = ("/opt/homebrew/bin/colima", "/usr/local/bin/colima", "/opt/local/bin/colima")
"""Where Homebrew on Apple silicon and on Intel, and MacPorts, put it."""

MOUNTS_NOTHING = (0, 10)
"""The first Colima that can be told to mount nothing (abiosoft/colima, pull request 1485)."""


def colima(host: Host) -> tuple[str, tuple[int, ...]]:
    """Return where Colima is and its version, by Homebrew's own link: a person's program is not run as root."""
    place = next((path for path in PLACES if host.stat(path)), "")
    found = re.search(r"/colima/(\d+)\.(\d+)", host.link(place) or "") if place else None
    return place, (int(found[1]), int(found[2])) if found else ()


def settings(resolvers: Iterable[str], processors: int, memory: int) -> str:
    """Return colima.yaml for half of this Mac's processors and of its memory (bytes).

    `mounts: null` is no mount at all; an empty list would be the whole home, to write. Names are asked from the
    policy's resolvers by the VM's own account: the Mac's resolver would ask them as mDNSResponder, which no rule stops.
    """
    plain = {
        "cpu": max(1, processors // 2),
        "memory": max(2, memory // 2**31),
        "disk": 60,
        "runtime": "docker",
        "vmType": "vz",
        "mountType": "virtiofs",
        "mounts": None,
        "mountInotify": False,
        "forwardAgent": False,
        "sshConfig": False,
        "sshPort": VM_SSH,
        "portForwarder": "none",
        "network": {"address": False, "dns": list(resolvers), "dnsHosts": {}},
        "kubernetes": {"enabled": False},
        "autoActivate": False,
        "env": {},
    }
    text: str = yaml.safe_dump(plain, sort_keys=False)
    return f"# Written by hostkit bootstrap; the next one writes it again.\n{text}"
