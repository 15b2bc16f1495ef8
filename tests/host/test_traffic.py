"""Live connections from /proc: of every namespace, with whose they are and where that one runs."""

import socket

import pytest

from hostkit.errors import CannotTell
from hostkit.host.traffic import Connection, Row, connections, live, place, rows

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TCP = HEAD + (
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0\n"
    "   1: 1407A8C0:0016 097100CB:C350 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0 20 4 30 10 -1\n"
)
TCP6 = HEAD + (
    "   0: 0000000000000000FFFF00001407A8C0:9C40 0000000000000000FFFF0000097100CB:01BB 01"
    " 00000000:00000000 00:00000000 00000000  1000        0 13 1 0 20 4 30 10 -1\n"
    "   1: B80D0120000000000000000009000000:9C40 B80D0120000000000000000007000000:01BB 01"
    " 00000000:00000000 00:00000000 00000000  1000        0 14 1 0 20 4 30 10 -1\n"
)


def row(near="192.168.7.20", near_port=40000, far="203.0.113.9", far_port=443, state="01", protocol="tcp"):
    return Row(protocol, near, near_port, far, far_port, state, 0, "1")


def test_the_kernels_numbers_are_read_as_addresses():
    assert rows(TCP, "tcp") == [
        Row("tcp", "127.0.0.1", 8080, "0.0.0.0", 0, "0A", 0, "11"),
        Row("tcp", "192.168.7.20", 22, "203.0.113.9", 50000, "01", 0, "12"),
    ]
    assert rows(TCP6, "tcp") == [
        Row("tcp", "192.168.7.20", 40000, "203.0.113.9", 443, "01", 1000, "13"),
        Row("tcp", "2001:db8::9", 40000, "2001:db8::7", 443, "01", 1000, "14"),
    ]


@pytest.mark.parametrize(
    "dead",
    [
        row(state="06"),
        row(far="0.0.0.0", far_port=0, state="07", protocol="udp"),
        row(far="127.0.0.1"),
        row(far="::1", near="::1"),
        row(far="192.168.7.20"),
    ],
)
def test_what_has_ended_listens_or_stays_inside_is_no_traffic(dead):
    assert live([row(), dead])[1:] == []


def test_who_listens_was_called_and_who_does_not_has_called():
    listening = row("0.0.0.0", 22, "0.0.0.0", 0, "0A")
    assert [inward for _, inward in live([listening, row(near_port=22), row(), row(near_port=22, protocol="udp")])] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("cgroup", "name"),
    [
        ("0::/system.slice/backup.service\n", "backup.service"),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"),
        ("1:name=systemd:/docker/0123456789ab" + "c" * 52 + "\n", "container 0123456789ab"),
        ("0::/system.slice/docker-0123456789ab" + "c" * 52 + ".scope\n", "container 0123456789ab"),
        ("0::/\n", ""),
        ("", ""),
    ],
)
def test_where_a_process_runs_is_its_container_or_its_unit(cgroup, name):
    assert place(cgroup) == name


def process(proc, number, space, **files):
    (proc / number / "ns").mkdir(parents=True)
    (proc / number / "fd").mkdir()
    (proc / number / "net").mkdir()
    (proc / number / "ns/net").symlink_to(f"net:[{space}]")
    for name, text in files.items():
        (proc / number / name).write_text(text)
    return proc / number


def test_containers_are_seen_from_their_own_namespace_and_told_apart_from_the_hosts(tmp_path):
    own = process(tmp_path, "1", 1, comm="sshd\n", cgroup="0::/system.slice/ssh.service\n")
    (own / "net/tcp").write_text(TCP)
    (own / "fd/3").symlink_to("socket:[12]")
    theirs = process(tmp_path, "77", 2, comm="node\n", cgroup="0::/docker/" + "a" * 64)
    (theirs / "net/tcp6").write_text(TCP6)
    (tmp_path / "self").symlink_to("1")
    found = connections(tmp_path)
    assert found[:1] == (
        Connection("tcp", "192.168.7.20", 22, "203.0.113.9", 50000, 0, "sshd", "ssh.service", inward=False, own=True),
    )
    assert [(one.far, one.uid, one.process, one.own) for one in found[1:]] == [
        ("203.0.113.9", 1000, "", False),
        ("2001:db8::7", 1000, "", False),
    ]


def test_where_its_own_namespace_is_not_to_be_seen_nobody_can_tell(tmp_path):
    with pytest.raises(CannotTell, match="whose connections live here cannot be seen"):
        connections(tmp_path)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_this_machines_own_loopback_is_not_traffic(kind):
    with socket.socket(socket.AF_INET, kind) as one, socket.socket(socket.AF_INET, kind) as other:
        one.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            one.listen()
        other.connect(one.getsockname())
        assert not [found for found in connections() if one.getsockname()[1] in {found.near_port, found.far_port}]
