"""Several hosts over real ssh: before, hardened side by side, after; and those that cannot be asked."""

import json
import sys
from contextlib import ExitStack

import pytest
import yaml

from tests.e2e.test_bootstrap import PROVED, all_of, answers, prepare
from tests.machines import systemd
from tests.machines.machine import local

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(900)]


@pytest.fixture
def two():
    """Two Debians with hostkit and a policy, nothing of them hardened."""
    with ExitStack() as held:
        machines = [held.enter_context(systemd.machine()) for _ in range(2)]
        for machine in machines:
            prepare(machine)
        yield machines


@pytest.fixture
def inventory(two, tmp_path):
    """Write an inventory of both, with their host keys known, and `more` besides."""
    keys = "".join(local("ssh-keyscan", "-t", "ed25519", machine.address).stdout for machine in two)
    (tmp_path / "known_hosts").write_text(keys)
    (tmp_path / "ssh_config").write_text(f"UserKnownHostsFile {tmp_path}/known_hosts\nGlobalKnownHostsFile none\n")

    def write(**more):
        hosts = {
            f"mini-{number}": {"ansible_host": machine.address, "ansible_ssh_private_key_file": str(machine.key)}
            for number, machine in enumerate(two, 1)
        }
        common = {"ansible_user": "admin", "hostkit_ssh_config": str(tmp_path / "ssh_config")}
        plain = {"all": {"vars": common, "hosts": {**hosts, **more}}}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump(plain, sort_keys=False))
        return str(tmp_path / "hosts.yml")

    return write


def hostkit(*words):
    return local(sys.executable, "-m", "hostkit", *words, check=False, timeout=400)


def test_two_hosts_are_hardened_side_by_side_and_what_cannot_be_asked_is_unknown(two, inventory):
    nobody = {"ansible_host": two[0].address, "ansible_port": 2222}
    before = hostkit("check", "--inventory", inventory(closed=nobody))
    assert before.code == 1, before
    lines = before.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:4]] == [["mini-1", "fail"], ["mini-2", "fail"], ["closed", "unknown"]]
    assert "cannot be reached" in lines[3]
    assert "Connection refused" in lines[3]
    assert lines[-1] == "3 hosts: 2 fail, 1 unknown"

    unhardened = [answers(machine) for machine in two]
    predicted = hostkit("bootstrap", "--inventory", inventory(), "--check")
    assert predicted.code == 0, predicted
    assert [answers(machine) for machine in two] == unhardened

    hardened = hostkit("bootstrap", "--inventory", inventory())
    assert hardened.code == 0, hardened
    assert "mini-1 | confirmed" in hardened.stdout
    assert "mini-2 | confirmed" in hardened.stdout
    assert all(answers(machine) == all_of(machine, "ok") for machine in two)

    after = json.loads(hostkit("check", "--inventory", inventory(), "--json").stdout)
    for machine, host in zip(two, after["hosts"], strict=True):
        found = {entry["id"]: entry["status"] for entry in host["results"]}
        assert {name: found[name] for name in PROVED} == all_of(machine, "ok")

    again = hostkit("bootstrap", "--inventory", inventory())
    assert [line.split(", ")[0] for line in again.stdout.splitlines()[-2:]] == [
        "mini-1  stands: 0 changed",
        "mini-2  stands: 0 changed",
    ]


def test_a_host_whose_key_is_not_known_or_where_sudo_asks_back_is_unknown_and_nothing_is_typed(
    two, inventory, tmp_path
):
    first, _ = two
    first.run("sh", "-c", "rm -f /etc/sudoers.d/*; gpasswd -d admin sudo", check=False)
    path = inventory()
    (tmp_path / "known_hosts").write_text(local("ssh-keyscan", "-t", "ed25519", first.address).stdout)
    done = hostkit("check", "--inventory", path, "--json")
    assert done.code == 3, done
    why = {host["host"]: host["why"] for host in json.loads(done.stdout)["hosts"]}
    assert why["mini-1"].startswith("sudo wants more than a command there: sudo: ")
    assert why["mini-2"] == "cannot be reached: Host key verification failed."
