"""check --fix on a Debian with systemd: what is safe is mended, what disrupts ends in bootstrap's confirm."""

import json
import subprocess

import pytest

from tests.e2e.test_bootstrap import confirm, is_pending, prepare, wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]

CHECKS = "policy-owner,docker-socket,docker-group"
BREAK = """\
chmod 0666 /etc/hostkit/hostkit.yml
python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('/run/docker.sock')"
chmod 0666 /run/docker.sock
getent group docker >/dev/null || groupadd --system docker
gpasswd --add admin docker
"""


def fix(machine, *words, only=CHECKS):
    return machine.run("hostkit", "check", "--only", only, "--fix", *words, check=False, timeout=120)


def answers(machine, only=CHECKS):
    said = machine.run("hostkit", "check", "--json", "--only", only, check=False).stdout
    return {entry["id"]: entry["status"] for entry in json.loads(said)["results"]}


def modes(machine):
    return machine.run("stat", "--format=%a", "/etc/hostkit/hostkit.yml", "/run/docker.sock").stdout.split()


def test_safe_ones_are_mended_the_manual_one_is_told_and_the_exit_code_says_what_is_left(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("sh", "-ec", BREAK)
    assert set(answers(systemd_machine).values()) == {"fail"}

    planned = fix(systemd_machine, "--dry-run")
    assert planned.code == 1
    assert "policy-owner: chmod go-w -- /etc/hostkit/hostkit.yml" in planned.stdout
    assert modes(systemd_machine) == ["666", "666"]

    refused = fix(systemd_machine)
    assert (refused.code, "nobody sits at a terminal to be asked; --yes" in refused.stderr) == (2, True)
    assert modes(systemd_machine) == ["666", "666"]

    mended = fix(systemd_machine, "--yes")
    assert mended.code == 1, mended
    assert [line.split()[:2] for line in mended.stdout.splitlines()[-3:]] == [
        ["mended", "docker-socket"], ["still", "failing"], ["mended", "policy-owner"]
    ]  # fmt: skip
    assert "by hand:\n  docker-group: gpasswd -d USER docker" in mended.stdout
    assert modes(systemd_machine) == ["644", "660"]
    assert answers(systemd_machine) == {"docker-group": "fail", "docker-socket": "ok", "policy-owner": "ok"}

    systemd_machine.run("gpasswd", "--delete", "admin", "docker")
    assert fix(systemd_machine, "--yes").code == 0


def test_a_link_that_an_agent_laid_leads_nowhere(systemd_machine):
    """The socket's place is root's; so the policy's is given to an agent, whose link the mend must not follow."""
    prepare(systemd_machine)
    lay = "useradd agent && install -d -o agent /srv/policy && cp /etc/hostkit/hostkit.yml /srv/policy/hostkit.yml"
    systemd_machine.run("sh", "-ec", f"{lay}; chmod 0666 /srv/policy/hostkit.yml; mv /srv/policy /srv/real")
    systemd_machine.run("sh", "-ec", "install -d -o agent /srv/agent; ln -s /srv/real /srv/agent/policy")
    words = ("--policy", "/srv/agent/policy/hostkit.yml", "check", "--only", "policy-owner", "--fix", "--yes")
    said = systemd_machine.run("hostkit", *words, check=False)
    assert (said.code, "a link stands in its way at 'policy'" in said.stderr) == (1, True), said
    assert systemd_machine.run("stat", "--format=%a", "/srv/real/hostkit.yml").stdout == "666\n"


def test_what_disrupts_ends_in_bootstraps_confirm(systemd_machine):
    prepare(systemd_machine)
    only = "firewall,journal-kept"
    words = systemd_machine.ssh_words("sudo", "hostkit", "check", "--only", only, "--fix", "--yes", user="admin")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as session:
        try:
            wait_for(lambda: is_pending(systemd_machine) or session.poll() is not None, 2 * systemd_machine.patience)
            assert session.poll() is None, session.stdout.read()
            assert confirm(systemd_machine).stdout == "confirmed: the fence stays, over reboots too\n"
            said, _ = session.communicate(timeout=systemd_machine.patience)
        finally:
            session.kill()
    assert session.returncode == 0, said
    assert "by hostkit bootstrap --only journal,fence:" in said
    assert "mended         firewall-fence" in said
    assert set(answers(systemd_machine, only).values()) == {"ok"}
