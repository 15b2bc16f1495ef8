import pytest

from hostkit.errors import CannotTell
from hostkit.posture import readings
from tests.conftest import FakeHost


def test_the_engine_is_asked_once_a_run(monkeypatch):
    asked = []
    monkeypatch.setattr("hostkit.engine.exists", lambda: True)
    monkeypatch.setattr("hostkit.engine.containers", lambda *, all: asked.append(1) or [])
    readings.forget()
    assert readings.containers() == readings.containers() == []
    assert asked == [1]


def test_an_engine_that_is_deaf_is_told_to_every_check(monkeypatch):
    def deaf(*, all):
        raise CannotTell("deaf")

    monkeypatch.setattr("hostkit.engine.exists", lambda: True)
    monkeypatch.setattr("hostkit.engine.containers", deaf)
    readings.forget()
    for _ in range(2):
        with pytest.raises(CannotTell, match="deaf"):
            readings.containers()


def test_without_an_engine_there_are_no_containers(monkeypatch):
    monkeypatch.setattr("hostkit.engine.exists", lambda: False)
    readings.forget()
    assert readings.containers() == []


def test_a_mount_point_with_a_newline_is_one_mount_point():
    host = FakeHost(files={"/proc/self/mountinfo": "1 2 0:3 / /a\\012b\\040c rw shared:1 - ext4 /dev/x rw\n"})
    assert readings.mounted(host) == [("/a\nb c", "ext4", "/dev/x")]


def test_a_group_lists_those_whose_primary_group_it_is():
    host = FakeHost(files={"/etc/group": "docker:x:9:ann\n", "/etc/passwd": "eve:x:5:9::/:/bin/sh\n"})
    assert readings.groups(host)["docker"] == ("ann", "eve")
