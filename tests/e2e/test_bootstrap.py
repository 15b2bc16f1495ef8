"""bootstrap on a Debian with systemd: checks fail before and pass after, nobody is cut off, the fence holds."""

import json
import re
import subprocess
import time
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from hostkit.bootstrap.guard import WINDOW
from hostkit.bootstrap.plays import plays
from hostkit.errors import Exit
from tests.e2e.test_machines import heard, listen
from tests.machines.machine import FOREIGN, Machine, wait_for
from tests.machines.systemd import SystemdMachine

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]

POLICY = """\
version: 1
host: {{management: [{management}], resolvers: [{foreign}], waive: {{}}}}
"""
# mount(8) of Debian 13 forgets what comes after `fuse.` unless it calls mount(2), as sshfs itself does.
SHARE = """\
mkdir -p '/mnt/a share'; exec 3<>/dev/fuse
export LIBMOUNT_FORCE_MOUNT2=always
mount -i -t fuse.sshfs -o fd=3,rootmode=40000,user_id=0,group_id=0 nas:/share '/mnt/a share'
echo 'nas:/export /mnt/nas nfs defaults,noauto 0 0' >> /etc/fstab
echo 'hostkit-agent ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/agent
unit='[Service]\nExecStart=/bin/sleep inf\n[Install]\nWantedBy=multi-user.target\n'
printf "$unit" > /usr/lib/systemd/system/vsftpd.service && systemctl enable -q --now vsftpd.service
"""


def proved(subjects):
    """Return the checks that the plays of these subjects, as --only takes them, prove."""
    return sorted(name for play in plays() if play.subject in subjects.split(",") for name in play.proves)


PROVED = sorted(name for play in plays() for name in play.proves)
WALLS = ("--only", "account,gateway,fence")
"""What the fence needs and no more: a VM without KVM takes a second for each task."""
AROUND = {
    "apparmor-agent",
    "audit-commands",
    "audit-config",
    "audit-log",
    "clock-service",
    "docker-options",
}  # what belongs to the machine around a container


def prepare(machine, management="eth0"):
    machine.install_hostkit()
    machine.run("install", "-D", "-m", "0600", "/dev/stdin", "/etc/hostkit/hostkit.yml",
                stdin=POLICY.format(management=management, foreign=FOREIGN))  # fmt: skip


def answers(machine, *names):
    """Return what each of these checks says, each proved one by default."""
    return {name: entry["status"] for name, entry in told(machine, "--only", ",".join(names or PROVED)).items()}


def told(machine, *words):
    """Return each check's entry by its id."""
    said = machine.run("hostkit", "check", "--json", "--patience", "90", *words, check=False, timeout=400)
    assert said.code in {Exit.STANDS, Exit.FOUND, Exit.CANNOT_TELL}, said
    return {entry["id"]: entry for entry in json.loads(said.stdout)["results"]}


def all_of(machine, status):
    """Return the answers of a machine on which every proved check says this."""
    skipped = AROUND if isinstance(machine, SystemdMachine) else set()
    return {name: "skip" if name in skipped else status for name in PROVED}


def tables(machine):
    return machine.run("nft", "list", "tables").stdout.split("\n")


def is_pending(machine, mark="/run/hostkit/fence.pending"):
    return machine.run("test", "-e", mark, check=False).code == 0


@contextmanager
def bootstrapping(machine, *more, pending="/run/hostkit/fence.pending"):
    """Hold a bootstrap that runs over an SSH session of its own, its fence applied and not yet confirmed."""
    words = machine.ssh_words("sudo", "hostkit", "bootstrap", *more, user="admin")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as session:
        try:
            wait_for(lambda: is_pending(machine, pending) or session.poll() is not None, 2 * machine.patience)
            assert session.poll() is None, session.stdout.read()
            yield session
        finally:
            session.kill()


def confirm(machine):
    return machine.ssh("sudo", "hostkit", "bootstrap", "--confirm", user="admin", check=False)


def harden(machine):
    """Return what a confirmed bootstrap said."""
    with bootstrapping(machine) as session:
        confirmed = confirm(machine)
        assert confirmed.stdout == "confirmed: the fence stays, over reboots too\n", confirmed.stderr
        said, _ = session.communicate(timeout=machine.patience)
        assert session.returncode == 0, said
    return said


def changed_plays(said):
    """Return the subjects of the plays that changed something, or would."""
    found = re.findall(r"^  (\w+) +\d+  ", said, re.MULTILINE)
    assert found, said
    return set(found)


def test_checks_fail_before_and_pass_after_and_a_second_run_changes_nothing(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("sh", "-c", SHARE)
    assert answers(systemd_machine) == all_of(systemd_machine, "fail")

    predicted = systemd_machine.run("hostkit", "bootstrap", "--check", "--diff")
    assert "changed  Make the account" in predicted.stdout
    assert "+        type filter hook input priority -10; policy drop;" in predicted.stdout
    assert answers(systemd_machine) == all_of(systemd_machine, "fail")

    said = harden(systemd_machine)
    assert re.search(r"^[1-9]\d* changed, \d+ as they should be", said, re.MULTILINE)
    assert {"account", "ssh", "fence"} <= changed_plays(said) <= changed_plays(predicted.stdout)
    assert answers(systemd_machine) == all_of(systemd_machine, "ok")

    again = systemd_machine.run("hostkit", "bootstrap")
    assert again.stdout.startswith("0 changed, "), again.stdout
    assert "# taken out by hostkit: nas:/export" in systemd_machine.run("cat", "/etc/fstab").stdout


def test_the_fence_closes_the_way_in_and_the_way_out_and_leaves_the_named_ones(systemd_machine):
    prepare(systemd_machine)
    outside = systemd_machine.outside()
    listen(systemd_machine, 8080, "inside")
    listen(outside, 8443, "foreign")
    listen(outside, 53, "resolver")
    assert heard(outside, systemd_machine.address, 8080) == "inside"
    assert heard(systemd_machine, FOREIGN, 8443) == "foreign"

    harden(systemd_machine)
    assert heard(outside, systemd_machine.address, 8080, tries=2) == ""
    assert heard(systemd_machine, FOREIGN, 8443, tries=2) == ""
    assert heard(systemd_machine, FOREIGN, 53, tries=2) == ""
    assert heard(Gateways(systemd_machine), FOREIGN, 53) == "resolver"
    assert systemd_machine.ssh("true").code == 0


class Gateways(NamedTuple):
    """A place whose commands run by the account of the host's own gateway."""

    machine: Machine

    def run(self, *command, **more):
        return self.machine.run("setpriv", "--reuid=hostkit-gateway", "--clear-groups", *command, **more)


def test_sessions_live_on_even_where_the_server_speaks_first(systemd_machine):
    prepare(systemd_machine)
    # Nothing tracks connections yet, so none of these sessions has an entry when the fence comes.
    words = systemd_machine.ssh_words("sh", "-c", "sleep 25; echo spoke first; cat")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as quiet:
        try:
            harden(systemd_machine)
            assert quiet.stdout.readline() == "spoke first\n"
            quiet.stdin.write("and answers\n")
            quiet.stdin.close()
            assert quiet.stdout.read() == "and answers\n"
        finally:
            quiet.kill()


def test_unconfirmed_it_rolls_back_by_itself_and_the_session_is_told(systemd_machine):
    prepare(systemd_machine)
    started = time.monotonic()
    with bootstrapping(systemd_machine) as session:
        assert "table inet hostkit" in tables(systemd_machine)
        said, _ = session.communicate(timeout=WINDOW + 90)
    assert time.monotonic() - started > WINDOW
    assert session.returncode == 1
    assert "not confirmed: the fence was rolled back" in said
    assert "table inet hostkit" not in tables(systemd_machine)
    assert confirm(systemd_machine).stderr.startswith("hostkit: no fence waits to be confirmed")


def test_a_reboot_brings_back_what_was_confirmed_and_nothing_else(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("nft", "add", "table", "inet", "somebodys")
    with bootstrapping(systemd_machine):
        assert {"table inet hostkit", "table inet somebodys"} <= set(tables(systemd_machine))
        systemd_machine.restart()
    assert "table inet hostkit" not in tables(systemd_machine)
    harden(systemd_machine)
    assert [name for name in tables(systemd_machine) if "hostkit" in name] == ["table inet hostkit"]
    systemd_machine.restart()
    assert answers(systemd_machine) == all_of(systemd_machine, "ok")
    _a_clients_unit_runs_the_whole_launch(systemd_machine)


def _a_clients_unit_runs_the_whole_launch(machine):
    """The unit asks for the engine, then runs hostkit launch, and its journal says why that could not be."""
    stand_in = "printf '[Service]\\nExecStart=/bin/sleep inf\\n' > /run/systemd/system/docker.service"
    machine.run("sh", "-c", stand_in)
    machine.run("systemctl", "daemon-reload")
    assert machine.run("systemctl", "start", "hostkit-client@acme", check=False).code
    said = machine.run("journalctl", "-u", "hostkit-client@acme", "--no-pager").stdout
    assert "hostkit: unknown client 'acme'; clients in /etc/hostkit/hostkit.yml: none" in said


def test_only_a_new_connection_confirms(systemd_machine):
    prepare(systemd_machine)
    old = ("sh", "-c", "read go; sudo hostkit bootstrap --confirm; echo $?")
    words = systemd_machine.ssh_words(*old, user="admin")
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as before:
        time.sleep(1)
        with bootstrapping(systemd_machine):
            said, _ = before.communicate("go\n", timeout=60)
            assert "this SSH session is older than the fence; open a new connection" in said
            assert said.endswith("\n2\n")
            console = systemd_machine.run("hostkit", "bootstrap", "--confirm", check=False)
            assert (console.code, "not at the console" in console.stderr) == (2, True)
            assert is_pending(systemd_machine)


def test_a_session_that_would_be_cut_is_a_refusal_before_anything_changes(systemd_machine):
    prepare(systemd_machine, management="")
    refused = systemd_machine.ssh("sudo", "hostkit", "bootstrap", user="admin", check=False)
    assert refused.code == 2
    assert "comes in on eth0 port 22 and would be cut; name it under host.management" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert systemd_machine.run("getent", "passwd", "hostkit-agent", check=False).code == 2
    assert systemd_machine.run("ls", "/etc/hostkit").stdout == "hostkit.yml\n"


def test_without_root_it_says_so_and_changes_nothing(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("chmod", "0644", "/etc/hostkit/hostkit.yml")
    for words in (("bootstrap",), ("bootstrap", "--confirm")):
        refused = systemd_machine.ssh("hostkit", *words, user="admin", check=False)
        assert refused.code == 2
        assert "run it as root: sudo hostkit bootstrap" in refused.stderr
    assert systemd_machine.run("ls", "/etc/hostkit").stdout == "hostkit.yml\n"


def test_init_over_ssh_names_the_interface_that_the_session_came_in_on(systemd_machine):
    systemd_machine.install_hostkit()
    systemd_machine.ssh("sudo", "hostkit", "init", "--output", "/etc/written.yml", user="admin")
    assert "  management: [eth0]  " in systemd_machine.run("cat", "/etc/written.yml").stdout


def test_a_rule_added_by_hand_is_found_and_the_next_bootstrap_takes_it_away(systemd_machine):
    prepare(systemd_machine)
    harden(systemd_machine)
    systemd_machine.run("nft", "insert", "rule", "inet", "hostkit", "input", "accept")
    assert answers(systemd_machine)["firewall-intact"] == "fail"
    assert "changed  Put the fence up" in harden(systemd_machine)
    assert answers(systemd_machine) == all_of(systemd_machine, "ok")


def test_what_was_changed_since_it_was_applied_is_not_confirmed_and_nothing_unconfirmed_stays(systemd_machine):
    prepare(systemd_machine)
    fence = "/usr/local/lib/hostkit/fence"
    with bootstrapping(systemd_machine):
        systemd_machine.run("nft", "insert", "rule", "inet", "hostkit", "input", "accept")
        refused = confirm(systemd_machine)
        assert (refused.code, "the fence was changed since it was applied" in refused.stderr) == (3, True), refused
        assert is_pending(systemd_machine)
        assert systemd_machine.run("test", "-e", "/etc/hostkit/fence.nft", check=False).code == 1

        # Another one comes, and its timer cannot be set: neither of them stands.
        systemd_machine.run("mv", "/usr/bin/systemd-run", "/usr/bin/systemd-run.away")
        assert systemd_machine.run(fence, "apply", "ssh", check=False).code
        assert "table inet hostkit" not in tables(systemd_machine)
        assert not is_pending(systemd_machine)

        # The one before it is spoilt: it is no reason to keep what nobody confirmed.
        systemd_machine.run("nft", "-f", "/etc/hostkit/fence.candidate.nft")
        systemd_machine.run("sh", "-c", "echo 'no rules' >/etc/hostkit/fence.nft")
        systemd_machine.run(fence, "rollback")
        assert "table inet hostkit" not in tables(systemd_machine)


def test_a_confirmation_waits_for_a_roll_back_under_way_and_then_finds_nothing(systemd_machine):
    prepare(systemd_machine)
    slow = "flock /run/hostkit/fence.lock sh -c 'sleep 6; rm /run/hostkit/fence.pending' >/dev/null 2>&1 &"
    with bootstrapping(systemd_machine):
        systemd_machine.run("sh", "-c", slow)
        refused = confirm(systemd_machine)
        assert (refused.code, "no fence waits to be confirmed" in refused.stderr) == (3, True), refused
        assert systemd_machine.run("test", "-e", "/etc/hostkit/fence.nft", check=False).code == 1


def test_a_task_that_fails_is_named_and_what_was_done_stays(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("sh", "-c", "rm -rf /usr/local/lib/hostkit && touch /usr/local/lib/hostkit")
    failed = systemd_machine.run("hostkit", "bootstrap", "--confirm-from", FOREIGN, check=False)
    assert failed.code == 3
    assert "Make hostkit's folders" in failed.stderr.splitlines()[-1]
    assert answers(systemd_machine)["account-dedicated"] == "ok"
    assert "table inet hostkit" not in tables(systemd_machine)
    assert systemd_machine.run("ls", "/run/hostkit").stdout == "bootstrap.lock\n"
