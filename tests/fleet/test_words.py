"""What is said to ssh: options that give the far host nothing, and words that no shell reads twice."""

import shlex
import subprocess

import pytest

from hostkit.fleet import words
from hostkit.fleet.inventory import Target

PLAIN = Target("mini-1", "192.0.2.10")
FULL = Target("mini-2", "2001:db8::5", 2222, "admin", "/keys/it", "/srv/a policy.yml", "/etc/ssh/fleet")


def test_ssh_is_asked_over_a_connection_of_its_own_that_gives_the_host_nothing():
    said = words.ssh(PLAIN, "true")
    assert said[-3:] == ["--", "192.0.2.10", "true"]
    options = {said[at + 1] for at, word in enumerate(said) if word == "-o"}
    assert {"BatchMode=yes", "ControlMaster=no", "ControlPath=none"} <= options
    assert {"ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no"} <= options


def test_what_the_inventory_says_is_said_to_ssh():
    said = words.ssh(FULL, "true")
    assert said[:4] == ["ssh", "-T", "-F", "/etc/ssh/fleet"]
    assert said[-9:] == ["-i", "/keys/it", "-p", "2222", "-l", "admin", "--", "2001:db8::5", "true"]
    assert "IdentitiesOnly=yes" in said


def test_ssh_itself_takes_the_words_as_they_are_meant(tmp_path):
    (tmp_path / "config").write_text("")
    said = words.ssh(Target("a", "192.0.2.10", 2222, "admin", ssh_config=str(tmp_path / "config")), "true")
    told = subprocess.run(["ssh", "-G", *said[1:]], capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = {"host 192.0.2.10", "user admin", "port 2222", "batchmode yes", "forwardagent no", "controlmaster false"}
    assert wanted <= set(told)


@pytest.fixture
def far(tmp_path):
    """A far shell: what its `hostkit` and `sudo` were called with, one word a line."""
    (tmp_path / "hostkit").write_text('#!/bin/sh\nprintf "%s\\n" hostkit "$@"\n')
    (tmp_path / "sudo").write_text('#!/bin/sh\nprintf "%s\\n" sudo "$@"\n')
    for name in ("hostkit", "sudo"):
        (tmp_path / name).chmod(0o755)

    def run(line, uid):
        (tmp_path / "id").write_text(f"#!/bin/sh\necho {uid}\n")
        (tmp_path / "id").chmod(0o755)
        place = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SSH_CONNECTION": "198.51.100.7 4000 192.0.2.10 22"}
        return subprocess.run(["/bin/sh", "-c", line], env=place, capture_output=True, text=True, check=True).stdout

    return lambda line, uid=0: run(line, uid).splitlines()


def test_root_runs_it_and_others_ask_sudo_who_may_not_ask_back(far):
    assert far(words.check(PLAIN)) == ["hostkit", "check", "--json", "--skip", "scans"]
    assert far(words.check(PLAIN), uid=1000) == ["sudo", "-n", "--", "hostkit", "check", "--json", "--skip", "scans"]


def test_a_bootstrap_may_be_confirmed_only_from_where_this_connection_comes_from(far):
    said = far(words.bootstrap(FULL, ("--skip", "ssh; reboot"), dry=False))
    assert said == ["hostkit", "--policy", FULL.policy, "bootstrap", "--skip", "ssh; reboot",
                    "--confirm-from", "198.51.100.7"]  # fmt: skip
    assert far(words.bootstrap(PLAIN, (), dry=True)) == ["hostkit", "bootstrap", "--check"]
    assert far(words.confirm(PLAIN)) == ["hostkit", "bootstrap", "--confirm"]


def test_a_home_in_the_inventory_is_the_one_here():
    said = words.ssh(Target("a", "a", key="~/.ssh/acme"), "true")
    assert "~" not in shlex.join(said)
