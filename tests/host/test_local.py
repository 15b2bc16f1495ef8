"""The machine as hostkit sees it: what it cannot see is told, never guessed."""

import os
import shutil
import socket
import subprocess
import sys

import pytest

from hostkit.errors import CannotTell
from hostkit.host import Listener, LocalHost, Said, commands

HOST = LocalHost()


def test_a_command_says_what_it_printed():
    assert HOST.run("cat", stdin="words") == "words"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("no-such-program",), "no-such-program is not installed"),
        (("sh", "-c", "echo broken >&2; exit 4"), "sh -c echo broken >&2; exit 4 failed: broken"),
    ],
)
def test_a_command_that_fails_is_told_with_its_own_words(command, says):
    with pytest.raises(CannotTell, match=says):
        HOST.run(*command)


def test_a_command_that_is_asked_answers_by_its_code_and_both_streams():
    assert HOST.ask("sh", "-c", "echo one; echo two >&2; exit 113") == Said(113, "one\n", "two\n")
    assert Said(113, "one\n", "two\n").both == "one\ntwo\n"


@pytest.mark.parametrize("command", [("no-such-program",), ("sleep", "5")])
def test_a_command_that_is_missing_or_hangs_answers_nothing(command):
    with pytest.raises(CannotTell, match=r"is not installed|gave no answer"):
        HOST.ask(*command, timeout=0.2)


def test_a_command_that_hangs_is_given_up():
    with pytest.raises(CannotTell, match=r"sleep gave no answer in 0\.2 s"):
        HOST.run("sleep", "5", timeout=0.2)


def test_a_link_is_told_as_a_link_and_not_followed(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert HOST.stat(str(tmp_path / "link")).kind == "link"
    assert HOST.stat(str(tmp_path / "nothing")) is None


def test_a_file_that_cannot_be_read_is_told_with_its_reason(tmp_path):
    with pytest.raises(CannotTell, match="Is a directory"):
        HOST.read(str(tmp_path))


def test_a_listening_socket_is_seen_with_its_process():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = [entry for entry in HOST.listeners() if entry.port == port]
    assert [(entry.protocol, entry.address) for entry in found] == [("tcp", "127.0.0.1")]
    assert found[0].process


def test_a_bound_udp_socket_listens():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as wire:
        wire.bind(("::1", 0))
        wanted = Listener("udp", "::1", wire.getsockname()[1])
        assert any(
            (e.protocol, e.address, e.port) == (wanted.protocol, wanted.address, wanted.port) for e in HOST.listeners()
        )


def test_loopback_has_its_address():
    assert "127.0.0.1" in HOST.addresses()["lo"]


def test_a_process_that_no_ssh_server_started_is_at_the_console():
    assert HOST.own_session() is None


def test_root_is_root():
    assert HOST.is_root is (os.geteuid() == 0)


def test_an_interface_that_goes_away_while_it_is_read_is_left_out(monkeypatch):
    import netifaces

    listed = [*netifaces.interfaces(), "hki00000000"]
    monkeypatch.setattr(netifaces, "interfaces", lambda: listed)
    assert "lo" in HOST.addresses()
    assert "hki00000000" not in HOST.addresses()


def test_a_setting_of_the_kernel_is_read_too():
    assert HOST.read("/proc/sys/net/ipv4/conf/all/accept_redirects") in {"0\n", "1\n"}


def test_a_program_that_cannot_be_run_cannot_tell(tmp_path, monkeypatch):
    (tmp_path / "tool").write_bytes(b"\x7fELF, but not of this machine")
    (tmp_path / "tool").chmod(0o755)
    monkeypatch.setitem(commands._ENVIRONMENT, "PATH", str(tmp_path))
    with pytest.raises(CannotTell, match="tool cannot be run: Exec format error"):
        LocalHost().run("tool")


def test_a_process_is_seen_with_its_words_its_user_and_its_parent():
    with subprocess.Popen(["sleep", "60.125"]) as started:
        found = {entry.pid: entry for entry in LocalHost().processes()}[started.pid]
        started.kill()
    assert (found.name, found.words, found.uid, found.parent) == (
        "sleep",
        ("sleep", "60.125"),
        os.geteuid(),
        os.getpid(),
    )


def test_a_link_is_told_as_it_is_written_and_what_is_none_is_none(tmp_path):
    (tmp_path / "link").symlink_to("../there/./x")
    (tmp_path / "file").touch()
    told = [LocalHost().link(str(tmp_path / name)) for name in ("link", "file", "gone")]
    assert told == ["../there/./x", None, None]


def test_the_space_of_a_file_system_is_in_bytes(tmp_path):
    space = LocalHost().space(str(tmp_path))
    assert 0 < space.free <= space.total
    assert space.total == shutil.disk_usage(tmp_path).total
    assert 0 <= space.free_files <= space.files
    with pytest.raises(CannotTell, match="No such file"):
        LocalHost().space(str(tmp_path / "gone"))


def test_what_lies_below_a_tree_is_told_with_its_links_and_none_is_followed(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").touch()
    (tmp_path / "a/out").symlink_to("/etc")
    below = dict(HOST.below(str(tmp_path), 4))
    assert below == {f"{tmp_path}/a/b/file": None, f"{tmp_path}/a/out": "/etc"}
    assert HOST.below(str(tmp_path / "gone"), 4) == ()


def test_a_tree_with_more_than_it_may_have_is_not_walked_to_its_end(tmp_path):
    for number in range(6):
        (tmp_path / str(number)).touch()
    assert len(HOST.below(str(tmp_path), 6)) == 6
    with pytest.raises(CannotTell, match="has more than 5 entries"):
        HOST.below(str(tmp_path), 5)


def test_the_names_in_a_folder_are_told_and_too_many_are_not(tmp_path, monkeypatch):
    for name in ("a", ".b"):
        (tmp_path / name).touch()
    assert sorted(HOST.names(str(tmp_path))) == [".b", "a"]
    assert HOST.names(str(tmp_path / "none")) == HOST.names(str(tmp_path / "a")) == ()
    monkeypatch.setattr("hostkit.host.files._MOST_NAMES", 1)
    with pytest.raises(CannotTell, match="holds more than 1 names"):
        HOST.names(str(tmp_path))


def test_a_file_without_a_list_has_none(tmp_path):
    assert HOST.acl(str(tmp_path)) == ()
    with pytest.raises(CannotTell, match="No such file"):
        HOST.acl(str(tmp_path / "none"))


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex is Linux's")
def test_the_kernel_tells_how_well_its_clock_keeps_time():
    clock = LocalHost().clock()
    assert 0 <= clock.error < 100  # the kernel counts up to 16 s, then calls the clock not kept
    assert abs(clock.offset) < 1


def test_a_long_command_gives_its_lines_as_they_come_and_ends_with_who_asked():
    lines = HOST.pour("sh", "-c", "echo $$; sleep 60", timeout=30, codes=(0,), environment={})
    pid = int(next(lines))
    lines.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("command", "timeout", "says"),
    [
        (("sleep", "20"), 0.2, "not done in 0.2 s"),
        (("sh", "-c", "exit 3"), 5, "ended with 3"),
        (("sh", "-c", "echo first >&2; echo no room; echo it broke >&2; exit 3"), 5, "ended with 3: it broke$"),
        (("not-a-program",), 5, "is not installed"),
    ],
)
def test_a_long_command_that_hangs_or_fails_is_told(command, timeout, says):
    with pytest.raises(CannotTell, match=says):
        list(HOST.pour(*command, timeout=timeout, codes=(0,), environment={}))


def test_what_lies_below_is_listed_with_no_link_followed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_text("xyz")
    (tmp_path / "c").symlink_to("/etc")
    found = {(entry.path.removeprefix(str(tmp_path)), entry.kind) for entry in HOST.things(str(tmp_path))}
    assert found == {("", "directory"), ("/a", "directory"), ("/a/b", "file"), ("/c", "link")}
    assert list(HOST.things(str(tmp_path / "not-there"))) == []


def test_a_patient_host_gives_each_command_its_time_and_another_only_what_is_asked_for():
    assert LocalHost(10).ask("sleep", "0.5", timeout=0.1).code == 0
    with pytest.raises(CannotTell, match=r"sleep gave no answer in 0\.1 s"):
        LocalHost().ask("sleep", "0.5", timeout=0.1)
