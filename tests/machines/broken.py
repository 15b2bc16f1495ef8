"""How a check is broken for real, and mended again; tests/e2e/test_catalogue.py does it on a machine."""

from typing import NamedTuple

from hostkit.posture.model import Check

HELD = """
install -d /etc/hostkit
printf 'version: 1\nhost: {management: [eth0], resolvers: [198.51.100.53]}\n' >/etc/hostkit/hostkit.yml
chown root /etc/hostkit/hostkit.yml
chmod 0600 /etc/hostkit/hostkit.yml
"""
"""Lines that give the machine a plain policy, root's alone."""


class Broken(NamedTuple):
    """Shell lines, run as root: after `mended` the check says ok, after `broken` it fails and says `word`.

    `where` is `container` (systemd in a container), `vm` for what only a kernel or a disk of its own shows, or `engine`
    for what needs a hardened VM's container engine with a stranger in it; tests/e2e/test_docker_vm.py has one.
    """

    check: Check
    mended: str
    broken: str
    word: str
    where: str = "container"
