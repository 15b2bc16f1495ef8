"""The project's Vagrantfile as a user has it: up with its provisioning, reload, destroy; with libvirt and no KVM."""

import re

import pytest
import yaml

from hostkit import __version__
from tests.machines import vagrant
from tests.machines.machine import local

pytestmark = [pytest.mark.vagrant, pytest.mark.timeout(1500)]
RULES = "iptables-save; ip6tables-save; nft list ruleset"


def libvirts_rules(*within):
    """Return how many firewall lines there are that libvirt made."""
    return len(re.findall("LIBVIRT|virbr", local(*within, "sh", "-c", RULES, check=False).stdout))


def test_the_vagrantfile_brings_hostkit_up_through_a_reload_and_leaves_nothing_of_this_machine_in_it():
    with vagrant.machine() as made:
        made.add_box()
        made.boot()
        told = made("provision").stdout
        assert "next: vagrant ssh" in told

        _has_hostkit(made)
        assert (
            made.inside("grep -cE ' (nfs4?|9p|virtiofs|vboxsf|fuse[.][a-z]+) ' /proc/mounts", check=False).stdout
            == "0\n"
        )
        assert made.inside("find /opt/hostkit ! -user root -print -quit").stdout == ""
        assert libvirts_rules() == 0
        assert libvirts_rules("nsenter", f"--net=/run/netns/{made.name}") > 0

        before = made.inside("cat /proc/sys/kernel/random/boot_id").stdout
        made.inside("sudo touch /etc/hostkit/kept")
        made("reload", "--no-provision", timeout=1500)
        assert made.inside("cat /proc/sys/kernel/random/boot_id").stdout != before
        made.inside("test -e /etc/hostkit/kept")
        _has_hostkit(made)

        made("destroy", "-f")
        assert made.run("virsh", "list", "--all", "--name").stdout.strip() == ""
        assert "vm_default" not in made.run("virsh", "vol-list", "default").stdout
    assert made.name not in local("ip", "netns", "list").stdout


def _has_hostkit(made):
    """hostkit runs, its checks answer, and the policy keeps the interface open that SSH comes in on."""
    assert made.inside("hostkit --version").stdout == f"hostkit, version {__version__}\n"
    checked = made.inside("sudo hostkit check", check=False)
    assert (checked.code, "fail" in checked.stdout, checked.stderr) == (1, True, ""), checked
    policy = yaml.safe_load(made.inside("sudo cat /etc/hostkit/hostkit.yml").stdout)
    way = "ip -o -4 address show to $(echo $SSH_CONNECTION | cut -d' ' -f3) | cut -d' ' -f2"
    assert policy["host"]["management"] == [made.inside(way).stdout.strip()]
