import csv
from datetime import date
from pathlib import Path

import pytest

from hostkit.host import FileFacts
from hostkit.posture.checks import system as subject
from hostkit.posture.releases import SUPPORTED
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
INSIDE = {"/run/systemd/container": "lxc"}
FOLDER, FILE, OPEN = (FileFacts(mode, 0, 0, kind) for mode, kind in
                      ((0o755, "directory"), (0o644, "file"), (0o666, "file")))  # fmt: skip
RELEASE, SECURE = subject.the_distribution_is_supported, subject.only_signed_code_boots
PRELOAD, SLEEP = subject.nothing_is_loaded_into_every_program, subject.this_machine_does_not_sleep
CRON = subject.only_root_plans_what_runs


def release(text):
    return FakeHost(files={"/etc/os-release": text})


NAMED = {name: f"/sys/firmware/efi/efivars/{name}-{subject._GLOBAL}" for name in ("SecureBoot", "SetupMode")}


def firmware(**told):
    files = {NAMED[name]: "\x06\x00\x00\x00" + value for name, value in told.items()}
    return FakeHost(files=files, facts={"/sys/firmware/efi": FOLDER})


def services(linker=None, **files):
    known = {"unit": "/etc/systemd/system/web.service", "drop": "/etc/systemd/system/web.service.d/x.conf",
             "shell": "/etc/profile.d/x.sh", "all": "/etc/environment"}  # fmt: skip
    told = {known[name]: text for name, text in files.items()}
    return FakeHost(files={**told, **({} if linker is None else {"/etc/ld.so.preload": linker})})


TARGETS = ("systemctl", "show", "-P", "LoadState", *subject._SLEEPS)
TABLES, MINE = subject._TABLES, f"{subject._TABLES}/hostkit-agent"


def cron(*, root=True, **facts):
    return FakeHost(facts={"/etc/crontab": FILE, "/etc/cron.d": FOLDER, "/etc/cron.d/x": FILE, **facts}, root=root)


CASES = [
    (RELEASE, release('NAME="Debian"\nID=debian\nVERSION_ID="13"\n'), P, "ok", "debian-13 until 2030-06-30"),
    (RELEASE, release("ID=debian\nVERSION_ID='11'\n"), P, "fail", "debian-11 ended on 2026-08-31"),
    (RELEASE, release("ID=arch\n"), P, "unknown", "does not know until when 'arch-'"),
    (RELEASE, release("ID=ubuntu\nVERSION_ID=25.10\n"), P, "unknown", "ubuntu-25.10"),
    (RELEASE, FakeHost(), P, "unknown", "not taught"),
    (SECURE, firmware(SecureBoot="\x01", SetupMode="\x00"), P, "ok", "Secure Boot is on"),
    (SECURE, firmware(SecureBoot="\x01"), P, "ok", "Secure Boot is on"),
    (SECURE, firmware(SecureBoot="\x00"), P, "fail", "Secure Boot is off"),
    (SECURE, firmware(SecureBoot="\x01", SetupMode="\x01"), P, "fail", "may be replaced"),
    (SECURE, FakeHost(), P, "fail", "not started by UEFI"),
    (SECURE, firmware(), P, "unknown", "tells nothing of Secure Boot"),
    (SECURE, firmware(SecureBoot=""), P, "unknown", "holds 4 bytes"),
    (SECURE, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (PRELOAD, services(), P, "ok", "0 files of services"),
    (PRELOAD, services("# nothing\n\n"), P, "ok", "is empty"),
    (PRELOAD, services("# one\n/usr/lib/x.so:/y.so\n"), P, "fail", "names /usr/lib/x.so"),
    (PRELOAD, services(unit="[Service]\n# Environment=LD_PRELOAD=/x.so\n"), P, "ok", "1 files of services"),
    (PRELOAD, services(unit='[Service]\nEnvironment=A=1 "LD_PRELOAD=/x.so"\n'), P, "fail", "web.service sets"),
    (PRELOAD, services(drop="[Service]\nEnvironment=LD_AUDIT=/x.so\n"), P, "fail", "x.conf sets"),
    (PRELOAD, services(shell="  export LD_PRELOAD=/x.so\n"), P, "fail", "x.sh sets"),
    (PRELOAD, services(all="LD_PRELOAD=/x.so\n"), P, "fail", "/etc/environment sets"),
    (PRELOAD, services(all="OLD_PRELOAD=/x.so\n"), P, "ok", "1 files"),
    (PRELOAD, FakeHost(facts={"/etc/ld.so.preload": FILE}), P, "unknown", "not taught"),
    (SLEEP, FakeHost({TARGETS: "masked\n\n" * 4}), P, "ok", "all ways to sleep"),
    (SLEEP, FakeHost({TARGETS: "masked\n\nloaded\n\nmasked\n\nmasked\n"}), P, "fail", "suspend.target is not masked"),
    (SLEEP, FakeHost({TARGETS: "\n"}), P, "unknown", "tells nothing"),
    (SLEEP, FakeHost(), P, "unknown", "not taught"),
    (CRON, cron(), P, "ok", "3 files"),
    (CRON, cron(**{"/etc/cron.d/x": OPEN}), P, "fail", "/etc/cron.d/x: owner 0, mode 0666"),
    (CRON, cron(**{"/etc/systemd/system/a.timer": FileFacts(0o644, 998, 0, "file")}), P, "fail", "owner 998"),
    (CRON, cron(**{"/etc/systemd/system/b.service": FileFacts(0o777, 0, 0, "link")}), P, "ok", "4 files"),
    (CRON, cron(**{TABLES: FOLDER, f"{TABLES}/ann": FileFacts(0o600, 1000, 0, "file")}), P, "ok", "3 files"),
    (CRON, cron(**{TABLES: FOLDER, f"{TABLES}/ann": FileFacts(0o640, 1000, 0, "file")}), P, "fail", "ann: mode 0640"),
    (CRON, cron(**{TABLES: FOLDER, MINE: FileFacts(0o600, 998, 0, "file")}), P, "fail", "the agent's own"),
    (CRON, cron(root=False, **{TABLES: FOLDER}), P, "unknown", "root's to read"),
]
CSV = Path("/usr/share/distro-info")


@pytest.mark.skipif(not (CSV / "debian.csv").exists(), reason="the package distro-info-data is not here")
def test_the_days_are_those_of_debians_own_table():
    for name, column in (("debian", "eol-lts"), ("ubuntu", "eol")):
        with (CSV / f"{name}.csv").open() as table:
            told = {
                f"{name}-{row['version'].split()[0]}": row[column] for row in csv.DictReader(table) if row["version"]
            }
        ours = {key: day for key, day in SUPPORTED.items() if told.get(key)}
        assert ours
        assert ours == {key: date.fromisoformat(told[key]) for key in ours}


def test_a_line_of_a_megabyte_takes_no_time():
    assert subject._PRELOADS.search("Environment=" + "LD_PRELOAD " * 100_000) is None


def test_what_is_open_is_closed_by_name():
    host = cron(**{"/etc/cron.d/x": OPEN})
    assert CRON.mend(host, P)[1] == ("chmod", "go-w", "--", "/etc/cron.d/x")
    assert SLEEP.mend(host, P) == (("systemctl", "mask", "--", *subject._SLEEPS),)


DROP = "/etc/systemd/system/ssh.service.d"
CALM = f"rm -rf {DROP}; : >/etc/ld.so.preload"
EFI = "/sys/firmware/efi/efivars"
SIGNED = f"""
mountpoint -q /sys/firmware || mount -t tmpfs tmpfs /sys/firmware
mkdir -p {EFI}
printf '\\6\\0\\0\\0\\1' >{NAMED["SecureBoot"]}
"""
BROKEN = [
    Broken(
        RELEASE, "ln -sf ../usr/lib/os-release /etc/os-release", "sed -i s/12/11/ /etc/os-release", "debian-11 ended"
    ),
    Broken(PRELOAD, CALM, "echo /lib/x86_64-linux-gnu/libm.so.6 >/etc/ld.so.preload", "names /lib/x86"),
    Broken(
        PRELOAD, CALM,
        f"mkdir {DROP}; echo 'Environment=LD_PRELOAD=/tmp/x.so' >{DROP}/x.conf", "x.conf sets LD_PRELOAD",
    ),
    Broken(SLEEP, f"systemctl mask {' '.join(subject._SLEEPS)}", "systemctl unmask suspend.target", "suspend."),
    Broken(CRON, "chmod 0644 /etc/cron.d/*", "chmod 0666 /etc/cron.d/*", "mode 0666"),
    Broken(
        CRON, f"chmod 0644 /etc/cron.d/*; rm -f {MINE}", f"install -D -m 0600 /dev/null {MINE}", "the agent's own"
    ),
    # There is no firmware in a test's VM: its two variables are laid where it would tell them.
    Broken(SECURE, SIGNED, f"printf '\\6\\0\\0\\0\\0' >{NAMED['SecureBoot']}", "Secure Boot is off", "vm"),
]  # fmt: skip
