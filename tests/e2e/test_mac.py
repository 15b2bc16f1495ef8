"""bootstrap on a Mac that is none: red before, green after, nothing the second time, and back; kills; a flush."""

import json
import time

import pytest

from hostkit.bootstrap.guard import UP
from hostkit.bootstrap.plays import plays
from hostkit.posture.model import collect
from tests.e2e.test_bootstrap import bootstrapping, confirm
from tests.machines import systemd
from tests.machines.fakemac.bare import BARE
from tests.machines.fakemac.machine import FakeMac

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(900)]

POLICY = "version: 1\nhost: {management: [eth0], resolvers: [198.51.100.7], power_cut: wait}\n"
PROVED = sorted(name for play in plays("darwin") for name in play.proves)
MACS = sorted(check.id for check in collect() if check.platforms == ("darwin",))
NOBODY_THERE = {"pf-rules", "keychain-agent", "keychain-closed", "vm-live"}
"""Unknown before: there is no agent's account to ask as, and of ann's VM it is not known where it can be asked."""
BY_DEFAULT = {"nearby-airdrop", "nearby-bluetooth", "nearby-media"}
"""Unknown before: bo never set these, and what holds then is the release's own."""
ANNS = r"""
mkdir -p /Users/ann/.colima/default
printf 'mounts: []\nforwardAgent: true\n' > /Users/ann/.colima/default/colima.yaml
cp /usr/bin/python3 /opt/limactl
setsid sudo -u ann /opt/limactl -c 'import time; time.sleep(900)' hostagent >/dev/null 2>&1 </dev/null &
"""
"""A VM of ann's own, which sees her home and is lent her SSH agent."""
OWNERS = r"""
pkill limactl
rm -rf /Users/ann/.colima
fakemac set sip=true sealed=true gatekeeper=true enrolled=false authorities=0 keychains=[] 'arguments=""'
fakemac set 'filevault="On"' 'boot="Full Security"' 'scans="enabled"' 'locks/ann="immediate"'
fakemac set 'defaults/ann/MobileMeAccounts={"Accounts": "(\n)"}'
dscl . -delete /Users/root AuthenticationAuthority
now=$(date -u '+%Y-%m-%d %H:%M:%S +0000')
defaults write /Library/Preferences/com.apple.SoftwareUpdate LastFullSuccessfulDate -string "$now"
chmod 0700 /Users/ann
"""
"""What no tool sets: the owner does it in Recovery, at the screen and in System Settings."""
PATIENT = ("--patience", "60")
PENDING, PROGRAM = "/var/run/hostkit/pf.pending", "/Library/PrivilegedHelperTools/org.hostkit.pf"


@pytest.fixture
def mac():
    with systemd.machine(FakeMac) as made:
        made.run("install", "-D", "-m", "0600", "/dev/stdin", "/etc/hostkit/hostkit.yml", stdin=POLICY)
        yield made


def answers(mac, *names):
    """Return what each of these checks says, each proved one by default."""
    said = mac.run(
        "hostkit", "check", "--json", *PATIENT, "--only", ",".join(names or PROVED), check=False, timeout=240
    )
    return {entry["id"]: entry["status"] for entry in json.loads(said.stdout)["results"]}


def detail(mac, name):
    said = mac.run("hostkit", "check", "--json", *PATIENT, "--only", name, check=False, timeout=240)
    return json.loads(said.stdout)["results"][0]["detail"]


def harden(mac):
    """Return what a bootstrap said that was confirmed over a connection of its own."""
    with bootstrapping(mac, pending=PENDING) as session:
        time.sleep(1.5)  # /proc tells a process's start from a boot that it rounds to the second; a Mac does not
        confirmed = confirm(mac)
        assert confirmed.stdout == "confirmed: the fence stays, over reboots too\n", confirmed.stderr
        said, _ = session.communicate(timeout=240)
        assert session.returncode == 0, said
    return said


def files(mac):
    """Return every file that the plays may touch, and what lies beside it, with mode, owner and content."""
    script = """
    for place in /etc/auto_master /etc/fstab /etc/exports /etc/hostkit /etc/passwd /Library /Users; do
      find "$place" -printf '%p %m %u ' -type f -exec md5sum {} + 2>/dev/null; echo; done"""
    return mac.run("sh", "-c", script).stdout


def test_red_before_green_after_nothing_the_second_time_and_back(mac):
    assert mac.state() == BARE
    mac.run("sh", "-ec", ANNS)
    before = answers(mac, *MACS)
    told = {status: {name for name in before if before[name] == status} for status in ("ok", "unknown")}
    assert told == {"ok": {"sharing-login"}, "unknown": NOBODY_THERE | BY_DEFAULT}  # the policy manages over SSH

    mac.run("sh", "-ec", OWNERS)
    found, lying = mac.state(), files(mac)
    predicted = mac.run("hostkit", "bootstrap", "--check", timeout=240)
    assert "changed  Set stealth\n" in predicted.stdout
    assert mac.state() == found
    assert files(mac) == lying

    said = harden(mac)
    assert answers(mac, *MACS, *PROVED) == dict.fromkeys(sorted({*MACS, *PROVED}), "ok"), said
    hardened = mac.state()
    again = mac.run("hostkit", "bootstrap", timeout=240)
    assert again.stdout.startswith("0 changed, "), again.stdout
    assert _timeless(mac.state()) == _timeless(hardened)
    mac.run("fakemac", "reboot")
    assert answers(mac, *MACS, *PROVED) == dict.fromkeys(sorted({*MACS, *PROVED}), "ok")

    kept = mac.run("hostkit", "bootstrap", "--undo", check=False, timeout=240)
    assert kept.code == 1
    assert "failed   remove the account hostkit-agent: /Users/hostkit-agent belongs to hostkit-agent" in kept.stdout
    mac.run("rm", "-rf", "/Users/hostkit-agent/.colima/_lima")  # as `colima delete` does
    gone = mac.run("hostkit", "bootstrap", "--undo", timeout=240)
    assert "stays    autologin: automatic login stays off" in kept.stdout
    assert gone.stdout.endswith("undone: this host is as bootstrap found it, but for what stays\n"), gone.stdout
    assert mac.state() == _back(found)
    assert files(mac) == lying


def _timeless(state):
    return {**state, "pf": {**state["pf"], "tokens": len(state["pf"]["tokens"])}}


def _back(bare):
    """Return the state as it was, but for what --undo says that stays: no automatic login, and no share mounted."""
    plain = json.loads(json.dumps(bare))
    del plain["defaults"]["root"]["/Library/Preferences/com.apple.loginwindow"]["autoLoginUser"]
    plain["mounts"] = [line for line in plain["mounts"] if "smbfs" not in line]
    return {**plain, "autologin": ""}


KILLED = """
hostkit bootstrap --confirm-from 192.0.2.1 >/tmp/run.log 2>&1 &
until grep -q "$1" /tmp/run.log; do sleep 0.1; kill -0 $! || exit 9; done
kill -9 $!
"""


def test_a_kill_half_way_is_made_good_by_the_next_run_and_is_undone_whole(mac):
    bare = mac.state()
    for after in ("Set downloaded", "Set media-home@bo", "Write the job org.hostkit.vm"):
        mac.run("sh", "-c", KILLED, "sh", after, timeout=240)
        assert mac.state() != bare
    harden(mac)
    assert answers(mac) == dict.fromkeys(PROVED, "ok")
    mac.run("rm", "-rf", "/Users/hostkit-agent/.colima")
    gone = mac.run("hostkit", "bootstrap", "--undo", timeout=240)
    assert gone.stdout.endswith("undone: this host is as bootstrap found it, but for what stays\n"), gone.stdout
    assert mac.state() == _back(bare)


def test_an_unconfirmed_fence_rolls_back_and_a_session_that_is_older_cannot_keep_it(mac):
    with bootstrapping(mac, pending=PENDING) as session:
        refused = mac.run("hostkit", "bootstrap", "--confirm", check=False)
        assert "the fence was applied over SSH" in refused.stderr
        assert any(line.startswith(UP) for line in session.stdout)  # it waits from here on
        mac.run("fakemac", "tick", "org.hostkit.pf-rollback", check=False)
        said, _ = session.communicate(timeout=240)
    assert session.returncode == 1
    assert "not confirmed: the fence was rolled back, everything else stays" in said
    state = mac.state()
    assert state["pf"] == BARE["pf"]
    assert "org.hostkit.pf-rollback" not in state["jobs"]
    assert mac.run(PROGRAM, "confirm", check=False).stderr == "no fence waits to be confirmed\n"


def test_a_second_administrator_who_flushes_or_disables_pf_is_seen_and_what_can_be_put_back_is(mac):
    harden(mac)
    mac.run("pfctl", "-d", check=False)
    assert answers(mac, "pf-anchor") == {"pf-anchor": "fail"}
    mac.run("fakemac", "tick", "org.hostkit.pf")
    assert answers(mac, "pf-anchor", "pf-reference") == {"pf-anchor": "ok", "pf-reference": "ok"}

    mac.run("sh", "-c", "echo 'pass quick all' | pfctl -a com.apple/org.hostkit -f /dev/stdin")
    assert "passes tcp in on en0" in detail(mac, "pf-rules")
    mac.run("fakemac", "tick", "org.hostkit.pf")
    assert answers(mac, "pf-rules") == {"pf-rules": "ok"}

    mac.run("pfctl", "-F", "all", check=False)
    assert 'does not ask "com.apple/*"' in detail(mac, "pf-anchor")
    mac.run("fakemac", "tick", "org.hostkit.pf", check=False)
    assert mac.state()["pf"]["main"] == []  # what is not its own it does not load
    assert answers(mac, "pf-anchor", "pf-boot") == {"pf-anchor": "fail", "pf-boot": "fail"}
    told = json.loads(mac.run("cat", "/var/run/hostkit/pf.json").stdout)
    assert (told["enabled"], told["asked"], told["whole"]) == (True, False, True)
    assert abs(told["at"] - time.time()) < 60

    mac.run("pfctl", "-f", "/etc/pf.conf")
    mac.run("fakemac", "tick", "org.hostkit.pf")
    assert answers(mac, "pf-anchor", "pf-boot") == {"pf-anchor": "ok", "pf-boot": "ok"}


def test_what_apples_tools_refuse_ends_the_run_with_their_words_and_what_is_not_a_macs_is_refused_before(mac):
    def refused(*words):
        return mac.run("hostkit", "bootstrap", "--confirm-from", "192.0.2.1", *words, check=False, timeout=240)

    mac.run("fakemac", "set", "managed=true")
    said = refused("--only", "firewall")
    assert said.code == 3
    words = "The application firewall lets nobody call a program: See that it is as it should be: let-in@"
    assert words in said.stderr
    assert "its tool says Firewall settings cannot be modified from command line on managed Mac" in said.stderr
    mac.run("fakemac", "set", "managed=false", 'release="27.1"')
    assert "this is macOS 27.1, and hostkit knows the tools of 13 to 26" in refused().stderr
    mac.run("fakemac", "set", 'release="26.1"', 'users/_www/UserShell="/bin/zsh"')
    mac.run("sed", "-i", "s/eth0/br-lan/", "/etc/hostkit/hostkit.yml")
    assert "host.management names br-lan, and none of them is here" in refused().stderr
    mac.run("sed", "-i", "s/br-lan/eth0/; s/host: {/host: {account: ann, /", "/etc/hostkit/hostkit.yml")
    assert "host.account names ann, which is somebody's account (uid 501, /bin/zsh)" in refused().stderr
    mac.run("sed", "-i", "s/account: ann, //", "/etc/hostkit/hostkit.yml")
    mac.run("ln", "-sf", "../Cellar/colima/0.9.1/bin/colima", "/opt/homebrew/bin/colima")
    mac.run(
        "sh", "-c", "mkdir -p /opt/homebrew/Cellar/colima/0.9.1/bin; touch /opt/homebrew/Cellar/colima/0.9.1/bin/colima"
    )
    assert "/opt/homebrew/bin/colima is 0.9; brew upgrade colima" in refused().stderr
    mac.run("rm", "/opt/homebrew/bin/colima")
    assert "Colima is not here; brew install colima docker" in refused().stderr
    mac.run("sed", "-i", "s/, power_cut: wait//; s/host: {/host: {vm: none, /", "/etc/hostkit/hostkit.yml")
    said = refused().stderr
    assert "Whoever carries it away reads all of it" in said
    assert "nobody is here to say what happens after a power cut; say host.power_cut: wait or return" in said
    assert mac.state()["pf"] == BARE["pf"]
