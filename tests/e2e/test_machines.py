"""The machines on which bootstrap is tested are what those tests take them for."""

import time
from pathlib import Path

import pytest

from tests.machines import vm
from tests.machines.machine import FOREIGN, local, unavailable
from tests.machines.systemd import SystemdMachine, docker

DROP = "table inet smoke { chain in { type filter hook input priority -10; policy accept; tcp dport 8080 drop; }; }"


def listen(machine, port, word):
    """Answer every connection on this port with one word, for as long as the machine lives."""
    program = f"while :; do echo {word} | nc -q 0 -l -p {port}; done"
    machine.run("sh", "-c", f"nohup sh -c '{program}' >/dev/null 2>&1 </dev/null &")


def echo_udp(machine, port):
    """Send every datagram to this port back."""
    program = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
        f"s.bind(('0.0.0.0', {port}))\nwhile True: s.sendto(*s.recvfrom(99))"
    )
    machine.run("sh", "-c", f'nohup python3 -c "{program}" >/dev/null 2>&1 </dev/null &')


def echoed(place, address, port, tries=20):
    """Return what comes back from a UDP port, or nothing."""
    for _ in range(tries):
        said = place.run("nc", "-u", "-w", "1", address, str(port), stdin="ping", check=False).stdout
        if said:
            return said
    return ""


def alive_after_a_while(pids):
    """Return which of these processes still run; one that only waits for its parent's attention has no program."""
    for _ in range(50):
        alive = [pid for pid in pids if Path(f"/proc/{pid}/exe").exists()]
        if not alive:
            break
        time.sleep(0.1)
    return alive


def heard(place, address, port, tries=20):
    """Return what a connection from that place hears, or nothing."""
    for _ in range(tries):
        said = place.run("nc", "-w", "2", address, str(port), check=False).stdout.strip()
        if said:
            return said
        time.sleep(0.2)
    return ""


def test_a_missing_tool_fails_the_tests_in_ci_and_skips_them_elsewhere(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no such tool"):
        unavailable("no such tool")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no such tool"):
        unavailable("no such tool")


@pytest.mark.systemd
def test_the_container_boots_systemd_and_runs_commands_as_root(systemd_machine):
    assert systemd_machine.run("id", "-u").stdout == "0\n"
    assert systemd_machine.run("cat", "/proc/1/comm").stdout == "systemd\n"
    assert systemd_machine.run("systemctl", "--failed", "--plain", "--no-legend").stdout == ""
    assert systemd_machine.run("cat", stdin="words").stdout == "words"
    assert systemd_machine.run("sh", "-c", "exit 3", check=False).code == 3


@pytest.mark.systemd
def test_ssh_into_the_container_is_a_login_by_key(systemd_machine):
    assert systemd_machine.ssh("sudo", "id", "-un", user="admin").stdout == "root\n"
    assert systemd_machine.ssh("printenv", "SSH_CONNECTION").stdout.split()[2] == systemd_machine.address
    stranger = systemd_machine.ssh("true", user="nobody", check=False)
    assert stranger.code == 255
    assert "Permission denied" in stranger.stderr


@pytest.mark.systemd
def test_a_rule_in_the_container_holds_there_and_nowhere_else(systemd_machine):
    outside = systemd_machine.outside()
    listen(systemd_machine, 8080, "inside")
    assert heard(outside, systemd_machine.address, 8080) == "inside"
    systemd_machine.run("nft", "-f", "-", stdin=DROP)
    assert heard(outside, systemd_machine.address, 8080, tries=1) == ""
    assert "smoke" not in outside.run("nft", "list", "tables").stdout
    host = local("nft", "list", "tables", check=False)
    assert "smoke" not in host.stdout


@pytest.mark.systemd
def test_the_container_reaches_the_outside_world_at_its_foreign_address(systemd_machine):
    outside = systemd_machine.outside()
    listen(outside, 8443, "foreign")
    assert heard(systemd_machine, FOREIGN, 8443) == "foreign"


@pytest.mark.systemd
def test_a_restart_of_the_container_keeps_its_files_and_drops_its_rules(systemd_machine):
    systemd_machine.run("tee", "/etc/kept", stdin="kept")
    systemd_machine.run("nft", "-f", "-", stdin=DROP)
    before = systemd_machine.run("cut", "-d ", "-f22", "/proc/1/stat").stdout
    systemd_machine.restart()
    assert systemd_machine.run("cut", "-d ", "-f22", "/proc/1/stat").stdout != before
    assert systemd_machine.run("cat", "/etc/kept").stdout == "kept"
    assert "smoke" not in systemd_machine.run("nft", "list", "tables").stdout
    assert systemd_machine.ssh("true").code == 0


@pytest.mark.systemd
def test_the_containers_hostkit_is_the_working_trees(systemd_machine):
    systemd_machine.install_hostkit()
    assert "Usage: hostkit" in systemd_machine.run("hostkit", "--help").stdout
    assert systemd_machine.run("/opt/hostkit/.venv/bin/python", "-c", "import ansible_runner, netifaces").code == 0


@pytest.mark.systemd
def test_a_removed_container_leaves_no_container_and_no_network(systemd_machine):
    second = SystemdMachine(systemd_machine.key.parent / "second")
    second.start()
    second.outside()
    second.remove()
    assert docker("ps", "-aq", "--filter", f"name={second.name}").stdout == ""
    assert docker("network", "ls", "-q", "--filter", f"name={second.name}").stdout == ""


@pytest.fixture(scope="module")
def one_vm():
    """One for all: a restored one takes half a minute on a busy machine until it answers."""
    with vm.machine() as made:
        yield made


@pytest.mark.vm
def test_a_vm_is_restored_in_seconds_and_not_booted(one_vm):
    boot_id = ("cat", "/proc/sys/kernel/random/boot_id")
    started = time.monotonic()
    with vm.machine() as second:
        assert time.monotonic() - started < 60
        assert second.run(*boot_id).stdout == one_vm.run(*boot_id).stdout
        assert abs(float(second.run("date", "+%s").stdout) - time.time()) < 30
    assert one_vm.run("true").code == 0


@pytest.mark.vm
def test_the_vm_runs_a_kernel_of_its_own_with_nothing_failed(one_vm):
    assert one_vm.run("systemctl", "--failed", "--plain", "--no-legend").stdout == ""
    assert one_vm.run("sysctl", "-n", "-w", "kernel.kptr_restrict=2").stdout == "2\n"
    assert one_vm.run("uname", "-r").stdout != local("uname", "-r").stdout
    assert one_vm.ssh("sudo", "id", "-un", user="admin").stdout == "root\n"


@pytest.mark.vm
def test_the_outside_meets_the_vms_own_firewall_over_tcp_and_udp(one_vm):
    outside = one_vm.outside()
    listen(one_vm, 8080, "inside")
    echo_udp(one_vm, 5353)
    assert heard(outside, one_vm.address, 8080) == "inside"
    assert heard(outside, one_vm.address6, 22).startswith("SSH-2.0")
    assert echoed(outside, one_vm.address, 5353) == "ping"
    one_vm.run(
        "nft", "-f", "-", stdin=DROP.replace("tcp dport 8080", "meta l4proto { tcp, udp } th dport { 8080, 5353 }")
    )
    assert heard(outside, one_vm.address, 8080, tries=1) == ""
    assert echoed(outside, one_vm.address, 5353, tries=2) == ""


@pytest.mark.vm
def test_the_vm_reaches_the_foreign_address_and_its_world_ends_there(one_vm):
    outside = one_vm.outside()
    outside.start("sh", "-c", "while :; do echo foreign | nc -q 0 -l -p 8443; done")
    assert heard(one_vm, FOREIGN, 8443) == "foreign"
    outside.start("sh", "-c", "while :; do echo foreign6 | nc -6 -q 0 -l -p 8446; done")
    assert heard(one_vm, vm.FOREIGN6, 8446) == "foreign6"
    assert outside.run("ip", "route", "show", "default").stdout == ""
    assert outside.run("ip", "-6", "route", "show", "default").stdout == ""


@pytest.mark.vm
def test_a_reboot_of_the_vm_keeps_its_files_and_drops_its_rules(one_vm):
    one_vm.run("tee", "/etc/kept", stdin="kept")
    one_vm.run("nft", "-f", "-", stdin=DROP)
    before = one_vm.run("cat", "/proc/sys/kernel/random/boot_id").stdout
    one_vm.restart()
    assert one_vm.run("cat", "/proc/sys/kernel/random/boot_id").stdout != before
    assert one_vm.run("cat", "/etc/kept").stdout == "kept"
    assert "smoke" not in one_vm.run("nft", "list", "tables").stdout


@pytest.mark.vm
def test_a_removed_vm_leaves_no_process_and_no_namespace():
    with vm.machine() as made:
        made.install_hostkit()
        assert "Usage: hostkit" in made.run("hostkit", "--help").stdout
        outside = made.outside()
        outside.start("sh", "-c", "while :; do nc -l -p 8443; done")
        heard(made, FOREIGN, 8443, tries=1)
        pids = local("ip", "netns", "pids", outside.name).stdout.split()
        assert len(pids) >= 2
    assert outside.name not in local("ip", "netns", "list").stdout
    assert alive_after_a_while(pids) == []
