"""The machine as hostkit sees it: what it cannot see is told, never guessed."""

import os
import socket

import pytest

from hostkit.errors import CannotTell
from hostkit.host import Listener, LocalHost

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
