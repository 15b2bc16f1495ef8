"""The machines on which bootstrap is tested are what those tests take them for."""

import time

import pytest

from tests.machines.machine import FOREIGN, local

DROP = "table inet smoke { chain in { type filter hook input priority -10; policy accept; tcp dport 8080 drop; }; }"


def listen(machine, port, word):
    """Answer every connection on this port with one word, for as long as the machine lives."""
    program = f"while :; do echo {word} | nc -q 0 -l -p {port}; done"
    machine.run("sh", "-c", f"nohup sh -c '{program}' >/dev/null 2>&1 </dev/null &")


def heard(place, address, port, tries=20):
    """Return what a connection from that place hears, or nothing."""
    for _ in range(tries):
        said = place.run("nc", "-w", "2", address, str(port), check=False).stdout.strip()
        if said:
            return said
        time.sleep(0.2)
    return ""


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
    from tests.machines.systemd import SystemdMachine, docker

    second = SystemdMachine(systemd_machine.key.parent / "second")
    second.start()
    second.outside()
    second.remove()
    assert docker("ps", "-aq", "--filter", f"name={second.name}").stdout == ""
    assert docker("network", "ls", "-q", "--filter", f"name={second.name}").stdout == ""
