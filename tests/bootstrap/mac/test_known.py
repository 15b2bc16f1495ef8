"""Every setting: what recordings say it is, how it is made as wanted and put back, and that nothing garbled counts."""

import random

import pytest

from hostkit.bootstrap.mac.known import named
from hostkit.bootstrap.mac.settings import changes, value, written
from hostkit.errors import CannotTell, HostkitError
from hostkit.host import Said
from tests.posture.checks.recorded import absent, erred, gone, held, recorded
from tests.posture.test_mutated import garbled

FIREWALL, SIGNED = "/usr/libexec/ApplicationFirewall/socketfilterfw", recorded("alf-14-combined.txt")
HARDENED, SHARING = (recorded(f"launchctl-print-disabled-{word}.txt") for word in ("hardened", "sharing-on"))
CACHE, MDM, MINI = (
    recorded(f"{name}.txt") for name in ("contentcache-off", "mdm-securityinfo-rd-on", "pmset-custom-mini")
)
SMBD = "com.apple.smbd"
GONE = f'Could not find service "{SMBD}" in domain for system'
NAT = "{\n    AirPort =     {\n        Enabled = 0;\n    };\n    Enabled = 1;\n}\n"
NEVER = absent("/x", "Key")
SAID = [
    ("firewall", recorded("alf-globalstate-on.txt"), "1"),
    ("firewall", recorded("alf-globalstate-off.txt"), "0"),
    ("firewall", recorded("alf-globalstate-blockall-old.txt"), "2"),
    ("firewall", "Firewall is blocking all non-essential incoming connections. (State = 2)\n", "2"),
    ("stealth", recorded("alf-stealth-off-15.txt"), "off"),
    ("stealth", "Stealth mode enabled\n", "enabled"),
    ("built-in", "Automatically allow built-in signed software ENABLED. \n", "ENABLED"),
    ("downloaded", "Automatically allow downloaded signed software DISABLED.\n", "DISABLED"),
    ("program@/Applications/Example App.app", recorded("alf-listapps-26.txt"), "Allow"),
    ("program@/usr/local/bin/tool", recorded("alf-listapps-26.txt"), "Allow"),
    ("program@/opt/homebrew/Cellar/qemu/10.1.2/bin/qemu-system-x86_64", recorded("alf-listapps-26.txt"), "Block"),
    ("program@/Applications/Gone.app", recorded("alf-listapps-26.txt"), None),
    ("let-in@/usr/local/bin/tool", recorded("alf-listapps-26.txt"), "Allow"),
    ("let-in@/usr/libexec/sshd-keygen-wrapper", recorded("alf-listapps-26.txt"), None),
    (f"service@{SMBD}", HARDENED, "disabled"),
    (f"service@{SMBD}", SHARING, "enabled"),
    ("service@com.apple.nothing", SHARING, None),
    (f"loaded@{SMBD}", held(SMBD), f"system/{SMBD} = {{"),
    (f"loaded@{SMBD}", gone(SMBD), GONE),
    ("management", MDM, "1"),
    ("smb-guests", recorded("smb-guest-off.line"), "disabled"),
    ("nfs", "nfsd service is disabled\nnfsd is not running\n", "disabled"),
    ("internet", NAT, "1"),
    ("internet", NEVER, None),
    ("printers@share_printers", recorded("cupsctl-share-on.line"), "1"),
    ("printers@remote_any", recorded("cupsctl-share-off.line"), None),
    ("cache", Said(0, err=CACHE), "false"),
    ("update@AutomaticDownload", "0\n", "0"),
    ("update@AutomaticDownload", NEVER, None),
    ("schedule", recorded("softwareupdate-schedule-on.txt"), "on"),
    ("power@sleep", MINI, "0"),
    ("power@disksleep", MINI, "10"),
    ("power@autorestart", MINI.replace("autorestart          1", "autorestart          0 (by a profile)"), "0"),
    ("power@standby", "AC Power:\n sleep                0\n", None),
    ("power@standby", MINI.replace("standby              0", "standby              1"), "1"),
    ("printers@remote_any", "_remote_any=1\n_share_printers=0\n", "1"),
    ("power@sleep", "Battery Power:\n sleep                1\n" + MINI, "0"),
    ("guest", "1\n", "1"),
    ("autologin", erred("sysadminctl-autologin-off.stderr", 0), "OFF"),
    ("autologin", erred("sysadminctl-autologin-on.stderr", 0), "user"),
    ("autologin", "Automatic login disabled because FileVault is enabled.\n", "disabled"),
    ("unlocking", NEVER, None),
    ("airdrop@ann", recorded("airdrop-everyone.txt"), "Everyone"),
    ("airdrop@ann", recorded("airdrop-contacts.txt"), "Contacts Only"),
    ("airplay@ann", NEVER, None),
    ("bluetooth@ann", "1\n", "1"),
    ("media-home@ann", "0\n", "0"),
    ("media-public@bo", NEVER, None),
]  # fmt: skip
WANTED = {name: named(name).wanted for name, _, _ in SAID}


def heard(said):
    return said if isinstance(said, Said) else Said(0, said)


@pytest.mark.parametrize(("name", "said", "told"), SAID, ids=lambda each: str(each)[:40])
def test_what_a_mac_said_is_read(name, said, told):
    assert value(named(name), heard(said)) == told


@pytest.mark.parametrize(
    "said",
    [
        Said(0), Said(1), Said(0, "\n"), Said(0, "Firewall ist aktiviert.\n"), erred("systemsetup-noroot.txt"),
        Said(0, recorded("alf-managed-refusal.txt")), Said(0, "x" * 2_000_000), erred("pf-noroot.stderr"),
    ],
    ids=range(8),
)  # fmt: skip
@pytest.mark.parametrize("name", sorted(WANTED))
def test_what_is_no_answer_is_not_taken_for_one_and_the_play_that_can_be_left_out_is_named(name, said):
    with pytest.raises(CannotTell, match="--skip leaves a play out"):
        value(named(name), said)


@pytest.mark.parametrize(("name", "said", "told"), [one for one in SAID if one[2] not in WANTED[one[0]]], ids=str)
def test_a_thousand_garbled_answers_never_say_that_it_is_as_wanted(name, said, told):
    chance, setting, plain = random.Random(name), named(name), heard(said)
    for _ in range(1000):
        worse = Said(plain.code, garbled(plain.out or plain.err, chance))
        try:
            found = value(setting, worse)
        except CannotTell:
            continue
        assert found not in setting.wanted, worse.out


def test_two_answers_are_none():
    with pytest.raises(CannotTell):
        value(named("nfs"), Said(0, "nfsd service is disabled\nnfsd service is enabled\n"))


@pytest.mark.parametrize(
    ("name", "now", "commands"),
    [
        ("firewall", "0", [(FIREWALL, "--setglobalstate", "on")]),
        ("firewall", "2", []),
        ("stealth", "disabled", [(FIREWALL, "--setstealthmode", "on")]),
        ("downloaded", "ENABLED", [(FIREWALL, "--setallowsignedapp", "off")]),
        ("program@/a b", "Allow", [(FIREWALL, "--blockapp", "/a b")]),
        ("program@/a b", None, []),
        ("let-in@/s", None, [(FIREWALL, "--add", "/s"), (FIREWALL, "--unblockapp", "/s")]),
        ("let-in@/s", "Block", [(FIREWALL, "--add", "/s"), (FIREWALL, "--unblockapp", "/s")]),
        (f"service@{SMBD}", None, []),
        (f"service@{SMBD}", "enabled", [("/bin/launchctl", "disable", f"system/{SMBD}")]),
        (f"loaded@{SMBD}", "system/com.apple.smbd = {",
         [("/bin/launchctl", "disable", f"system/{SMBD}"), ("/bin/launchctl", "bootout", f"system/{SMBD}")]),
        ("printers@remote_any", "1", [("/usr/sbin/cupsctl", "--no-remote-any")]),
        ("power@disksleep", "10", [("/usr/bin/pmset", "-c", "disksleep", "0")]),
        ("power@autorestart", "0", [("/usr/bin/pmset", "-c", "autorestart", "1")]),
        ("airdrop@ann", "Contacts Only",
         [("/usr/bin/sudo", "-n", "-u", "ann", "/usr/bin/defaults", "write", "com.apple.sharingd", "DiscoverableMode",
           "-string", "Off")]),
    ],
)  # fmt: skip
def test_it_is_changed_only_where_it_is_not_as_wanted(name, now, commands):
    assert list(changes(named(name), now)) == commands


def test_solo_leaves_airdrop_to_contacts():
    assert changes(named("airdrop@ann", "solo"), "Contacts Only") == ()
    assert changes(named("airdrop@ann", "solo"), "Everyone")


@pytest.mark.parametrize(("name", "said", "told"), SAID, ids=lambda each: str(each)[:40])
def test_what_was_there_can_be_put_back_or_it_is_said_why_not(name, said, told):
    setting = named(name)
    back = written(setting, told)
    assert back or setting.stays or told in setting.wanted
    assert not any("{" in word for command in back for word in command)


def test_a_service_comes_back_by_its_file_and_a_program_is_let_in_again():
    assert written(named(f"loaded@{SMBD}"), f"system/{SMBD} = {{") == (
        ("/bin/launchctl", "enable", f"system/{SMBD}"),
        ("/bin/launchctl", "bootstrap", "system", f"/System/Library/LaunchDaemons/{SMBD}.plist"),
    )
    assert written(named("program@/x"), "Allow") == ((FIREWALL, "--unblockapp", "/x"),)
    assert written(named("update@Key"), None)[0][:2] == ("/usr/bin/defaults", "delete")
    assert written(named("autologin"), "user") == ()
    assert written(named("let-in@/s"), None) == ((FIREWALL, "--remove", "/s"),)
    assert written(named("management"), "1")[0][1:] == ("-activate", "-restart", "-agent")


@pytest.mark.parametrize("name", ["", "nothing", "power", "firewall@x", "power@"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(HostkitError, match="no setting is called"):
        named(name)
