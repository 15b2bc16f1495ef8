from hostkit.host import Listener
from hostkit.posture.checks import listeners as subject
from tests.conftest import FakeHost, make_policy

MANAGED = make_policy({"management": ["wg0"], "listen": [{"protocol": "udp", "port": 51820}]})
ADDRESSES = {"eth0": ("192.0.2.2",), "wg0": ("10.8.0.1", "fd00::1")}


def seen(*entries, root=True):
    return FakeHost(listeners=tuple(Listener(*entry) for entry in entries), addresses=ADDRESSES, root=root)


API = subject.engine_api_is_not_on_the_network
HIDDEN = ("tcp", "0.0.0.0", 9999)


CASES = [
    (
        subject.only_declared_sockets_listen,
        seen(("tcp", "127.0.0.1", 80), ("tcp", "::1", 25)),
        MANAGED,
        "ok",
        "no undeclared",
    ),
    (subject.only_declared_sockets_listen, seen(("tcp", "10.8.0.1", 22, "sshd")), MANAGED, "ok", "no undeclared"),
    (subject.only_declared_sockets_listen, seen(("udp", "0.0.0.0", 51820), ("udp", "0.0.0.0", 68)), MANAGED, "ok", ""),
    (
        subject.only_declared_sockets_listen,
        seen(("tcp", "0.0.0.0", 22, "sshd")),
        MANAGED,
        "fail",
        "tcp 0.0.0.0:22 (sshd)",
    ),
    (subject.only_declared_sockets_listen, seen(("tcp", "10.8.0.1", 23)), MANAGED, "fail", "tcp 10.8.0.1:23"),
    (subject.only_declared_sockets_listen, seen(("tcp", "::", 631, "cupsd")), MANAGED, "fail", "tcp [::]:631 (cupsd)"),
    (subject.only_declared_sockets_listen, seen(("tcp", "0.0.0.0", 51820)), MANAGED, "fail", "tcp 0.0.0.0:51820"),
    (subject.only_declared_sockets_listen, FakeHost(), MANAGED, "unknown", "sockets: not taught"),
    (subject.engine_api_is_not_on_the_network, seen(("tcp", "0.0.0.0", 22)), MANAGED, "ok", ""),
    (subject.engine_api_is_not_on_the_network, seen(("tcp", "127.0.0.1", 2375)), MANAGED, "fail", "127.0.0.1:2375"),
    (subject.engine_api_is_not_on_the_network, seen(("tcp", "0.0.0.0", 9999, "dockerd")), MANAGED, "fail", "dockerd"),
    (API, seen(HIDDEN, root=False), MANAGED, "unknown", "cannot be seen without root"),
    (API, seen(HIDDEN, ("tcp", "::1", 2376), root=False), MANAGED, "fail", "[::1]:2376"),
    (API, seen(("udp", "0.0.0.0", 9), ("tcp", "::1", 9, "mine"), root=False), MANAGED, "ok", "no engine API"),
    (subject.engine_api_is_not_on_the_network, FakeHost(), MANAGED, "unknown", "not taught"),
]
