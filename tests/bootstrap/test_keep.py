"""The record on the disk: whole before anything may change, root's own, and gone when it is of no use."""

import stat

import pytest

from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.keep import FOLDER, Kept
from hostkit.bootstrap.record import ABSENT
from hostkit.bootstrap.touched import Touch
from hostkit.errors import CannotTell
from tests.conftest import FakeHost

A, NEW, ANY = (Touch("30-ssh", "file", name) for name in ("/etc/a", "/etc/new", "/etc/d/*"))


@pytest.fixture
def disk(tmp_path):
    for folder in ("etc/d", "var/lib"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/a").write_text("theirs")
    return Disk(tmp_path)


def run(disk, change, touches=(A, NEW, ANY)):
    kept = Kept(disk)
    kept.open_run(FakeHost(), touches)
    change()
    kept.close_run(FakeHost(), touches)
    return {thing.name: thing for thing in kept.record().things}


def test_before_a_run_changes_anything_all_that_it_may_touch_is_kept(disk):
    kept = Kept(disk)
    kept.open_run(FakeHost(), (A, NEW, ANY))
    record = Kept(disk).record()
    assert record.running
    assert [(thing.name, thing.was["kind"]) for thing in record.things] == [("/etc/a", "file"), ("/etc/new", "absent")]
    disk.at("/etc/a").write_text("ours")
    assert kept.content(record.things[0].was["digest"]) == b"theirs"


def test_it_is_roots_own(disk):
    run(disk, lambda: None)
    modes = {str(path): stat.S_IMODE(path.stat().st_mode) for path in disk.at(FOLDER).iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(disk.at(FOLDER).stat().st_mode) == 0o700
    assert stat.S_IMODE(disk.at("/var/lib/hostkit").stat().st_mode) == 0o700


def test_what_was_first_there_outlives_later_runs_and_no_other_content_is_kept(disk):
    run(disk, lambda: disk.at("/etc/a").write_text("ours"))
    found = run(disk, lambda: disk.at("/etc/a").write_text("ours, newer"))
    assert Kept(disk).content(found["/etc/a"].was["digest"]) == b"theirs"
    assert len(list(disk.at(FOLDER).iterdir())) == 2


def test_what_a_pattern_matched_first_during_the_run_is_the_runs_own(disk):
    disk.at("/etc/d/before").write_text("theirs")
    found = run(disk, lambda: disk.at("/etc/d/made").write_text("ours"))
    assert found["/etc/d/before"].was["kind"] == "file"
    assert not found["/etc/d/before"].changed
    assert (found["/etc/d/made"].was, found["/etc/d/made"].changed) == (ABSENT, True)


def test_a_run_that_cannot_be_put_on_record_does_not_begin(disk):
    with pytest.raises(CannotTell, match="systemctl show"):
        Kept(disk).open_run(FakeHost(), (A, Touch("30-ssh", "unit", "ssh.service")))
    assert Kept(disk).record() is None


def test_a_content_that_rotted_is_never_put_back(disk):
    digest = run(disk, lambda: None)["/etc/a"].was["digest"]
    disk.at(f"{FOLDER}/{digest}").write_text("rotten")
    with pytest.raises(CannotTell, match=f"{digest} is not what was kept"):
        Kept(disk).content(digest)


def test_what_is_forgotten_is_gone(disk):
    run(disk, lambda: None)
    Kept(disk).forget()
    assert Kept(disk).record() is None
    assert not disk.at(FOLDER).exists()
