"""Who would be cut off by the fence: judged by the ways that it opens, and grouped for a person to read."""

import pytest

from hostkit.bootstrap.cut import Cut, cut
from hostkit.host.traffic import Connection
from hostkit.policy import GATEWAY_ACCOUNT
from tests.conftest import make_policy

ACCOUNTS = {"root": 0, "backup": 34, "hans": 1000, GATEWAY_ACCOUNT: 998, "_chrony": 110, "systemd-resolve": 101}
ADDRESSES = {"lo": ("127.0.0.1",), "eth0": ("192.168.7.20", "fd00::20"), "eth1": ("10.0.0.5",)}
HOST = {"management": ["eth0"], "lan": ["192.168.7.0/24"], "profile": "solo"}


def out(far, port, account="root", *, protocol="tcp", near_port=40000, **more):
    return Connection(protocol, "192.168.7.20", near_port, far, port, ACCOUNTS[account], **more)


def into(near, port, protocol="tcp"):
    return Connection(protocol, near, port, "203.0.113.9", 50000, 0, "sshd", inward=True)


def judged(connection, host=None):
    return cut(make_policy({**HOST, **(host or {})}), ACCOUNTS, ADDRESSES, [connection])


WIREGUARD = {"vpn": {"kind": "wireguard", "endpoint": "203.0.113.1:51820"}}
LISTENING = {"vpn": {"kind": "openvpn", "listen": 1194, "protocol": "tcp"}}
NAMED = {"egress": [{"name": "db.example", "raw": 5432, "networks": ["192.168.7.40/32"]}]}


@pytest.mark.parametrize(
    ("connection", "host"),
    [
        (into("192.168.7.20", 22), {}),
        (into("fd00::20", 22), {}),
        (into("10.0.0.5", 1194), LISTENING),
        (out("198.51.100.53", 53, GATEWAY_ACCOUNT, protocol="udp"), {}),
        (out("198.51.100.53", 53, "systemd-resolve", protocol="udp"), {}),
        (out("203.0.113.9", 443, GATEWAY_ACCOUNT), {}),
        (out("192.168.7.40", 5432, GATEWAY_ACCOUNT), NAMED),
        (out("203.0.113.9", 123, "_chrony", protocol="udp"), {}),
        (out("203.0.113.9", 443, "hans"), {"exempt": ["hans"]}),
        (out("203.0.113.1", 51820, protocol="udp"), WIREGUARD),
        (out("203.0.113.9", 443, process="tailscaled"), {"vpn": {"kind": "tailscale"}}),
        (out("192.168.7.1", 67, protocol="udp", near_port=68), {}),
        (out("10.0.0.5", 8080), {}),
        (Connection("tcp", "10.231.0.2", 40000, "203.0.113.9", 443, 5000, own=False), {}),
    ],
)
def test_what_the_fence_lets_through_is_not_on_the_list(connection, host):
    assert judged(connection, host) == ()


@pytest.mark.parametrize(
    ("connection", "host"),
    [
        (into("192.168.7.20", 8080), {}),
        (into("10.0.0.5", 22), {}),
        (out("203.0.113.9", 443), {}),
        (out("2001:db8::9", 443), {}),
        (out("203.0.113.9", 443, "hans"), {"exempt": ["backup"]}),
        (out("198.51.100.53", 53, protocol="udp"), {}),
        (out("203.0.113.53", 53, GATEWAY_ACCOUNT), {}),
        (out("192.168.7.40", 5432, GATEWAY_ACCOUNT), {}),
        (out("203.0.113.9", 443, "_chrony"), {}),
        (out("203.0.113.1", 51821, protocol="udp"), WIREGUARD),
        (out("203.0.113.9", 443, process="tailscaled"), {}),
        (Connection("tcp", "172.17.0.2", 40000, "203.0.113.9", 443, 0, own=False), {}),
        (Connection("tcp", "172.17.0.2", 443, "203.0.113.9", 40000, 998, inward=True, own=False), {}),
    ],
)
def test_what_the_fence_does_not_let_through_is_on_the_list(connection, host):
    assert len(judged(connection, host)) == 1


def test_each_account_place_and_program_is_one_line_with_all_its_far_ends():
    restic = {"process": "restic", "place": "backup.service"}
    found = cut(
        make_policy(HOST),
        ACCOUNTS,
        ADDRESSES,
        [
            out("203.0.113.9", 443, "backup", **restic),
            out("2001:db8::9", 443, "backup", **restic),
            out("203.0.113.9", 443, "backup", **restic, near_port=40001),
            out("203.0.113.9", 443, "backup", process="curl"),
            Connection("udp", "172.17.0.2", 4, "203.0.113.7", 9, 4711, "node", "container 0123456789ab", own=False),
            into("10.0.0.5", 22),
        ],
    )
    assert found == (
        Cut("backup", "", "curl", ("tcp to 203.0.113.9:443",)),
        Cut("backup", "backup.service", "restic", ("tcp to 203.0.113.9:443", "tcp to [2001:db8::9]:443")),
        Cut("root", "", "sshd", ("tcp from 203.0.113.9 on 10.0.0.5:22",)),
        Cut("uid 4711", "container 0123456789ab", "node", ("udp to 203.0.113.7:9",)),
    )
