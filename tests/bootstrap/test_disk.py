"""Files are put back whole, with mode and owner, whatever kind they were."""

import os
import stat

import pytest

from hostkit.bootstrap import disk as module
from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.record import ABSENT


@pytest.fixture
def disk(tmp_path):
    (tmp_path / "etc").mkdir()
    return Disk(tmp_path)


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o4755])
def test_a_file_comes_back_with_its_content_and_mode(disk, mode):
    place = disk.at("/etc/a")
    place.write_bytes(b"before\0")
    place.chmod(mode)
    was = disk.look("/etc/a")
    content = disk.read("/etc/a")
    place.unlink()
    place.symlink_to("/elsewhere")
    disk.put("/etc/a", was, content)
    assert disk.look("/etc/a") == was
    assert stat.S_IMODE(place.stat().st_mode) == mode
    assert list(place.parent.iterdir()) == [place]


def test_a_link_is_never_followed(disk):
    disk.at("/secret").write_text("kept")
    disk.at("/etc/a").symlink_to(disk.at("/secret"))
    assert disk.look("/etc/a") == {"kind": "link", "target": str(disk.at("/secret"))}
    with pytest.raises(OSError, match="symbolic link"):
        disk.read("/etc/a")
    disk.put("/etc/a", {"kind": "link", "target": "./b"})
    assert os.readlink(disk.at("/etc/a")) == "./b"  # noqa: PTH115 - as it is spelt
    disk.put("/etc/a", ABSENT)
    assert disk.at("/secret").read_text() == "kept"


def test_a_folder_comes_and_goes_but_not_with_somebodys_files_in_it(disk):
    disk.put("/etc/d", {"kind": "directory", "mode": 0o700, "uid": os.getuid(), "gid": os.getgid()})
    assert disk.look("/etc/d")["mode"] == 0o700
    disk.at("/etc/d/theirs").write_text("")
    with pytest.raises(OSError, match="not empty"):
        disk.put("/etc/d", ABSENT)
    disk.at("/etc/d/theirs").unlink()
    disk.put("/etc/d", ABSENT)
    assert disk.look("/etc/d") == ABSENT


def test_what_is_no_file_or_too_big_is_said_not_read(disk, monkeypatch):
    os.mkfifo(disk.at("/etc/pipe"))
    disk.at("/etc/big").write_bytes(b"12345")
    monkeypatch.setattr(module, "LIMIT", 4)
    assert disk.look("/etc/pipe") == {"kind": "other"}
    assert disk.look("/etc/big") == {"kind": "big", "size": 5}


def test_what_is_set_aside_never_overwrites_what_was_set_aside_before(disk):
    place = disk.at("/etc/a")
    for number, name in enumerate(["/etc/a.hostkit-undo", "/etc/a.hostkit-undo.1", "/etc/a.hostkit-undo.2"]):
        place.write_text(str(number))
        assert disk.set_aside("/etc/a", ".hostkit-undo") == name
        assert disk.at(name).read_text() == str(number)


def test_a_pattern_names_the_machines_own_paths(disk):
    for name in ("b.conf", "a.conf", "c"):
        disk.at(f"/etc/{name}").write_text("")
    assert disk.matches("/etc/*.conf") == ("/etc/a.conf", "/etc/b.conf")


def test_a_link_that_is_laid_meanwhile_gives_nothing_away(disk, monkeypatch):
    victim, real = disk.at("/secret"), os.fchown
    victim.write_text("kept")
    victim.chmod(0o600)

    def laid(handle, uid, gid):
        temporary = disk.at("/etc/.a.hostkit-new")
        temporary.unlink()
        temporary.symlink_to(victim)
        real(handle, uid, gid)

    monkeypatch.setattr(module.os, "fchown", laid)
    disk.put("/etc/a", {"kind": "file", "mode": 0o666, "uid": os.geteuid(), "gid": os.getegid()}, b"x")
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600
    assert victim.read_text() == "kept"
