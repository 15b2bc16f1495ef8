"""The agents' AppArmor profile before the parsers of the distributions."""

import pytest

from tests.bootstrap.test_apparmor import written
from tests.e2e.second_engine import cache
from tests.machines import systemd
from tests.machines.machine import local

PARSER = ("/sbin/apparmor_parser", "--skip-kernel-load", "--skip-cache", "--stdout")


def parsed(where, distribution):
    """Return what a parser made of the profile for a kernel that has all that the profile's abi names."""
    text = written(distribution)
    abi = text.partition("abi <")[2].partition(">")[0]
    words = [*PARSER, f"--kernel-features=/etc/apparmor.d/{abi}", "--warn=all", "--Werror"]
    return local(*where, *words, stdin=text, check=False)


@pytest.mark.systemd
def test_debian_12s_parser_takes_the_profile():
    systemd.require()
    said = parsed(("docker", "run", "--rm", "-i", systemd.image()), "debian-12")
    assert (said.code, said.stderr) == (0, "")
    assert "hostkit-agent" in said.stdout


@pytest.mark.second_engine
@pytest.mark.usefixtures("_second_engine")
@pytest.mark.parametrize("distribution", ["debian-13", "ubuntu-24.04"])
def test_debian_13s_parser_takes_the_profile_with_the_abi_of_either(distribution):
    said = parsed(("chroot", str(cache() / "trixie")), distribution)
    assert (said.code, said.stderr) == (0, "")
    assert "hostkit-agent" in said.stdout
