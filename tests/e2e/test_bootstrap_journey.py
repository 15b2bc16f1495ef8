"""bootstrap as a journey: part of it, at the console, unattended, who would be cut, and all the way back."""

import subprocess
import time
from contextlib import contextmanager

import pexpect
import pytest

from hostkit.host import LocalHost
from tests.e2e.test_bootstrap import SHARE, all_of, answers, confirm, harden, is_pending, prepare, tables
from tests.machines.machine import FOREIGN, local, wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]

SNAPSHOT = """\
cd /etc
find . -name '*-' -o -name .pwd.lock -o -name '*.hostkit-undo' -o -printf '%p %y %m %u %g %l\n'
find . -type f -exec sha256sum {} + | grep -v -e '-$' -e '[.]hostkit-undo$'
systemctl list-unit-files --no-legend
nft list ruleset
getent passwd; getent group; getent shadow
find /usr/local/lib -not -name '*.hostkit-undo'
"""
RESOLVER = """\
import socket, sys
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind((sys.argv[1], 53))
while True:
    data, peer = wire.recvfrom(4096)
    wire.sendto(data[:2] + b"\\x80\\0" + data[4:], peer)
"""
TALK = "exec 3<>/dev/tcp/{address}/{port}; sleep 300 <&3"


def snapshot(machine):
    """Return everything that bootstrap might change, as lines."""
    machine.run("systemctl", "daemon-reload")
    return sorted(machine.run("sh", "-c", SNAPSHOT, check=False).stdout.splitlines())


def differences(before, after):
    return sorted(set(before) ^ set(after))


def talk(machine, account, address, port):
    """Hold a connection of an account's until the machine goes."""
    words = ("runuser", "-u", account, "--", "setsid", "bash", "-c", TALK.format(address=address, port=port))
    with subprocess.Popen(["docker", "exec", "-d", machine.name, *words]) as started:
        assert started.wait() == 0
    wait_for(lambda: f"{address}:{port}" in machine.run("ss", "-Htn", "state", "established").stdout, 10)


def failures(said):
    return "\n".join(line for line in said.stdout.splitlines() if line.startswith("failed"))


def undo(machine, *more):
    return machine.ssh(
        "sudo", "hostkit", "bootstrap", "--undo", *more, user="admin", timeout=max(120, machine.patience), check=False
    )


def test_undo_gives_back_the_files_the_units_and_the_ruleset_and_nobody_is_cut(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("sh", "-c", SHARE)
    systemd_machine.run("nft", "add", "table", "inet", "somebodys")
    before = snapshot(systemd_machine)
    harden(systemd_machine)
    hardened = snapshot(systemd_machine)
    assert len(differences(before, hardened)) > 20

    foretold = undo(systemd_machine, "--check")
    assert "would    take the fence down" in foretold.stdout
    assert foretold.stdout.endswith("nothing was changed\n")
    assert snapshot(systemd_machine) == hardened

    words = systemd_machine.ssh_words("sh", "-c", "sleep 5; read word; echo heard $word")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        said = undo(systemd_machine)
        assert said.code == 0, failures(said)
        assert session.communicate("me\n", timeout=30)[0] == "heard me\n"
    assert "stays    shares that were unmounted stay so; to mount them again: mount -a" in said.stdout
    assert differences(before, snapshot(systemd_machine)) == []
    assert systemd_machine.run("test", "-e", "/var/lib/hostkit/bootstrap", check=False).code == 1

    again = undo(systemd_machine)
    assert (again.code, again.stdout) == (0, "nothing to undo: no bootstrap of this host is on record\n")
    harden(systemd_machine)
    assert answers(systemd_machine) == all_of(systemd_machine, "ok")


def test_what_a_killed_run_did_is_undone_and_what_the_owner_wrote_is_kept_beside(systemd_machine):
    prepare(systemd_machine)
    before = snapshot(systemd_machine)
    words = ["docker", "exec", systemd_machine.name, "hostkit", "bootstrap", "--confirm-from", FOREIGN]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as session:
        started = "/etc/systemd/system/hostkit-gateway.service"
        wait_for(lambda: systemd_machine.run("test", "-e", started, check=False).code == 0, 60)
        systemd_machine.run("pkill", "-KILL", "-f", "/usr/local/bin/hostkit bootstrap")
        session.communicate(timeout=60)
    wait_for(lambda: systemd_machine.run("pgrep", "-f", "ansible|mitogen", check=False).code, 10)
    assert len(differences(before, snapshot(systemd_machine))) > 3
    systemd_machine.run("sh", "-c", f"echo '# the owner was here' >> {started}")

    said = undo(systemd_machine)
    assert said.code == 0, failures(said)
    assert f"remove {started}; what is there now is kept as {started}.hostkit-undo" in said.stdout
    assert "# the owner was here" in systemd_machine.run("cat", f"{started}.hostkit-undo").stdout
    left = [line.split()[0].replace("./", "/etc/", 1) for line in differences(before, snapshot(systemd_machine))]
    assert "/usr/local/lib/hostkit" in left  # each of them a folder with a file kept beside
    assert [path for path in left if f"stays    remove {path}: it is not empty" not in said.stdout] == []
    left = systemd_machine.run("ls", "/run/hostkit").stdout
    assert left.split() == [name for name in left.split() if name.startswith("ansible-")] + ["bootstrap.lock"]
    systemd_machine.run("hostkit", "bootstrap", "--check")
    assert systemd_machine.run("ls", "/run/hostkit").stdout == "bootstrap.lock\n"


@contextmanager
def console(machine, *more):
    """Hold a bootstrap at a terminal of the machine's own."""
    words = ["exec", "-it", machine.name, "hostkit", "bootstrap", *more]
    terminal = pexpect.spawn("docker", words, encoding="utf-8", timeout=90, dimensions=(50, 200))
    try:
        yield terminal
    finally:
        terminal.close(force=True)


def test_at_the_console_the_word_keeps_the_fence_while_the_network_answers(systemd_machine):
    prepare(systemd_machine)
    outside = systemd_machine.outside()
    outside.start("nc", "-d", "-k", "-l", "8443")
    talk(systemd_machine, "admin", FOREIGN, 8443)
    line = f"  admin (bash): tcp to {FOREIGN}:8443"
    foretold = systemd_machine.run("hostkit", "bootstrap", "--check").stderr
    assert line in foretold.splitlines()

    with console(systemd_machine) as terminal:
        terminal.expect_exact(line)
        terminal.expect_exact("1 would be cut; go on? [y/N]: ")
        terminal.sendline("n")
        terminal.expect_exact("hostkit: nothing was changed; list what must go on")
    assert systemd_machine.run("test", "-e", "/var/lib/hostkit", check=False).code == 1

    with console(systemd_machine, "--yes") as terminal:
        terminal.expect("type ([a-z]{8}) here")
        word = terminal.match[1]
        refused = systemd_machine.run("hostkit", "bootstrap", "--confirm", check=False)
        assert (refused.code, "type the word that is shown there" in refused.stderr) == (2, True)
        terminal.sendline("something")
        terminal.expect_exact("not kept yet: that is not the word")
        terminal.sendline(word)
        terminal.expect_exact(f"not kept yet: resolver {FOREIGN} does not answer")
        assert is_pending(systemd_machine)
        outside.run("sh", "-c", "cat > /tmp/resolver.py", stdin=RESOLVER)
        outside.start("python3", "/tmp/resolver.py", FOREIGN)
        time.sleep(1)
        network = systemd_machine.address.rpartition(".")[0]
        systemd_machine.run("ip", "route", "replace", "default", "via", f"{network}.250")
        terminal.sendline(word)
        terminal.expect("not kept yet: gateway [0-9.]*250 does not answer on eth0")
        systemd_machine.run("ip", "route", "replace", "default", "via", f"{network}.1")
        terminal.sendline(word)
        terminal.expect_exact("confirmed\r\n")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 0
    assert "table inet hostkit" in tables(systemd_machine)


def test_a_containers_traffic_is_seen_by_the_host_that_forwards_it(systemd_machine):
    systemd_machine.outside().start("nc", "-d", "-k", "-l", "8443")
    talk(systemd_machine, "admin", FOREIGN, 8443)
    mine = [one for one in LocalHost().connections() if (one.near, one.far) == (systemd_machine.address, FOREIGN)]
    (found,) = [one for one in mine if one.process == "bash"]
    number = local("docker", "inspect", "-f", "{{.Id}}", systemd_machine.name).stdout[:12]
    assert (found.own, found.inward, found.far_port) == (False, False, 8443)
    assert found.place == f"container {number}"


def test_unattended_it_wants_to_know_who_confirms_and_nobody_else_may(systemd_machine):
    prepare(systemd_machine)
    refused = systemd_machine.run("hostkit", "bootstrap", check=False)
    assert (refused.code, refused.stdout) == (2, "")
    assert "hostkit: nobody is here to confirm the fence" in refused.stderr.splitlines()[-1]
    assert systemd_machine.run("test", "-e", "/var/lib/hostkit", check=False).code == 1

    outside = systemd_machine.outside()
    outside.run("install", "-m", "0600", "/dev/stdin", "/tmp/key", stdin=systemd_machine.key.read_text())
    words = ["docker", "exec", systemd_machine.name, "hostkit", "bootstrap", "--confirm-from", outside.address]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as session:
        asked = f"Within 120 s, from {outside.address}, over a NEW SSH connection"
        said = ""
        while asked not in said:  # a pending fence may be confirmed before anybody was asked to
            line = session.stdout.readline()
            assert line, said
            said += line
        another = confirm(systemd_machine)
        assert another.code == 2
        assert f"and only {outside.address} may confirm; connect from there" in another.stderr
        assert is_pending(systemd_machine)
        ssh = ("ssh", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "-i", "/tmp/key")
        kept = outside.run(*ssh, f"admin@{systemd_machine.address}", "sudo hostkit bootstrap --confirm", check=False)
        assert kept.stdout == "confirmed: the fence stays, over reboots too\n", kept.stderr
        rest, _ = session.communicate(timeout=60)
        assert session.returncode == 0, said + rest


def test_parts_of_it_run_alone_and_prove_their_own_checks_only(systemd_machine):
    prepare(systemd_machine)
    wrong = systemd_machine.run("hostkit", "bootstrap", "--only", "fense", check=False)
    assert (wrong.code, len(wrong.stderr.splitlines())) == (2, 1)
    assert "no play is called 'fense'; did you mean fence?" in wrong.stderr

    said = systemd_machine.run("hostkit", "bootstrap", "--only", "account,clients")
    assert "  account      2  Whoever runs as that account has no way to root" in said.stdout
    assert "sandboxes-return" in said.stdout
    assert "firewall-fence" not in said.stdout
    found = answers(systemd_machine)
    assert (found["account-dedicated"], found["firewall-fence"]) == ("ok", "fail")

    systemd_machine.run("hostkit", "bootstrap", "--skip", "fence")
    assert "table inet hostkit" not in tables(systemd_machine)
    harden(systemd_machine)
    systemd_machine.run("nft", "insert", "rule", "inet", "hostkit", "input", "accept")
    systemd_machine.run("hostkit", "bootstrap", "--skip", "90-fence")
    assert answers(systemd_machine)["firewall-intact"] == "fail"  # it was left as it is


def test_a_second_bootstrap_is_refused_in_one_line_while_one_is_under_way(systemd_machine):
    prepare(systemd_machine)
    held = "mkdir -p -m 0700 /run/hostkit; flock /run/hostkit/bootstrap.lock sleep 60 >/dev/null 2>&1 &"
    systemd_machine.run("sh", "-c", held)
    for words in ((), ("--undo",), ("--check",)):
        refused = systemd_machine.run("hostkit", "bootstrap", *words, check=False)
        assert (refused.code, refused.stdout) == (2, "")
        said = "hostkit: another bootstrap is under way on this machine; wait until it has ended\n"
        assert refused.stderr == said
