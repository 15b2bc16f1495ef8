"""The generated anchors: reviewed word by word, and judged packet by packet."""

from pathlib import Path

import pytest

from hostkit.bootstrap.mac.grammar import TAG, parse
from hostkit.bootstrap.mac.packets import Packet, decide
from hostkit.bootstrap.mac.pf import VM_SSH, anchor, open_ways
from hostkit.errors import HostkitError
from tests.conftest import client, make_policy

HERE = Path(__file__).parent / "anchors"
AGENT, PERSON = 450, 501
LAN = {"management": ["en0"], "lan": ["192.0.2.0/24", "192.0.2.128/25", "2001:db8:1::/64"]}
WAREHOUSE = {"egress": [{"name": "warehouse.example", "ports": [5432], "networks": ["192.0.2.64/28"]}]}
SLACK = {"egress": [{"name": "slack.com"}]}
POLICIES = {
    "solo": make_policy({"profile": "solo"}),
    "strict": make_policy(LAN),
    "two-clients": make_policy(
        {**LAN, "vpn": {"kind": "wireguard", "listen": 51820, "endpoint": "192.0.2.9:51820"}},
        {"acme": {**client(), **WAREHOUSE}, "globex": {**client(), **SLACK}},
    ),
    "vmnet": make_policy({**LAN, "vm": "vmnet", "vpn": {"kind": "tailscale"}}, {"acme": {**client(), **WAREHOUSE}}),
    "no-vm": make_policy(
        {"profile": "solo", "vm": "none", "management": ["en0", "utun4"], "management_ports": [22, 5022]}
    ),
}  # fmt: skip
RULES = {name: parse(anchor(policy, AGENT)) for name, policy in POLICIES.items()}
ALL = sorted(RULES)


@pytest.mark.parametrize("name", ALL)
def test_it_is_what_was_reviewed(name):
    assert anchor(POLICIES[name], AGENT) == (HERE / f"{name}.conf").read_text()


@pytest.mark.parametrize("name", ALL)
def test_every_rule_has_its_comment_and_decides_at_once(name):
    lines = [line for line in anchor(POLICIES[name], AGENT).splitlines()[1:] if not line.startswith("guests = ")]
    assert [line[:2] == "# " for line in lines] == [True, False] * len(RULES[name])
    assert all(rule.quick for rule in RULES[name])
    assert not [line for line in lines[1::2] if not line.startswith(("pass ", "block "))]


def sent(target, port=443, *, user=AGENT, on="en0", protocol="tcp", source="192.0.2.10", **more):
    if ":" in target:
        source = "2001:db8:1::10"
    return Packet("out", on, protocol, source, target, port, user=user, **more)


def came(target="192.0.2.10", port=8080, *, on="en0", protocol="tcp", source="198.51.100.7", **more):
    if ":" in target:
        source = "2001:db8::7"
    return Packet("in", on, protocol, source, target, port, own=True, **more)


FAR = ("198.51.100.80", "2001:db8::80")
NEVER = ("169.254.169.254", "100.100.100.200", "fd00:ec2::254", "224.0.0.251", "ff02::fb", "fe80::1")


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("name", ALL)
def test_nobody_comes_in(name, protocol):
    for target in ("192.0.2.10", "2001:db8:1::10"):
        for on in ("en0", "en1", "utun3", "bridge0"):
            assert decide(RULES[name], came(target, on=on, protocol=protocol)) == "drop"


@pytest.mark.parametrize("name", ALL)
def test_management_is_where_the_policy_names_it_and_nowhere_else(name):
    ports, names = POLICIES[name].host.management_ports, POLICIES[name].host.management
    for on in ("en0", "en1", "utun4"):
        for port in (22, 5022, 5900):
            wanted = "pass" if on in names and port in ports else "drop"
            assert decide(RULES[name], came(port=port, on=on)) == wanted
            assert decide(RULES[name], came(port=port, on=on, first=False)) == wanted


@pytest.mark.parametrize("name", ["strict", "two-clients", "no-vm"])
def test_a_session_that_was_open_before_goes_on(name):
    answer = sent("198.51.100.7", 50000, user=0, sport=22, first=False)
    assert decide(RULES[name], answer) == "pass"
    assert decide(RULES[name], came(port=22, first=False)) == "pass"


@pytest.mark.parametrize("name", ALL)
def test_the_account_reaches_tcp_elsewhere_by_its_vm_only(name):
    for target in FAR:
        wanted = "pass" if POLICIES[name].host.vm == "colima" else "return"
        assert decide(RULES[name], sent(target)) == wanted
        assert decide(RULES[name], sent(target, protocol="udp")) == "return"


@pytest.mark.parametrize("name", ALL)
def test_the_account_never_reaches_loopback_the_link_or_the_clouds(name):
    for target in NEVER:
        for on in ("en0", "utun4"):
            for protocol in ("tcp", "udp"):
                assert decide(RULES[name], sent(target, on=on, protocol=protocol)) == "return"
    for port in (22, 631, 5432, 8080):
        for target in ("127.0.0.1", "::1"):
            assert decide(RULES[name], sent(target, port, on="lo0", source=target, own=True)) == "return"


@pytest.mark.parametrize("name", ["solo", "strict", "two-clients"])
def test_the_account_reaches_its_own_vms_ssh_and_opens_nothing_from_there(name):
    loop = {"on": "lo0", "source": "127.0.0.1", "own": True}
    assert decide(RULES[name], sent("127.0.0.1", VM_SSH, **loop)) == "pass"
    assert decide(RULES[name], sent("127.0.0.1", 50001, sport=VM_SSH, first=False, **loop)) == "pass"
    assert decide(RULES[name], sent("127.0.0.1", 631, sport=VM_SSH, **loop)) == "return"


@pytest.mark.parametrize("name", ["solo", "strict", "two-clients"])
def test_names_come_from_the_policys_resolvers(name):
    for protocol in ("tcp", "udp"):
        assert decide(RULES[name], sent("198.51.100.53", 53, protocol=protocol)) == "pass"
        for port in (53, 853):
            assert decide(RULES[name], sent("198.51.100.54", port, protocol=protocol)) == "return"


@pytest.mark.parametrize("name", ["strict", "two-clients", "vmnet"])
def test_the_lan_is_closed_but_for_what_a_client_lists(name):
    for user in (AGENT, PERSON, 0, None):
        for target in ("192.0.2.200", "2001:db8:1::20"):
            assert decide(RULES[name], sent(target, user=user)) == "return"
    wanted = "pass" if name == "two-clients" else "return"
    assert decide(RULES[name], sent("192.0.2.70", 5432)) == wanted
    assert decide(RULES[name], sent("192.0.2.70", 5432, user=PERSON)) == "return"


def test_no_private_network_is_the_accounts_whatever_the_policy_says_of_the_lan():
    for name in ("solo", "strict", "two-clients"):
        for target in ("10.1.2.3", "172.16.9.9", "192.168.1.1", "100.64.7.7", "fd00:1::1"):
            assert decide(RULES[name], sent(target)) == "return"


def test_people_send_what_they_like_where_no_lan_is_closed():
    for name in ALL:
        for target in FAR:
            for protocol in ("tcp", "udp"):
                assert decide(RULES[name], sent(target, 9999, user=PERSON, protocol=protocol)) == "pass"
    assert decide(RULES["solo"], sent("192.0.2.200", user=PERSON)) == "pass"


def guest(target, port=443, *, protocol="tcp", on="bridge100", **more):
    source = "fd00:aaaa::2" if ":" in target else "192.168.64.2"
    return Packet("in", on, protocol, source, target, port, **more)


@pytest.mark.parametrize("on", ["bridge100", "bridge101", "bridge115"])
def test_a_guest_of_vmnets_reaches_tcp_elsewhere_and_neither_this_mac_nor_its_lan(on):
    def decided(*words, **more):
        return decide(RULES["vmnet"], guest(*words, on=on, **more))

    assert decided("198.51.100.80") == "pass"
    assert decided("198.51.100.53", 53, protocol="udp") == "pass"
    assert decided("255.255.255.255", 67, protocol="udp", sport=68) == "pass"
    for target in ("192.168.64.1", "192.0.2.10"):
        for port in (22, 53, 5900):
            assert decided(target, port, own=True) == "return"
    for target in ("192.0.2.200", "169.254.169.254", "192.168.65.2", "10.1.2.3"):
        assert decided(target) == "return"
    assert decided("198.51.100.54", 53) == "return"
    assert decided("198.51.100.80", 9999, protocol="udp") == "drop"
    assert decided("198.51.100.80", 0, protocol="icmp", type="echoreq") == "drop"
    for target in ("2001:db8::80", "fd00:ec2::254", "2001:db8:1::10"):
        assert decided(target) == "drop"


def test_a_bridge_beyond_those_that_are_known_is_closed():
    assert decide(RULES["vmnet"], guest("198.51.100.80", on="bridge116")) == "drop"


def test_a_guest_reaches_a_listed_network_through_a_closed_lan_by_its_tag_only():
    rules = RULES["vmnet"]
    assert decide(rules, guest("192.0.2.70", 5432)) == "pass"
    assert decide(rules, sent("192.0.2.70", 5432, user=None, tag=TAG)) == "pass"
    assert decide(rules, sent("192.0.2.70", 5432, user=None)) == "return"
    assert decide(rules, sent("192.0.2.200", 5432, user=None, tag=TAG)) == "return"


def test_a_tunnels_other_end_is_let_in_and_called():
    assert decide(RULES["two-clients"], came(port=51820, protocol="udp")) == "pass"
    assert decide(RULES["two-clients"], sent("192.0.2.9", 51820, user=0, protocol="udp")) == "pass"
    assert decide(RULES["two-clients"], sent("192.0.2.9", 51820, protocol="udp")) == "return"
    assert decide(RULES["vmnet"], came(port=41641, protocol="udp")) == "pass"
    assert decide(RULES["strict"], came(port=41641, protocol="udp")) == "drop"


def test_the_link_works_at_all():
    rules = RULES["solo"]
    assert decide(rules, came(port=68, sport=67, protocol="udp")) == "pass"
    for kind in ("unreach", "timex"):
        assert decide(rules, came(port=0, protocol="icmp", type=kind)) == "pass"
    assert decide(rules, came(port=0, protocol="icmp", type="echoreq")) == "drop"
    assert decide(rules, came("2001:db8:1::10", port=0, protocol="ipv6-icmp", type="neighbrsol")) == "pass"
    assert decide(rules, came("2001:db8:1::10", port=0, protocol="ipv6-icmp", type="echoreq")) == "drop"


def test_it_says_in_words_what_it_leaves_open():
    said = "\n".join(open_ways(POLICIES["two-clients"]))
    for word in ("hostkit-agent: DNS to 198.51.100.53", "TCP 22 on en0 (management)", "192.0.2.64/28", "UDP 51820"):
        assert word in said
    assert "but into the LAN" in said
    assert "but into the LAN" not in "\n".join(open_ways(POLICIES["solo"]))


def test_an_interface_of_linux_is_refused_by_its_line():
    with pytest.raises(HostkitError, match=r"line \d+: br-lan is no interface"):
        anchor(make_policy({"management": ["br-lan"]}), AGENT)
