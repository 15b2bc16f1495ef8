import time

from hostkit.host import FileFacts
from hostkit.posture.checks import journal as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
ASKED = ("systemd-analyze", "cat-config", "systemd/journald.conf")
GOOD = "# a file\n[Journal]\nStorage=auto\nStorage=persistent\nSystemMaxUse=1G\nMaxRetentionSec=90day\n"
THERE = {"/var/log/journal": ""}


def journal(said, files=THERE):
    return FakeHost({ASKED: said}, files=files)


DISK, COPY = subject.the_journal_is_on_disk, subject.a_copy_goes_elsewhere
ID = "0123456789abcdef" * 2
FOLDER, LIVE = f"/var/log/journal/{ID}", f"/run/log/journal/{ID}/system.journal"


def disk(mode=0o640, age=60.0, machine=ID, uptime=9 * 86400.0, live=None):
    files = {"/etc/machine-id": f"{machine}\n", "/proc/uptime": f"{uptime} 1.0\n"}
    file = FileFacts(mode, 0, 105, "file", 9, time.time() - age)
    memory = {} if live is None else {LIVE: FileFacts(0o640, 0, 105, "file", 9, time.time() - live)}
    facts = {FOLDER: FileFacts(0o2755, 0, 105, "directory"), f"{FOLDER}/system.journal": file, **memory}
    return FakeHost(files=files, facts=facts)


NAMES = subject._FORWARDERS
STATES = ("systemctl", "show", "-P", "ActiveState", *(f"{name}.service" for name in NAMES))


def copy(*running, **files):
    known = {"rsyslog": "/etc/rsyslog.d/90-far.conf", "upload": "/etc/systemd/journal-upload.conf"}
    said = "\n\n".join("active" if name in running else "inactive" for name in NAMES)
    return FakeHost({STATES: said}, files={known[name]: text for name, text in files.items()})


CASES = [
    (DISK, disk(), P, "ok", "1 files in /var/log/journal"),
    (DISK, disk(live=9.0), P, "fail", "written in memory"),
    (DISK, disk(live=900.0), P, "ok", "1 files"),
    (DISK, disk(age=3 * 86400.0), P, "fail", "nothing was written for 7"),
    (DISK, disk(age=7200.0, uptime=600.0), P, "fail", "nothing was written"),
    (DISK, disk(mode=0o644), P, "fail", "system.journal: mode 0644"),
    (DISK, disk(mode=0o660), P, "fail", "system.journal: owner 0, mode 0660"),
    (DISK, disk(machine="uninitialized"), P, "fail", "names no machine"),
    (DISK, FakeHost(files={"/etc/machine-id": ID}), P, "fail", "is not there"),
    (DISK, FakeHost(), P, "unknown", "not taught"),
    (COPY, copy("vector"), P, "ok", "vector"),
    (COPY, copy("rsyslog", rsyslog="*.* @@logs.example:6514\n"), P, "ok", "rsyslog"),
    (COPY, copy("rsyslog", rsyslog='action(type="omfwd" target="logs.example")\n'), P, "ok", "rsyslog"),
    (COPY, copy("rsyslog", rsyslog="# *.* @@logs.example\nauth.* /var/log/auth.log\n"), P, "fail", "sends nothing"),
    (COPY, copy("systemd-journal-upload", upload="[Upload]\nURL=https://logs.example\n"), P, "ok", "journal-upload"),
    (COPY, copy("systemd-journal-upload", upload="[Upload]\n# URL=\n"), P, "fail", "sends nothing"),
    (COPY, copy(upload="[Upload]\nURL=https://logs.example\n"), P, "fail", "nothing sends it"),
    (COPY, FakeHost(), P, "unknown", "not taught"),
    (subject.journal_is_kept_within_bounds, journal(GOOD), P, "ok", "SystemMaxUse 1G, MaxRetentionSec 90day"),
    (subject.journal_is_kept_within_bounds, journal(GOOD, {}), P, "fail", "/var/log/journal is not there"),
    (subject.journal_is_kept_within_bounds, journal(GOOD + "Storage=volatile\n"), P, "fail", "Storage is volatile"),
    (subject.journal_is_kept_within_bounds, journal("#SystemMaxUse=1G\n"), P, "fail", "SystemMaxUse is not set"),
    (subject.journal_is_kept_within_bounds, FakeHost(), P, "unknown", "not taught"),
]

MINE = '/var/log/journal/"$(cat /etc/machine-id)"'
UNIT, UPLOAD = "/etc/systemd/system/systemd-journal-upload.service", "/etc/systemd/journal-upload.conf"
SENDING = f"""
printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >{UNIT}
printf '[Upload]\\nURL=https://logs.example\\n' >{UPLOAD}
systemctl daemon-reload
systemctl start systemd-journal-upload
"""
BROKEN = [
    Broken(DISK, f"journalctl --flush; chmod o-r {MINE}/*", f"chmod o+r {MINE}/*", "mode 0644"),
    Broken(
        DISK, "journalctl --flush; logger mended; journalctl --sync",
        "journalctl --relinquish-var; logger broken; journalctl --sync", "written in memory",
    ),
    Broken(COPY, SENDING, "systemctl stop systemd-journal-upload", "nothing sends it"),
    Broken(COPY, SENDING, f"echo '[Upload]' >{UPLOAD}", "systemd-journal-upload runs, and sends nothing"),
]  # fmt: skip
