"""What units, packages, sysctls, accounts and the fence's table are read as."""

import pytest

from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.look import look, spelled
from hostkit.bootstrap.touched import FENCE, Touch
from hostkit.errors import CannotTell
from tests.conftest import FakeHost

SHOW = ("systemctl", "show", "--property=LoadState,UnitFileState,ActiveState", "--", "a.service", "b.service")
SAID = """\
LoadState=loaded
ActiveState=active
UnitFileState=enabled

LoadState=not-found
ActiveState=failed
UnitFileState=
"""
DPKG = ("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n")


def seen(key, **taught):
    return look(FakeHost(**taught), Disk(), [key])[key]


def test_units_are_told_apart_by_whether_they_are_there_start_at_boot_and_run():
    found = look(FakeHost({SHOW: SAID}), Disk(), [("unit", "b.service"), ("unit", "a.service")])
    assert found["unit", "a.service"] == {"there": True, "enabled": "enabled", "active": True}
    assert found["unit", "b.service"] == {"there": False, "enabled": "", "active": False}


def test_a_package_whose_settings_alone_are_left_is_not_installed():
    commands = {DPKG: "nftables installed\nold config-files\n"}
    assert seen(("package", "nftables"), commands=commands) == {"installed": True}
    assert seen(("package", "old"), commands=commands) == {"installed": False}
    assert seen(("package", "none"), commands=commands) == {"installed": False}


def test_a_sysctl_is_its_live_value():
    files = {"/proc/sys/kernel/kptr_restrict": "1\n"}
    assert seen(("sysctl", "kernel.kptr_restrict"), files=files) == {"value": "1"}
    assert seen(("sysctl", "kernel.nothing"), files=files) == {"value": None}


def test_an_account_is_its_line():
    files = {"/etc/passwd": "root:x:0:0::/root:/bin/bash\n"}
    assert seen(("account", "root"), files=files) == {"entry": "root:x:0:0::/root:/bin/bash"}
    assert seen(("account", "roo"), files=files) == {"entry": None}


@pytest.mark.parametrize(
    ("listed", "there"), [("table ip nat\ntable inet hostkit\n", True), ("table inet hostkit2\n", False)]
)
def test_the_fence_is_its_table(listed, there):
    taught = {"commands": {("nft", "list", "tables"): listed}, "files": {"/usr/sbin/nft": ""}}
    assert seen(("table", FENCE), **taught) == {"there": there}


def test_without_nft_there_is_no_fence_but_with_an_nft_that_fails_nobody_can_tell():
    assert seen(("table", FENCE)) == {"there": False}
    with pytest.raises(CannotTell, match="nft list tables"):
        seen(("table", FENCE), files={"/usr/sbin/nft": ""})


def test_patterns_become_what_they_match_and_templates_of_units_are_no_units(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/a.conf").write_text("")
    touches = [Touch("p", "file", "/etc/a.conf"), Touch("q", "file", "/etc/*.conf"), Touch("p", "unit", "x@.service")]
    assert spelled(Disk(tmp_path), touches) == (Touch("p", "file", "/etc/a.conf"),)
