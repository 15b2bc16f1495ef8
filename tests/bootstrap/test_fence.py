"""The fence's text: what it lets through, and that the kernel's own nft takes it."""

import os
import shutil
import subprocess

import pytest

from hostkit.bootstrap.fence import ruleset
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


def test_services_may_send_by_their_account_where_it_exists_and_no_one_else_may():
    found = chain(make_policy(), "output", {"_apt": 100, "systemd-timesync": 997, "someone": 1000})
    assert [line for line in found if "skuid" in line] == [
        'meta skuid 997 udp dport { 123 } accept comment "systemd-timesync"',
        'meta skuid 100 tcp dport { 80, 443 } accept comment "_apt"',
    ]


def test_overlapping_networks_are_merged_because_nft_refuses_them():
    ways = [{"name": "a.example", "networks": ["10.0.0.0/8", "10.1.0.0/16"]}]
    assert 'iifname "hke*" ip daddr { 10.0.0.0/8 } meta l4proto tcp accept' in lines(
        make_policy(None, with_egress(*ways))
    )


@pytest.mark.parametrize("host", [{}, MANAGED, {"management": ["eth0"], "management_ports": []}])
def test_nft_takes_it(host, tmp_path):
    if not shutil.which("nft"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("nft is not installed")
    file = tmp_path / "fence.nft"
    file.write_text(ruleset(make_policy(host, with_egress({"name": "a.example"})), {"_apt": 100, "ntp": 101}))
    command = ["unshare", "--net", "nft", "--check", "--file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")
