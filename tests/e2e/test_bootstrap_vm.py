"""bootstrap in a real VM with a kernel of its own: a real reboot, v4 and v6, the world outside on the other end."""

import re

import pytest
import yaml

from hostkit.bootstrap.apparmor import NAME
from hostkit.bootstrap.plays import plays
from hostkit.posture.model import collect
from tests.e2e.test_apparmor import ATTACKS, attempted, bring_images
from tests.e2e.test_bootstrap import (
    PROVED,
    SHARE,
    Gateways,
    all_of,
    answers,
    bootstrapping,
    changed_plays,
    harden,
    prepare,
    tables,
    told,
)
from tests.e2e.test_machines import heard, listen
from tests.machines import vm
from tests.machines.vm import FOREIGN, FOREIGN6

pytestmark = pytest.mark.vm


def reachable(machine, tries=2):
    """Return which of the guest's ports the world outside reaches, and which of the world's the guest does."""
    world = machine.outside()
    inward = [(machine.address, 8080), (machine.address6, 8080), (machine.address, 22), (machine.address6, 22)]
    outward = [(FOREIGN, 8443), (FOREIGN6, 8443), (FOREIGN, 53)]
    found = {f"in {address} {port}" for address, port in inward if heard(world, address, port, tries=tries)}
    return found | {f"out {address} {port}" for address, port in outward if heard(machine, address, port, tries=tries)}


def listen_everywhere(machine):
    world = machine.outside()
    for flag in ("-4", "-6"):
        for place, port in ((machine, 8080), (world, 8443)):
            listen(place, f"{port} {flag}", "reached")
    listen(world, "53 -4", "resolver")


def scan(machine, ports="-"):
    """Return which TCP ports, of all by default, are open from outside at the interface that is not for management."""
    found = set()
    for address in machine.open_addresses:
        family = ("-6",) if ":" in address else ()
        words = (
            "nmap",
            *family,
            "-n",
            "-Pn",
            f"-p{ports}",
            "-T4",
            "--min-rate",
            "3000",
            "--max-retries",
            "1",
            "-oG",
            "-",
        )
        said = machine.outside().run(*words, address, timeout=600).stdout
        assert "Nmap done" in said, said
        found |= {f"{address} {port}" for port in re.findall(r"(\d+)/open/", said)}
    return found


def undocumented(found):
    """Return each answer that a check's declaration does not name for a machine that nobody hardened."""
    expected = {check.id: {"skip", *check.unhardened} for check in collect()}
    return {name: entry["detail"] for name, entry in found.items() if entry["status"] not in expected[name]}


LEFT = {
    "account-homes", "reach-files",  # the test's own administrator, whose home everyone may read
    "clock-offset", "clock-synchronised", "updates-pending", "updates-sources",  # no server of time or of packages here
    "disk-encryption", "kernel-mitigations", "kernel-modules", "mounts-options", "system-secureboot",  # made so
    "egress-listed", "egress-unlisted", "listeners-declared",  # what the test's policy does not name
    "journal-copy", "kernel-namespaces", "system-sleep",  # the owner's to decide
    "network-advertisements", "network-resolvers", "network-route", "network-segment",  # the test's own wire
}  # fmt: skip
"""What a bootstrap leaves to the owner of a Debian like the tests' own; no other check says less than ok after one."""


OWN = {"time", "kernel", "audit", "apparmor", "engine"}
"""The plays that in a container leave most of it to the machine around; the others are dry and run twice there."""


def changed_in(play, said):
    """Return which of a play's tasks changed something, by what a run said that did not come to its summary."""
    (written,) = yaml.safe_load(play.file.read_text())
    names = {task["name"] for task in written["tasks"]}
    return names & set(re.findall(r"^changed  (.+)$", said, re.MULTILINE))


def not_green(found):
    return {name for name, entry in found.items() if entry["status"] in {"fail", "unknown"}}


def said_of(found, names):
    return "\n".join(f"{name} {found[name]['status']}: {found[name]['detail']}" for name in sorted(names))


@pytest.mark.timeout(1950)
def test_a_hardened_vm_stays_hardened_through_a_reboot_and_an_unconfirmed_one_does_not(vm_machine):
    prepare(vm_machine)
    vm_machine.run("sh", "-c", SHARE)
    bare = told(vm_machine, "--skip", "scans")
    assert undocumented(bare) == {}
    assert {name: bare[name]["status"] for name in PROVED} == all_of(vm_machine, "fail")
    listen_everywhere(vm_machine)
    everything = reachable(vm_machine, tries=10)
    assert len(everything) == 7, everything
    assert scan(vm_machine, "1-1024,8080") == {
        f"{address} {port}" for address in vm_machine.open_addresses for port in (22, 8080)
    }

    predicted = vm_machine.run("hostkit", "bootstrap", "--check", "--only", ",".join(OWN)).stdout
    assert changed_plays(predicted) == OWN

    with bootstrapping(vm_machine) as session:
        assert "table inet hostkit" in tables(vm_machine)
        vm_machine.restart()
        said, _ = session.communicate(timeout=vm_machine.patience)
    assert {play.subject for play in plays() if changed_in(play, said)} >= OWN
    assert "table inet hostkit" not in tables(vm_machine)

    # All but the fence is as the first run left it; and a run ends well only where all that it proves is ok.
    assert changed_plays(harden(vm_machine)) == {"fence"}

    vm_machine.restart()
    hardened = told(vm_machine, "--skip", "scans")
    assert {name: hardened[name]["status"] for name in PROVED} == all_of(vm_machine, "ok")
    assert not_green(hardened) - LEFT == set(), said_of(hardened, not_green(hardened) - LEFT)
    assert [name for name in not_green(hardened) if bare[name]["status"] == "ok"] == []
    listen_everywhere(vm_machine)
    assert reachable(vm_machine) == {f"in {vm_machine.address} 22", f"in {vm_machine.address6} 22"}
    assert scan(vm_machine) == set()
    assert heard(Gateways(vm_machine), FOREIGN, 53) == "resolver"
    order = vm_machine.run("systemctl", "show", "-P", "Before", "hostkit-fence.service").stdout
    assert {"network-pre.target", "docker.service"} <= set(order.split())


@pytest.mark.timeout(1600)
def test_debian_13_is_hardened_by_the_same_plays_and_stays_so_through_a_reboot(tmp_path):
    with vm.machine("trixie") as machine:
        assert 'VERSION_ID="13"' in machine.run("cat", "/etc/os-release").stdout
        prepare(machine)
        machine.run("sh", "-c", SHARE)
        harden(machine)
        bring_images(machine, tmp_path)
        assert attempted(machine, NAME) == dict.fromkeys(ATTACKS, "refused")
        machine.restart()
        assert answers(machine) == all_of(machine, "ok")
        listen_everywhere(machine)
        assert reachable(machine) == {f"in {machine.address} 22", f"in {machine.address6} 22"}
