"""The agents' AppArmor profile: the distributions' parsers take it; what the VMs' tests show of it."""

import json

import pytest

from hostkit.bootstrap.apparmor import NAME
from hostkit.launch.parts import gateway_image, probe_image
from tests.bootstrap.test_apparmor import written
from tests.e2e.second_engine import cache
from tests.machines import systemd
from tests.machines.machine import local

PARSER = ("/sbin/apparmor_parser", "--skip-kernel-load", "--skip-cache", "--stdout")
SPARED = ("usr/share", "var", *(f"usr/lib/{name}" for name in (
    "apt", "locale", "python3.11/test", "x86_64-linux-gnu/gconv", "x86_64-linux-gnu/perl*")))  # fmt: skip
"""What of the gateway's image nothing needs in a VM: without KVM its engine unpacks a megabyte a second."""
ALONE = ("--rm", "--privileged", "--network=none", "--tmpfs=/mnt", "--tmpfs=/tmp")
"""A container in which nothing but the profile holds."""
ATTACKS = {
    "memory": "open('/proc/kcore', 'rb').read(1)",
    "mount": "assert not ctypes.CDLL(None).mount(b'none', b'/mnt', b'tmpfs', 0, None)",
    "unmount": "assert not ctypes.CDLL(None).umount2(b'/mnt', 0)",
    "chroot": "os.chroot('/usr')",
    "raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "packet socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)",
    "device": "os.mknod('/tmp/sda', 0o60600, os.makedev(254, 0))",
    "root": "open('/made', 'w')",
    "sysctl": "open('/proc/sys/net/ipv4/ip_forward', 'wb', 0).write(b'1')",
    "symbols": "open('/proc/kallsyms').read(1)",
    "user namespace": "assert not ctypes.CDLL(None).unshare(0x10000000)",
    "profile": "open('/proc/self/attr/apparmor/current', 'wb', 0).write(b'changeprofile unconfined')",
}
ATTEMPT = """
import ctypes, os, socket, sys
for line in sys.stdin.read().splitlines():
    name, _, source = line.partition(": ")
    child = os.fork()
    if not child:
        sys.stderr.close()
        exec(source)
        os._exit(0)
    print(name, "done" if os.waitpid(child, 0)[1] == 0 else "refused", flush=True)
"""


def parsed(where, distribution):
    """Return what a parser made of the profile for a kernel that has all that the profile's abi names."""
    text = written(distribution)
    abi = text.partition("abi <")[2].partition(">")[0]
    words = [*PARSER, f"--kernel-features=/etc/apparmor.d/{abi}", "--warn=all", "--Werror"]
    return local(*where, *words, stdin=text, check=False)


@pytest.mark.systemd
def test_debian_12s_parser_takes_the_profile():
    systemd.require()
    said = parsed(("docker", "run", "--rm", "-i", systemd.image()), "debian-12")
    assert (said.code, said.stderr) == (0, "")
    assert "hostkit-agent" in said.stdout


@pytest.mark.second_engine
@pytest.mark.usefixtures("_second_engine")
@pytest.mark.parametrize("distribution", ["debian-13", "ubuntu-24.04"])
def test_debian_13s_parser_takes_the_profile_with_the_abi_of_either(distribution):
    said = parsed(("chroot", str(cache() / "trixie")), distribution)
    assert (said.code, said.stderr) == (0, "")
    assert "hostkit-agent" in said.stdout


def bring_images(machine, folder):
    """Give the machine's engine what hostkit launches, under both names: the gateway's image, made smaller."""
    tar = folder / "image.tar"
    made = local("docker", "create", gateway_image(), "true").stdout.strip()
    thin = f"docker export {made} | tar -f - --wildcards --delete {' '.join(map(repr, SPARED))} > {tar}"
    try:
        local("bash", "-o", "pipefail", "-c", thin, timeout=300)
    finally:
        local("docker", "rm", made)
    with tar.open("rb") as file:
        machine.run("docker", "import", "-", probe_image(), stdin=file, timeout=900)
    machine.run("docker", "tag", probe_image(), gateway_image())
    tar.unlink()


def attempted(machine, profile):
    """Return what became of each attack in a privileged container under a profile."""
    words = ("docker", "run", "-i", *ALONE, f"--security-opt=apparmor={profile}", probe_image())
    tries = "\n".join(f"{name}: {source}" for name, source in ATTACKS.items())
    said = machine.run(*words, "python3", "-c", ATTEMPT, stdin=tries)
    return dict(line.rsplit(" ", 1) for line in said.stdout.splitlines())


def nothing_holds_yet(machine, client):
    """Assert that a launch would name no profile, and says which play brings it."""
    before = machine.run("hostkit", "plan", client)
    assert json.loads(before.stdout)["agent"]["apparmor"] is None
    assert "the kernel does not have that one; hostkit bootstrap --only apparmor" in before.stderr


def it_holds_alone_and_the_agent_is_under_it(machine, client):
    """Assert it of a machine whose client runs; no other wall stands in the attacks' containers."""
    assert attempted(machine, "unconfined") == dict.fromkeys(ATTACKS, "done")
    unasked = {"user namespace": "done"}  # Debian 12's kernel does not ask AppArmor; 13's does, and its VM's test
    assert attempted(machine, NAME) == {**dict.fromkeys(ATTACKS, "refused"), **unasked}
    inside = machine.run("hostkit", "exec", client, "--", "cat", "/proc/self/attr/apparmor/current")
    assert inside.stdout == f"{NAME} (enforce)\n"
    denied = [line for line in machine.run("dmesg").stdout.splitlines() if "DENIED" in line]
    assert [line for line in denied if "kcore" in line]
    assert [line for line in denied if 'comm="docker-init"' in line] == []


def one_that_only_reports_is_none(machine, client):
    """Assert that a launch refuses a profile in complain mode, and a check tells it; it is enforced afterwards."""
    machine.run("apparmor_parser", "--replace", "--Complain", f"/etc/apparmor.d/{NAME}")
    again = machine.run("hostkit", "launch", client, check=False)
    assert (again.code, 'agent.apparmor: "hostkit-agent" -> null' in again.stderr) == (2, True), again
    said = machine.run("hostkit", "check", "--only", "apparmor-agent", check=False).stdout
    assert f"{NAME} is complain" in said
    machine.run("apparmor_parser", "--replace", f"/etc/apparmor.d/{NAME}")


def it_is_undone(machine, said):
    assert f"stays    the kernel holds the profile {NAME} until the next boot: agents may run under it" in said
    assert machine.run("test", "-e", f"/etc/apparmor.d/{NAME}", check=False).code == 1
    assert machine.run("systemctl", "is-enabled", "apparmor.service", check=False).stdout == "disabled\n"
