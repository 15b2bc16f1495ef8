"""Connections where there is no /proc: of this very machine, and of what psutil says elsewhere."""

import os
import socket
from types import SimpleNamespace

import psutil
import pytest

from hostkit.errors import CannotTell
from hostkit.host import Connection, Login
from hostkit.host.logins import ssh_sessions
from hostkit.host.running import conversations


def test_both_ends_of_a_real_connection_are_seen_and_who_opened_it():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as near:
        far, _ = server.accept()
        with far:
            port, other = server.getsockname()[1], near.getsockname()[1]
            mine = [one for one in conversations() if {one.near_port, one.far_port} == {port, other}]
    name = psutil.Process().name()
    assert sorted(mine, key=lambda one: one.inward) == [
        Connection("tcp", "127.0.0.1", other, "127.0.0.1", port, os.geteuid(), name),
        Connection("tcp", "127.0.0.1", port, "127.0.0.1", other, os.geteuid(), name, inward=True),
    ]


def end(ip, port):
    return SimpleNamespace(ip=ip, port=port)


def row(near, far=None, status="ESTABLISHED", pid=7, kind=socket.SOCK_STREAM):
    return SimpleNamespace(laddr=near, raddr=far, status=status, pid=pid, type=kind)


@pytest.fixture
def sockets(monkeypatch):
    """Teach what psutil says: the rows, and each process's name."""

    def teach(rows, names):
        monkeypatch.setattr(psutil, "net_connections", lambda kind: rows)
        monkeypatch.setattr("hostkit.host.running.owner", names.get)
        monkeypatch.setattr("hostkit.host.logins.owner", lambda pid: names.get(pid, ""))

    return teach


def test_a_process_that_is_gone_is_nobodys_and_a_v4_peer_of_a_v6_socket_is_itself(sockets):
    sockets([row(end("::ffff:192.0.2.1", 53), end("fe80::1%en0", 9), "NONE", 2**30, socket.SOCK_DGRAM)], {2**30: ""})
    assert conversations() == (Connection("udp", "192.0.2.1", 53, "fe80::1", 9, -1, ""),)


def test_what_only_root_may_see_is_said_so(monkeypatch):
    def refused(kind):
        raise psutil.AccessDenied(1)

    monkeypatch.setattr(psutil, "net_connections", refused)
    with pytest.raises(CannotTell, match="sockets: "):
        conversations()


def test_launchd_listens_for_ssh_and_for_others_and_only_sshd_is_a_session(sockets):
    names = {1: "launchd", 7: "sshd-session", 8: "smbd"}
    listening = [row(end("::", port), None, "LISTEN", 1) for port in (22, 445)]
    talking = [row(end("192.0.2.1", port), end("203.0.113.9", 50000), pid=pid) for port, pid in ((22, 7), (445, 8))]
    sockets([*listening, *talking], names)
    assert ssh_sessions() == (Login("192.0.2.1", 22, "203.0.113.9:50000"),)
