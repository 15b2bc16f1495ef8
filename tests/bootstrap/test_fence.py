"""The fence's text: what it lets through, and that the kernel's own nft takes it."""

import os
import shutil
import subprocess

import pytest

from hostkit.bootstrap.accounts import filled, named, uids
from hostkit.bootstrap.fence import draft, open_ways, ruleset
from hostkit.bootstrap.ways import inward, outward, through
from tests.conftest import client, make_policy

MANAGED = {"management": ["eth0", "wlan0"], "management_ports": [22, 2222], "lan": ["192.168.7.0/24", "fd00:7::/64"]}


def with_egress(*ways):
    return {"acme": {**client(), "egress": list(ways)}}


def lines(policy, accounts=None):
    return [line.strip() for line in ruleset(policy, accounts or {}).splitlines()]


def chain(policy, name, accounts=None):
    found = lines(policy, accounts)
    start = found.index(f"chain {name} {{")
    return found[start : found.index("}", start)]


@pytest.mark.parametrize("name", ["input", "output", "forward"])
def test_each_chain_drops_what_no_line_accepts_and_counts_it(name):
    found = chain(make_policy(), name)
    assert found[1] == f"type filter hook {name} priority -10; policy drop;"
    assert found[-1] == 'counter comment "dropped"'


def test_the_table_is_replaced_whole_in_one_transaction_and_no_other_is_named():
    found = [line for line in lines(make_policy()) if "table" in line and not line.startswith("#")]
    assert found == ["add table inet hostkit", "delete table inet hostkit", "table inet hostkit {"]
    assert "flush ruleset" not in ruleset(make_policy(), {})


def test_only_management_interfaces_take_connections_and_only_on_their_ports():
    accepted = [line for line in chain(make_policy(MANAGED), "input") if "dport" in line and "sport" not in line]
    assert accepted == ['iifname { "eth0", "wlan0" } tcp dport { 22, 2222 } accept']
    assert [line for line in chain(make_policy(), "input") if "dport" in line and "sport" not in line] == []


def test_sandboxes_reach_nothing_of_the_host_not_even_in_an_established_connection():
    found = chain(make_policy(MANAGED), "input")
    established = found.index("ct state established,related accept")
    assert all(any(f'"{kind}*" counter drop' in line for line in found[:established]) for kind in ("hki", "hke"))


def test_names_are_asked_of_the_policys_resolvers_only():
    found = chain(make_policy({"resolvers": ["198.51.100.53", "2001:db8::53"]}), "forward")
    wanted = [line for line in found if "53" in line]
    assert wanted[0] == 'iifname "hke*" ip daddr { 198.51.100.53 } meta l4proto { tcp, udp } th dport 53 accept'
    assert wanted[1] == 'iifname "hke*" ip6 daddr { 2001:db8::53 } meta l4proto { tcp, udp } th dport 53 accept'
    assert wanted[2].startswith('iifname "hke*" meta l4proto { tcp, udp } th dport { 53, 853 } counter drop')


def test_the_lan_is_closed_to_gateways_but_for_networks_the_policy_lists():
    policy = make_policy(MANAGED, with_egress({"name": "db.example", "raw": 5432, "networks": ["192.168.7.40/32"]}))
    found = chain(policy, "forward")
    listed = found.index('iifname "hke*" ip daddr { 192.168.7.40 } meta l4proto tcp accept')
    closed = found.index('iifname "hke*" ip daddr { 192.168.7.0/24 } counter drop')
    assert (
        listed
        < closed
        < found.index('iifname "hke*" meta l4proto tcp accept comment "by name, as each gateway decides"')
    )


def test_no_network_that_a_client_lists_leads_to_a_sandbox_or_to_another_gateway():
    found = chain(make_policy(None, with_egress({"name": "a.example", "networks": ["10.0.0.0/8"]})), "forward")
    opens = [index for index, line in enumerate(found) if line.startswith('iifname "hke*"') and " accept" in line]
    assert opens
    for closed in ('oifname "hki*" counter drop', 'iifname "hke*" oifname "hke*" counter drop'):
        place = next(index for index, line in enumerate(found) if line.startswith(closed))
        assert place < min(opens)


ACCOUNTS = {"hostkit-gateway": 890, "systemd-resolve": 994, "systemd-timesync": 997, "_apt": 100, "someone": 1000}
SPOKEN = "meta l4proto { tcp, udp } th dport 53 accept"


def test_the_hosts_own_requests_leave_by_the_uid_of_its_gateway_and_by_services_for_names_and_time_only():
    found = chain(make_policy(MANAGED), "output", ACCOUNTS)
    assert [line for line in found if "skuid" in line and " accept" in line] == [
        f"meta skuid 890 ip daddr {{ 198.51.100.53 }} {SPOKEN}",
        'meta skuid 890 meta l4proto tcp accept comment "by name, as each gateway decides"',
        f"meta skuid 994 ip daddr {{ 198.51.100.53 }} {SPOKEN}",
        f"meta skuid 997 ip daddr {{ 198.51.100.53 }} {SPOKEN}",
        'meta skuid 997 udp dport 123 accept comment "systemd-timesync"',
    ]


def test_nobody_asks_a_resolver_but_by_account_root_least_of_all():
    found = chain(make_policy(), "output", {**ACCOUNTS, "root": 0})
    assert [line for line in found if " 53" in line and "accept" in line and "skuid" not in line] == []
    assert [line for line in found if "skuid 0 " in line] == []


def test_the_hosts_gateway_is_kept_from_the_lan_and_the_sandboxes_as_the_clients_are():
    way = {"name": "mirror.example", "networks": ["192.168.7.40/32"]}
    found = chain(make_policy({**MANAGED, "egress": [way]}), "output", ACCOUNTS)
    listed = found.index("meta skuid 890 ip daddr { 192.168.7.40 } meta l4proto tcp accept")
    opens = found.index('meta skuid 890 meta l4proto tcp accept comment "by name, as each gateway decides"')
    closed = ('oifname "hki*"', 'oifname "hke*"', "ip daddr { 169.254.0.0/16", "ip6 daddr { fe80::/10")
    for start in closed:
        assert next(i for i, line in enumerate(found) if line.startswith(f"meta skuid 890 {start}")) < listed
    assert listed < found.index("meta skuid 890 ip daddr { 192.168.7.0/24 } counter drop") < opens


def test_the_hosts_gateway_never_dials_this_host_whatever_its_address_is_today():
    found = chain(make_policy(), "output", ACCOUNTS)
    loopback = found.index('oifname "lo" accept')
    for family, own in (("ip", "127.0.0.0/8"), ("ip6", "::1")):
        start = f'meta skuid 890 oifname "lo" {family} daddr != {own} tcp dport != 53 counter drop'
        assert next(i for i, line in enumerate(found) if line.startswith(start)) < loopback


def test_an_exempt_account_sends_by_itself_at_solo():
    found = chain(make_policy({"profile": "solo", "exempt": ["someone"]}), "output", ACCOUNTS)
    assert 'meta skuid 1000 accept comment "someone"' in found


@pytest.mark.parametrize(
    ("vpn", "inner", "outer"),
    [
        ({"kind": "wireguard", "listen": 51820}, ['udp dport 51820 accept comment "wireguard"'], []),
        (
            {"kind": "wireguard", "endpoint": "203.0.113.1:51820"},
            [],
            ['ip daddr 203.0.113.1 udp dport 51820 accept comment "wireguard"'],
        ),
        (
            {"kind": "openvpn", "endpoint": "[2001:db8::1]:1194", "protocol": "tcp"},
            [],
            ['ip6 daddr 2001:db8::1 tcp dport 1194 accept comment "openvpn"'],
        ),
        (
            {"kind": "tailscale"},
            ['udp dport 41641 accept comment "tailscale"'],
            [
                'meta mark & 0x00ff0000 == 0x00080000 meta l4proto udp accept comment "tailscale"',
                'meta mark & 0x00ff0000 == 0x00080000 tcp dport { 80, 443 } accept comment "tailscale"',
            ],
        ),
    ],
)
def test_a_vpns_own_packets_pass(vpn, inner, outer):
    without, policy = make_policy(), make_policy({"vpn": vpn})
    assert [line for line in chain(policy, "input") if line not in chain(without, "input")] == inner
    assert [line for line in chain(policy, "output") if line not in chain(without, "output")] == outer


FULL = {
    **MANAGED,
    "profile": "solo",
    "exempt": ["someone"],
    "vpn": {"kind": "tailscale"},
    "egress": [{"name": "deb.example", "ports": [80]}, {"name": "db.example", "raw": 5432, "networks": ["10.0.0.0/8"]}],
}


def test_every_rule_that_lets_something_through_says_what_and_no_other_does():
    policy = make_policy(FULL, with_egress({"name": "a.example", "networks": ["10.1.0.0/16"]}))
    for way in (*inward(policy), *outward(policy), *through(policy)):
        assert bool(way.says) == (" accept" in way.rule), way


def test_what_stays_open_is_told_in_words_once_each_for_accounts_that_are_there():
    told = open_ways(make_policy(FULL), ["someone", "_chrony"])
    assert len(set(told)) == len(told)
    for line in (
        "in: TCP 22, 2222 on eth0, wlan0 (management)",
        "in: UDP 41641 on every interface (tailscale)",
        "out: the host's gateway (hostkit-gateway): TCP to listed names only: db.example:5432, deb.example:80",
        "out: _chrony: NTP",
        "out: someone: anything, exempt",
        "through: the clients' gateways: TCP to listed names only: each client's own",
    ):
        assert line in told
    assert [line for line in told if "ntpsec" in line] == []


def test_a_draft_names_accounts_and_what_is_filled_in_holds_numbers_of_those_that_are_there():
    text = draft(make_policy({"profile": "solo", "exempt": ["someone"]}))
    assert named(text) >= {"hostkit-gateway", "someone", "_chrony"}
    whole = filled(text, uids("someone:x:1000:1000::/:/bin/sh\nhostkit-gateway:x:890:890::/:/bin/false\n"))
    assert named(whole) == set()
    assert ("skuid 1000 accept" in whole, "_chrony" in whole) == (True, False)


def test_overlapping_networks_are_merged_because_nft_refuses_them():
    ways = [{"name": "a.example", "networks": ["10.0.0.0/8", "10.1.0.0/16"]}]
    assert 'iifname "hke*" ip daddr { 10.0.0.0/8 } meta l4proto tcp accept' in lines(
        make_policy(None, with_egress(*ways))
    )


WIREGUARD = {"kind": "wireguard", "endpoint": "[2001:db8::1]:51820", "listen": 51820}


@pytest.mark.parametrize(
    "host", [{}, MANAGED, {"management": ["eth0"], "management_ports": []}, FULL, {"vpn": WIREGUARD}]
)
def test_nft_takes_it(host, tmp_path):
    if not shutil.which("nft"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("nft is not installed")
    file = tmp_path / "fence.nft"
    file.write_text(ruleset(make_policy(host, with_egress({"name": "a.example"})), {**ACCOUNTS, "ntp": 101}))
    command = ["unshare", "--net", "nft", "--check", "--file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")
