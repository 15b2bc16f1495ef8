import dataclasses

import pytest
import yaml

from hostkit.bootstrap.mac.colima import colima, settings
from hostkit.bootstrap.mac.stand import Account, Ground, account_records, entry, ground, let_in, refuse, uid
from hostkit.bootstrap.mac.values import variables
from hostkit.errors import CannotTell, HostkitError
from hostkit.host import Login, Said
from tests.conftest import make_policy
from tests.posture.checks.recorded import HOMES, PEOPLE, erred, mac, recorded

P = make_policy({"management": ["en0"]})
ADDRESSES = {"lo0": ("127.0.0.1",), "en0": ("192.0.2.10",), "en1": ("198.51.100.9",)}
ACCOUNTS = {"root": Account(0, "/bin/sh"), "ann": Account(501, "/bin/zsh")}
MINI = Ground(True, "15.5", ADDRESSES, (), ACCOUNTS, ("ann",), (), (), "/opt/homebrew/bin/colima", (0, 10))
EVERY = {"account", "vm", "fence"}
SHELLS = ("/usr/bin/dscl", ".", "-list", "/Users", "UserShell")
LISTED = recorded("alf-listapps-26.txt")
RECORD = ("/usr/bin/dscl", ".", "-read", "/Users/x", "UniqueID", "PrimaryGroupID", "UserShell", "NFSHomeDirectory")


def standing(**more):
    commands = {
        PEOPLE: "ann                     501\nroot                    0\nnobody                  -2\n",
        HOMES: "ann                     /Users/ann\nroot                    /var/root\n",
        SHELLS: "ann                     /bin/zsh\nnobody\nroot                    /bin/sh\n",
        ("/usr/bin/sw_vers", "-productVersion"): "26.1\n",
        ("/sbin/mount",): recorded("mount-network.txt"),
        ("/usr/libexec/ApplicationFirewall/socketfilterfw", "--listapps"): LISTED,
        **more,
    }
    return mac(commands, {"/opt/homebrew/bin/colima": ""}, addresses=ADDRESSES, root=False,
               links={"/opt/homebrew/bin/colima": "../Cellar/colima/0.10.1/bin/colima"})  # fmt: skip


def test_a_mac_is_read_by_its_own_tools():
    here = ground(standing())
    assert here.accounts == {"ann": Account(501, "/bin/zsh"), "root": Account(0, "/bin/sh"), "nobody": Account(-2, "")}
    assert (here.release, here.persons) == ("26.1", ("ann",))
    assert here.programs == ("/Applications/Example App.app", "/usr/local/bin/tool")
    assert here.homes == ("/Users/ann", "/var/root")
    assert (here.colima, here.colima_version) == ("/opt/homebrew/bin/colima", (0, 10))
    assert "/Volumes/Team Share" in here.shares
    assert not [path for path in here.shares if path in {"/", "/System/Volumes/Data"}]


@pytest.mark.parametrize("tool", [PEOPLE, SHELLS, ("/sbin/mount",)])
def test_what_a_tool_does_not_say_is_not_made_up(tool):
    with pytest.raises(CannotTell):
        ground(_without(tool))


def _without(tool):
    host = standing()
    host.commands = {**host.commands, tool: Said(1, err="Operation not permitted\n")}
    return host


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"is_root": False}, "sudo hostkit bootstrap"),
        ({"release": "12.7"}, "this is macOS 12.7, and hostkit knows the tools of 13 to 26"),
        ({"release": "27.0"}, "this is macOS 27.0"),
        ({"python": "/opt/homebrew/bin/python3", "python_uid": 501}, "/opt/homebrew/bin/python3 belongs to uid 501"),
        ({"accounts": {"hostkit-agent": Account(501, "/bin/zsh")}}, "somebody's account (uid 501, /bin/zsh)"),
        ({"accounts": {"hostkit-agent": Account(460, "/bin/zsh")}}, "somebody's account (uid 460, /bin/zsh)"),
        (
            {"shares": ("/Volumes/homes",), "homes": ("/Volumes/homes/ann",)},
            "/Volumes/homes/ann lies on /Volumes/homes",
        ),
        ({"shares": ("/Users",)}, "/Users lies on /Users, a share that bootstrap would unmount"),
        ({"colima": "", "colima_version": ()}, "Colima is not here; brew install colima docker"),
        ({"colima_version": (0, 9)}, "/opt/homebrew/bin/colima is 0.9; brew upgrade colima"),
        ({"colima_version": ()}, "is of a version that its path does not tell"),
        ({"addresses": {"lo0": ("127.0.0.1",)}}, "host.management names en0, and none of them is here"),
        ({"sessions": (Login("198.51.100.9", 22, "203.0.113.9:7"),)}, "comes in on en1 port 22 and would be cut"),
    ],
)
def test_what_would_fail_or_cut_a_session_is_refused_by_name(change, says):
    with pytest.raises(HostkitError) as caught:
        refuse(P, dataclasses.replace(MINI, **change), EVERY)
    assert says in str(caught.value)


def test_a_way_in_by_tunnels_alone_is_refused_for_macos_numbers_them_anew():
    here = dataclasses.replace(MINI, addresses={**ADDRESSES, "utun4": ("198.51.100.200",)})
    with pytest.raises(HostkitError, match=r"host\.management names utun4, which may be another tunnel after a start"):
        refuse(make_policy({"management": ["utun4"]}), here, EVERY)
    refuse(make_policy({"management": ["utun4", "en0"]}), here, EVERY)


def test_a_mac_that_is_as_it_should_be_is_no_obstacle():
    refuse(P, MINI, EVERY)
    refuse(
        P, dataclasses.replace(MINI, release="26.1", accounts={"hostkit-agent": Account(450, "/usr/bin/false")}), EVERY
    )
    refuse(P, dataclasses.replace(MINI, colima="", colima_version=()), EVERY - {"vm"})
    refuse(make_policy({"vm": "none"}), dataclasses.replace(MINI, colima="", colima_version=()), EVERY)


def test_a_release_that_is_none_is_no_answer():
    with pytest.raises(CannotTell, match="sw_vers said nothing that is known: Sequoia"):
        refuse(P, dataclasses.replace(MINI, release="Sequoia"), EVERY)


def test_the_account_keeps_its_number_or_gets_the_first_that_is_free():
    assert uid(P, MINI) == 450
    assert uid(P, dataclasses.replace(MINI, accounts={"x": Account(450, "/bin/sh")})) == 451
    assert uid(P, dataclasses.replace(MINI, accounts={"hostkit-agent": Account(477, "/usr/bin/false")})) == 477
    full = {str(number): Account(number, "/bin/sh") for number in range(450, 500)}
    with pytest.raises(HostkitError, match="every number from 450 to 499"):
        uid(P, dataclasses.replace(MINI, accounts=full))


def test_the_directory_is_told_what_keeps_everybody_out():
    told = {(line["record"], line["key"]): line["value"] for line in account_records(P, 450, "/Users/hostkit-agent")}
    assert told["/Users/hostkit-agent", "UserShell"] == "/usr/bin/false"
    assert told["/Users/hostkit-agent", "Password"] == "*"
    assert told["/Users/hostkit-agent", "IsHidden"] == "1"
    assert told["/Groups/hostkit-agent", "PrimaryGroupID"] == told["/Users/hostkit-agent", "PrimaryGroupID"] == "450"


def test_sshd_is_let_in_only_where_this_mac_is_managed_so_and_the_vpn_that_is_named():
    listed = ("/usr/libexec/sshd-keygen-wrapper", "/usr/libexec/sshd-session", "/Applications/WireGuard.app", "/x")
    assert let_in(P, listed) == ("/Applications/WireGuard.app", "/x")
    assert let_in(make_policy(), listed) == listed
    vpn = {"vpn": {"kind": "wireguard", "listen": 51820}}
    assert let_in(make_policy({"management": ["en0"], **vpn}), listed) == ("/x",)
    told = variables(P, "ssh", dataclasses.replace(MINI, programs=(*listed, "com.apple.universalcontrol")))
    assert told["called"] == ["let-in@/usr/libexec/sshd-keygen-wrapper"]
    assert told["programs"] == ["program@/Applications/WireGuard.app", "program@/x"]  # an identifier is no path
    assert variables(make_policy(), "ssh", MINI)["called"] == []


def test_an_account_is_known_by_what_the_directory_says():
    assert entry(mac({RECORD: "UniqueID: 450\nUserShell: /x\n"}), "x") == "UniqueID: 450 UserShell: /x"
    assert entry(mac({RECORD: erred("dscl-notfound.txt", 56)}), "x") is None
    with pytest.raises(CannotTell, match="dscl did not tell of x"):
        entry(mac({RECORD: Said(1, err="Operation not permitted")}), "x")


def test_colima_gets_half_of_the_mac_and_no_mount():
    told = yaml.safe_load(settings(["198.51.100.53"], 8, 16 * 2**30))
    assert (told["cpu"], told["memory"], told["sshPort"]) == (4, 8, 60022)
    assert told["mounts"] is None
    assert told["network"] == {"address": False, "dns": ["198.51.100.53"], "dnsHosts": {}}
    assert not any(told[key] for key in ("forwardAgent", "sshConfig", "mountInotify", "autoActivate"))
    assert (told["portForwarder"], told["vmType"]) == ("none", "vz")
    assert yaml.safe_load(settings((), 1, 2**30))["cpu"] == 1


def test_colimas_version_is_told_by_its_link_and_by_nothing_that_runs():
    assert colima(mac()) == ("", ())
    assert colima(mac({}, {"/usr/local/bin/colima": ""})) == ("/usr/local/bin/colima", ())
