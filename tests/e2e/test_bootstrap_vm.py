"""bootstrap in a real VM with a kernel of its own: a real reboot, v4 and v6, the world outside on the other end."""

import re

import pytest

from tests.e2e.test_bootstrap import SHARE, Gateways, all_of, answers, bootstrapping, harden, prepare, tables
from tests.e2e.test_machines import heard, listen
from tests.machines import vm
from tests.machines.vm import FOREIGN, FOREIGN6

pytestmark = [pytest.mark.vm, pytest.mark.timeout(1500)]


def reachable(machine):
    """Return which of the guest's ports the world outside reaches, and which of the world's the guest does."""
    world = machine.outside()
    inward = [(machine.address, 8080), (machine.address6, 8080), (machine.address, 22), (machine.address6, 22)]
    outward = [(FOREIGN, 8443), (FOREIGN6, 8443), (FOREIGN, 53)]
    found = {f"in {address} {port}" for address, port in inward if heard(world, address, port, tries=2)}
    return found | {f"out {address} {port}" for address, port in outward if heard(machine, address, port, tries=2)}


def listen_everywhere(machine):
    world = machine.outside()
    for flag in ("-4", "-6"):
        for place, port in ((machine, 8080), (world, 8443)):
            listen(place, f"{port} {flag}", "reached")
    listen(world, "53 -4", "resolver")


def scan(machine):
    """Return the TCP ports that a scan of all from outside finds open, at the interface that is not for management."""
    found = set()
    for address in machine.open_addresses:
        family = ("-6",) if ":" in address else ()
        words = ("nmap", *family, "-n", "-Pn", "-p-", "-T4", "--min-rate", "3000", "--max-retries", "1", "-oG", "-")
        said = machine.outside().run(*words, address, timeout=600).stdout
        assert "Nmap done" in said, said
        found |= {f"{address} {port}" for port in re.findall(r"(\d+)/open/", said)}
    return found


def changed_plays(said):
    """Return the subjects of the plays that changed something, or would."""
    found = re.findall(r"^  (\w+) +\d+  ", said, re.MULTILINE)
    assert found, said
    return set(found)


def test_a_hardened_vm_stays_hardened_through_a_reboot_and_an_unconfirmed_one_does_not(vm_machine):
    prepare(vm_machine)
    vm_machine.run("sh", "-c", SHARE)
    assert answers(vm_machine) == all_of(vm_machine, "fail")
    listen_everywhere(vm_machine)
    everything = reachable(vm_machine)
    assert len(everything) == 7, everything
    assert scan(vm_machine) == {f"{address} {port}" for address in vm_machine.open_addresses for port in (22, 8080)}

    predicted = changed_plays(vm_machine.run("hostkit", "bootstrap", "--check", timeout=400).stdout)
    assert {"account", "kernel", "ssh", "fence"} <= predicted
    assert answers(vm_machine) == all_of(vm_machine, "fail")

    with bootstrapping(vm_machine):
        assert "table inet hostkit" in tables(vm_machine)
        vm_machine.restart()
    assert "table inet hostkit" not in tables(vm_machine)

    assert changed_plays(harden(vm_machine)) <= predicted
    assert answers(vm_machine) == all_of(vm_machine, "ok")
    again = vm_machine.run("hostkit", "bootstrap")
    assert again.stdout.startswith("0 changed, "), again.stdout

    vm_machine.restart()
    assert answers(vm_machine) == all_of(vm_machine, "ok")
    listen_everywhere(vm_machine)
    assert reachable(vm_machine) == {f"in {vm_machine.address} 22", f"in {vm_machine.address6} 22"}
    assert scan(vm_machine) == set()
    assert heard(Gateways(vm_machine), FOREIGN, 53) == "resolver"
    order = vm_machine.run("systemctl", "show", "-P", "Before", "hostkit-fence.service").stdout
    assert {"network-pre.target", "docker.service"} <= set(order.split())


def test_debian_13_is_hardened_by_the_same_plays_and_stays_so_through_a_reboot():
    with vm.machine("trixie") as machine:
        assert 'VERSION_ID="13"' in machine.run("cat", "/etc/os-release").stdout
        prepare(machine)
        machine.run("sh", "-c", SHARE)
        assert answers(machine) == all_of(machine, "fail")
        harden(machine)
        assert answers(machine) == all_of(machine, "ok")
        assert machine.run("hostkit", "bootstrap").stdout.startswith("0 changed, ")
        machine.restart()
        assert answers(machine) == all_of(machine, "ok")
        listen_everywhere(machine)
        assert reachable(machine) == {f"in {machine.address} 22", f"in {machine.address6} 22"}
