"""Nobody locks themselves out: what is refused before the first change, and whose confirmation counts."""

import dataclasses

import pytest

from hostkit.bootstrap.confirm import shares
from hostkit.bootstrap.guard import (
    Pending,
    Standing,
    applied_over,
    by_key,
    refuse,
    refuse_keyless,
    refuse_stale,
    refuse_unattended,
    tunnels,
    whose,
)
from hostkit.bootstrap.plays import Machine
from hostkit.errors import HostkitError
from hostkit.host import Login
from tests.conftest import make_policy

POLICY = make_policy({"management": ["eth0"]})
ADDRESSES = {"lo": ("127.0.0.1",), "eth0": ("192.168.7.20", "fe80::1"), "eth1": ("10.0.0.5",)}
SESSIONS = (Login("192.168.7.20", 22, "192.168.7.9:5000"),)
GOOD = Standing("linux", True, True, ADDRESSES, frozenset(), SESSIONS, machine=Machine({"name": "Debian 12"}))


def test_a_session_over_a_management_interface_is_no_obstacle():
    refuse(POLICY, GOOD)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"is_root": False}, "sudo hostkit bootstrap"),
        ({"machine": None}, "they are Debian 12, Debian 13 and Ubuntu 24.04"),
        ({"has_systemd": False}, "systemd does not run here"),
        (
            {"addresses": {"lo": ("127.0.0.1",)}},
            "host.management names eth0, and none of them is here; name one that is up now besides those that come",
        ),
        (
            {"tunnels": frozenset({"eth0"})},
            "eth0 is a tunnel, and the fence would drop its own packets; say under host.vpn what kind it is",
        ),
        (
            {"sessions": (Login("10.0.0.5", 22, "10.0.0.9:7"),)},
            "from 10.0.0.9:7 comes in on eth1 port 22 and would",
        ),
        (
            {"sessions": (Login("192.168.7.20", 2222, "10.0.0.9:7"),)},
            "comes in on eth0 port 2222 and would be cut",
        ),
        ({"sessions": (Login("203.0.113.1", 22, "10.0.0.9:7"),)}, "an unknown interface port 22 and would be cut"),
    ],
)
def test_what_would_fail_or_cut_a_session_is_refused_by_name(change, says):
    with pytest.raises(HostkitError) as caught:
        refuse(POLICY, dataclasses.replace(GOOD, **change))
    assert says in str(caught.value)


def test_an_interface_may_come_up_later_as_long_as_one_is_here():
    refuse(make_policy({"management": ["wg0", "eth0"]}), GOOD)


def test_a_tunnel_may_be_named_where_the_policy_says_what_its_own_packets_are():
    wireguard = {"kind": "wireguard", "listen": 51820}
    refuse(
        make_policy({"management": ["eth0", "wg0"], "vpn": wireguard}),
        dataclasses.replace(GOOD, addresses={**ADDRESSES, "wg0": ("10.8.0.1",)}, tunnels=frozenset({"wg0"})),
    )


def test_an_exempt_account_that_is_not_there_is_refused():
    policy = make_policy({"management": ["eth0"], "profile": "solo", "exempt": ["hans", "nobody-here"]})
    with pytest.raises(HostkitError, match=r"host\.exempt names nobody-here, which is no account of this host"):
        refuse(policy, dataclasses.replace(GOOD, passwd=PEOPLE))


def test_somebodys_account_of_the_gateways_name_is_not_taken():
    entry = "hostkit-gateway:x:1003:1003::/home/g:/bin/bash\n"
    with pytest.raises(HostkitError, match="the host's own gateway runs as hostkit-gateway, which is somebody's"):
        refuse(POLICY, dataclasses.replace(GOOD, passwd=entry))
    own = "hostkit-gateway:x:994:994:hostkit gateway:/nonexistent:/usr/sbin/nologin\n"
    refuse(POLICY, dataclasses.replace(GOOD, passwd=own))


@pytest.mark.parametrize(
    "entry",
    [
        "root:x:0:0:root:/root:/bin/bash",
        "toor:x:0:0::/root:/usr/sbin/nologin",
        "hans:x:1000:1000:Hans,,,:/home/hans:/usr/sbin/nologin",
        "backup:x:34:34:backup:/var/backups:/bin/bash",
    ],
)
def test_an_account_that_is_somebodys_is_not_locked_by_the_play(entry):
    name = entry.partition(":")[0]
    with pytest.raises(HostkitError, match=f"host.account names {name}, which is somebody's account"):
        refuse(make_policy({"management": ["eth0"], "account": name}), dataclasses.replace(GOOD, passwd=entry + "\n"))


@pytest.mark.parametrize(
    "entry",
    [
        "hostkit-agent:x:999:999:hostkit agents:/nonexistent:/bin/bash",
        "hostkit-agent:x:999:999::/nonexistent:/usr/sbin/nologin",
        "another:x:1000:1000::/home/another:/bin/bash",
    ],
)
def test_an_account_of_hostkits_own_making_is_put_right(entry):
    refuse(POLICY, dataclasses.replace(GOOD, passwd=entry + "\n"))


@pytest.mark.parametrize(
    "path", ["/etc/a b.yml", "/etc/{{ 1 }}.yml", "/etc/a%i.yml", "/etc/a\n}.yml", "/etc/'a.yml", ""]
)
def test_a_policy_whose_path_would_be_read_as_syntax_is_refused(path):
    with pytest.raises(HostkitError, match=r"the policy's path .* stands in a unit, a ruleset and a template"):
        refuse(POLICY.model_copy(update={"path": path}), GOOD)


PEOPLE = "hans:x:1000:1000::/home/hans:/bin/bash\nwww-data:x:33:33::/srv/www:/usr/sbin/nologin\n"


@pytest.mark.parametrize(
    ("share", "needed"),
    [("/", "/"), ("/usr", "/usr"), ("/home", "/home/hans"), ("/home/hans", "/home/hans"), ("/etc/hostkit", ".*yml")],
)
def test_a_share_on_which_somebodys_login_or_hostkit_stands_is_not_unmounted(share, needed):
    with pytest.raises(HostkitError, match=f"^{needed} lies on {share}, a share that bootstrap would unmount"):
        refuse(POLICY, dataclasses.replace(GOOD, passwd=PEOPLE, shares=(share,)))


def test_other_shares_are_the_plays_to_unmount():
    refuse(POLICY, dataclasses.replace(GOOD, passwd=PEOPLE, shares=("/mnt/nas", "/home/ha", "/srv/www")))


def test_shares_and_the_automounters_are_told_from_the_machines_own():
    lines = ["1 0 0:1 / / rw - ext4 /dev/vda rw", "2 1 0:2 / /mnt/a\\040b rw shared:1 - nfs4 nas:/x rw"]
    assert shares("\n".join([*lines, "3 1 0:3 / /home rw - autofs auto.home rw"])) == ("/mnt/a b", "/home")


def test_where_an_ssh_session_is_live_a_fence_counts_as_applied_over_it():
    live = GOOD.sessions
    assert applied_over(None, ()) == "console"
    assert applied_over(None, (), typed=False) == "unattended"
    assert applied_over(None, live, typed=False) == "ssh"
    assert applied_over(100.0, ()) == "ssh"
    assert applied_over(None, live) == "ssh"  # in tmux nothing leads back to the session that is looked at


def test_a_session_over_loopback_is_not_cut():
    refuse(POLICY, dataclasses.replace(GOOD, sessions=(Login("127.0.0.1", 2022, "127.0.0.1:9"),)))


def test_a_new_connection_confirms():
    refuse_stale(Pending(100.0, "ssh"), 100.5)


def test_a_new_connection_confirms_what_was_applied_at_the_console_or_unattended():
    refuse_stale(Pending(100.0, "console"), 100.5, "192.168.7.9")
    refuse_stale(Pending(100.0, "unattended", ("192.168.7.9", "fd00::9")), 100.5, "fd00::9")


def test_without_anybody_to_confirm_it_no_fence_comes():
    with pytest.raises(HostkitError, match=r"nobody is here to confirm the fence: .* --confirm-from HOST"):
        refuse_unattended("unattended", ())
    refuse_unattended("unattended", ("192.168.7.9",))
    refuse_unattended("console", ())
    refuse_unattended("ssh", ())


@pytest.mark.parametrize(
    ("pending", "session", "says"),
    [
        (None, None, "no fence waits to be confirmed"),
        (Pending(100.0, "ssh"), None, "confirm it over a new SSH connection, not at the console"),
        (Pending(100.0, "unattended", ("192.168.7.9",)), None, "confirm it over a new SSH connection, not at the"),
        (Pending(100.0, "ssh"), 99.0, "this SSH session is older than the fence"),
        (Pending(100.0, "console"), 99.0, "older than the fence"),
        (Pending(100.0, "console"), None, "applied at the console; type the word that is shown there"),
        (
            Pending(100.0, "ssh", ("192.168.7.9",)),
            101.0,
            "this connection comes from 10.0.0.9, and only 192.168.7.9 may confirm; connect from there",
        ),
    ],
)
def test_a_confirmation_that_proves_nothing_is_refused(pending, session, says):
    with pytest.raises(HostkitError, match=says):
        refuse_stale(pending, session, "10.0.0.9")


def test_wireguard_and_tun_devices_are_tunnels():
    shown = {"wg0": "DEVTYPE=wireguard\nINTERFACE=wg0\n", "tun0": "tun_flags", "eth0": "INTERFACE=eth0\n"}
    assert tunnels(shown, shown) == {"wg0", "tun0"}


def test_passwords_are_not_taken_away_where_no_key_was_seen_to_get_in():
    with pytest.raises(HostkitError, match=r"no login by key was seen.*--skip ssh"):
        refuse_keyless(dataclasses.replace(GOOD, keyed=False))
    refuse_keyless(GOOD)


@pytest.mark.parametrize(
    ("line", "proven"),
    [
        ("Accepted publickey for hans from 192.168.7.9 port 5000 ssh2: ED25519 SHA256:x", True),
        ("Accepted publickey for hans from 192.168.7.9 port 5001 ssh2: ED25519 SHA256:x", False),
        ("Accepted password for hans from 192.168.7.9 port 5000 ssh2", False),
        ("", False),
    ],
)
def test_only_sshds_own_words_of_this_very_session_prove_a_key(line, proven):
    assert by_key(SESSIONS, f"Server listening\n{line}\n") is proven


def test_another_administrators_key_is_not_the_key_of_whoever_runs_it():
    mine, other = SESSIONS[0], Login("192.168.7.20", 22, "192.168.7.8:6000")
    assert whose((other, mine), "192.168.7.9") == (mine,)
    assert whose((other, mine), "") == (other, mine)
    told = "Accepted publickey for eva from 192.168.7.8 port 6000 ssh2: ED25519 SHA256:x"
    assert by_key(whose((other, mine), "192.168.7.9"), told) is False
