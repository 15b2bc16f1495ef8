"""The play of sshd: keys only, refused where no key was seen, and nothing changed where sshd would not start anew."""

import pexpect
import pytest

from tests.e2e.test_bootstrap import answers, harden, prepare
from tests.machines.machine import FOREIGN, local

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]

DROP_IN = "/etc/ssh/sshd_config.d/00-hostkit.conf"


def ssh_with(machine, options, *command):
    """Return the words of a fresh connection with these options; they come first, so they win."""
    first, *rest = machine.ssh_words(*command, user="admin")
    assert first == "ssh"
    return [first, *(word for option in options for word in ("-o", option)), *rest]


def ways_in(machine):
    """Return the ways in that sshd offers to whoever has shown nothing yet, as it says itself."""
    answer = local(*ssh_with(machine, ["PreferredAuthentications=none"], "true"), check=False, timeout=30)
    assert (answer.code, "Permission denied" in answer.stderr) == (255, True), answer
    return set(answer.stderr.rpartition("(")[2].partition(")")[0].split(","))


def test_passwords_end_and_the_session_in_it_and_keys_go_on(systemd_machine):
    prepare(systemd_machine)
    assert ways_in(systemd_machine) == {"publickey", "password"}
    harden(systemd_machine)  # over a session that lived through sshd's reload, confirmed over a new one
    assert ways_in(systemd_machine) == {"publickey"}
    live = systemd_machine.run("/usr/sbin/sshd", "-T").stdout
    assert {"allowagentforwarding no", "permitrootlogin without-password"} <= set(live.splitlines())


def test_where_sshd_would_not_start_anew_nothing_of_it_is_changed(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("sh", "-c", "echo 'NoSuchOption yes' > /etc/ssh/sshd_config.d/50-somebodys.conf")
    failed = systemd_machine.run("hostkit", "bootstrap", "--confirm-from", FOREIGN, check=False)
    assert failed.code == 3
    told = failed.stderr.splitlines()[-1]
    assert "Stop here if sshd would not start anew" in told
    assert "nothing of it was changed" in told
    assert "NoSuchOption" in told
    assert systemd_machine.run("test", "-e", DROP_IN, check=False).code == 1
    assert ways_in(systemd_machine) == {"publickey", "password"}
    assert systemd_machine.ssh("true").code == 0
    assert answers(systemd_machine)["ssh-keys"] == "unknown"  # sshd does not say what it would do


def test_whoever_came_by_a_password_is_told_to_come_by_a_key_before_anything_changes(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("chpasswd", stdin="admin:told-by-phone\n")
    words = ssh_with(systemd_machine, ["BatchMode=no", "PubkeyAuthentication=no"], "sudo", "hostkit", "bootstrap")
    session = pexpect.spawn(words[0], words[1:], encoding="utf-8", timeout=60, dimensions=(50, 300))
    session.expect("password:")
    session.sendline("told-by-phone")
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus == 2, session.before
    assert "no login by key was seen, and passwords would no longer be taken over SSH" in session.before
    assert "--skip ssh" in session.before
    assert systemd_machine.run("getent", "passwd", "hostkit-agent", check=False).code == 2
    assert systemd_machine.run("test", "-e", DROP_IN, check=False).code == 1
