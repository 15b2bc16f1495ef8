import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Process
from hostkit.posture import readings
from tests.conftest import FakeHost


def test_the_engine_is_asked_once_a_run(monkeypatch):
    asked = []
    monkeypatch.setattr("hostkit.engine.exists", lambda: True)
    monkeypatch.setattr("hostkit.engine.containers", lambda *, all: asked.append(1) or [])
    readings.forget()
    assert readings.containers() == readings.containers() == []
    assert asked == [1]


def test_a_reading_is_made_once_a_run_and_what_could_not_be_told_is_told_to_each():
    asked = []

    def sockets():
        asked.append(1)
        raise CannotTell("no permission")

    host = FakeHost(listeners=sockets)
    for _ in range(2):
        with pytest.raises(CannotTell, match="no permission"):
            readings.listeners(host)
    assert asked == [1]


def test_each_host_has_readings_of_its_own():
    here, there = FakeHost(listeners=("here",)), FakeHost(listeners=("there",))
    assert (readings.listeners(here), readings.listeners(there)) == (("here",), ("there",))


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


def test_a_mount_point_with_other_line_breaks_is_one_mount_point_too():
    odd = "/a\x0b\u2028\x85b"
    host = FakeHost(files={"/proc/self/mountinfo": f"1 2 0:3 /r {odd} rw,nosuid - tmpfs none rw\n"})
    (found,) = readings.mounts(host)
    assert (found.place, found.root, found.device, "nosuid" in found.options) == (odd, "/r", "0:3", True)


@pytest.mark.parametrize("line", ["1 2 3", "1 2 0:3 / /a rw ext4 /dev/x rw", "1 2 0:3 / /a rw -"])
def test_a_mount_that_cannot_be_read_is_told(line):
    with pytest.raises(CannotTell, match="a line that cannot be read"):
        readings.mounts(FakeHost(files={"/proc/self/mountinfo": line + "\n"}))


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("/opt/Ngrok", "http"), {"x", "ngrok"}),
        (("/usr/bin/python3.11", "-u", "/opt/a.py", "b.py"), {"x", "python3.11", "a"}),
        (("node",), {"x", "node"}),
        ((), {"x"}),
    ],
)
def test_a_process_goes_by_its_own_name_its_programs_and_its_scripts(words, names):
    assert readings.words_of(Process(7, 1, "X", words, 0)) == names


def test_where_the_first_process_is_hidden_others_may_be_too():
    one, two = Process(1, 0, "", (), 0), Process(2, 1, "sh", ("sh",), 0)
    for seen in ((), (two,), (one, two)):
        readings.forget()
        with pytest.raises(CannotTell, match="hidden"):
            readings.all_processes(FakeHost(processes=seen))


def test_homes_are_those_of_accounts_and_those_of_none():
    folders = {path: FileFacts(0o700, 0, 0, "directory") for path in ("/root", "/home/gone", "/srv/ann")}
    passwd = (
        "root:x:0:0::/root:/bin/sh\nann:x:9:9::/srv/ann/:/bin/sh\nnobody:x:1:1::/nonexistent:/bin/false\nx:x:2:2::/:/"
    )
    host = FakeHost(files={"/etc/passwd": passwd, "/home/file": ""}, facts=folders)
    assert set(readings.homes(host)) == {"/root", "/srv/ann", "/home/gone"}


def test_more_homes_than_are_looked_through_are_not_taken_for_all():
    folders = {f"/home/{n}": FileFacts(0o700, 0, 0, "directory") for n in range(1001)}
    with pytest.raises(CannotTell, match="1001 homes"):
        readings.homes(FakeHost(files={"/etc/passwd": ""}, facts=folders))


def test_what_the_engine_says_of_itself_is_asked_once_and_nothing_without_one(monkeypatch):
    asked = []
    monkeypatch.setattr("hostkit.engine.survey", lambda: asked.append(1) or {"info": {"a": 1}})
    monkeypatch.setattr("hostkit.engine.exists", lambda: True)
    readings.forget()
    assert readings.survey() == readings.survey() == {"info": {"a": 1}}
    assert asked == [1]
    monkeypatch.setattr("hostkit.engine.exists", lambda: False)
    assert readings.survey() == {"info": {}, "version": {}, "networks": [], "volumes": []}
