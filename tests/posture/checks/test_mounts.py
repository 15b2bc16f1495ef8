from hostkit.bootstrap.plays import distribution
from hostkit.host import FileFacts, Process
from hostkit.posture.checks import mounts as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
ROOT = "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
INFO = "/proc/self/mountinfo"


def seen(line="", **files):
    named = {"/etc/" + name.replace("_", "."): text for name, text in files.items()}
    return FakeHost(files={INFO: ROOT + line, **named})


NFS = "30 25 0:44 / /mnt/team\\040files rw - nfs4 nas:/team rw\n"
RELEASE = {"/etc/os-release": 'ID=debian\nVERSION_ID="12"\n'}
SERVERS = distribution(RELEASE["/etc/os-release"])["file_servers"]
SHOWN = ("systemctl", "show", "--property=Id,ActiveState,UnitFileState", *SERVERS)


def servers(active="inactive", unit="masked"):
    said = f"Id=rsync.service\nActiveState={active}\nUnitFileState={unit}\n\nId=smbd.service\nActiveState=inactive\n"
    return FakeHost({SHOWN: said}, files=RELEASE)


CASES = [
    (subject.nothing_serves_files, servers(), P, "ok", "none of 2"),
    (subject.nothing_serves_files, servers("active"), P, "fail", "rsync.service runs"),
    (subject.nothing_serves_files, servers(unit="enabled"), P, "fail", "rsync.service is enabled"),
    (subject.nothing_serves_files, FakeHost(files={"/etc/os-release": "ID=arch\n"}), P, "unknown", "is not known"),
    (subject.nothing_serves_files, FakeHost(files=RELEASE), P, "unknown", "not taught"),
    (subject.nothing_shared_is_mounted, seen(), P, "ok", "none mounted"),
    (subject.nothing_shared_is_mounted, seen(NFS), P, "fail", "/mnt/team files (nfs4)"),
    (
        subject.nothing_shared_is_mounted,
        seen("3 2 0:4 / /Users rw - virtiofs mac rw\n"),
        P,
        "fail",
        "/Users (virtiofs)",
    ),
    (subject.nothing_shared_is_mounted, FakeHost(), P, "unknown", "not taught"),
    (subject.nothing_shared_mounts_itself, seen(), P, "ok", ""),
    (subject.nothing_shared_mounts_itself, seen(fstab="# nas:/x /y nfs\n/dev/sda1 / ext4 defaults\n"), P, "ok", ""),
    (
        subject.nothing_shared_mounts_itself,
        seen(fstab="nas:/x /mnt/x nfs noauto 0 0\n"),
        P,
        "fail",
        "/mnt/x in /etc/fstab",
    ),
    (
        subject.nothing_shared_mounts_itself,
        seen(auto_master="+auto.master\n/net -hosts\n"),
        P,
        "fail",
        "/etc/auto.master",
    ),
    (subject.nothing_shared_mounts_itself, seen(auto_master="# none\n+auto.master\n"), P, "ok", ""),
    (
        subject.nothing_shared_mounts_itself,
        seen("3 2 0:4 / /net rw - autofs systemd-1 rw\n"),
        P,
        "fail",
        "/net (autofs)",
    ),
    (subject.nothing_shared_mounts_itself, seen("3 2 0:4 / /proc/sys/fs/binfmt_misc rw - autofs s rw\n"), P, "ok", ""),
    (subject.nothing_shared_mounts_itself, FakeHost(), P, "unknown", "not taught"),
]
synced, linked, options = (
    subject.nothing_is_synced_elsewhere,
    subject.nothing_leads_into_a_home,
    subject.everybodys_folders_hold_no_setuid,
)
INIT = Process(1, 0, "systemd", ("/sbin/init",), 0)
PASSWD = """\
root:x:0:0::/root:/bin/bash
hostkit-agent:x:990:990::{home}:/usr/sbin/nologin
ann:x:1000:1000::/home/ann:/bin/bash
svc:x:1001:1001::/srv/svc:/usr/sbin/nologin
"""
FOLDER = FileFacts(0o700, 0, 0, "directory")


def standing(home="/nonexistent", *, mounts="", runs=INIT, folders=(), files=(), **more):
    facts = dict.fromkeys(
        ("/var/lib/hostkit", "/etc/hostkit", home if home != "/nonexistent" else "/etc", *folders), FOLDER
    )
    known = {"/etc/passwd": PASSWD.format(home=home), INFO: ROOT + mounts, **dict.fromkeys(files, "")}
    return FakeHost(files=known, facts=facts, processes=(INIT, runs), **more)


def links(**found):
    return {"/var/lib/hostkit/" + name: to for name, to in found.items()}


BIND = "31 25 8:1 {} {} rw - ext4 /dev/sda1 rw\n"
HOMES = "30 25 8:2 / /home rw - ext4 /dev/sda2 rw\n32 30 8:2 {} /var/lib/hostkit/x rw - ext4 /dev/sda2 rw\n"
CASES += [
    (synced, standing(), P, "ok", "no synced folder"),
    (synced, standing("/home/agent"), P, "ok", ""),
    (synced, standing("/home/ann/Dropbox/agent"), P, "fail", "lies in /home/ann/Dropbox"),
    (synced, standing("/srv/agent", links={"/srv/agent": "/home/ann/OneDrive - Firm/a"}), P, "fail", "OneDrive - Firm"),
    (synced, standing("/srv/shared/agent", files=["/srv/shared/.stfolder"]), P, "fail", "lies in /srv/shared"),
    (
        synced,
        standing(folders=["/var/lib/docker"], links={"/var/lib/docker": "/srv/Nextcloud/docker"}),
        P,
        "fail",
        "/var/lib/docker lies in /srv/Nextcloud",
    ),
    (synced, standing(runs=Process(9, 1, "syncthing", ("/usr/bin/syncthing",), 1000)), P, "fail", "syncthing runs"),
    (synced, standing(runs=Process(9, 1, "python3", ("python3", "/opt/maestral"), 7)), P, "fail", "maestral runs"),
    (synced, FakeHost(files={"/etc/passwd": ""}, processes=()), P, "unknown", "hidden"),
    (synced, FakeHost(), P, "unknown", "not taught"),
    (linked, standing(), P, "ok", "none in /etc/hostkit, /var/lib/hostkit"),
    (linked, standing(links=links(a="/usr/lib/x", b="b", c="../../../srv/svc")), P, "ok", ""),
    (linked, standing(links=links(a="/home/ann/notes")), P, "fail", "/var/lib/hostkit/a leads to /home/ann/notes"),
    (linked, standing(links=links(a="../../../home/ann")), P, "fail", "a leads to /home/ann"),
    (linked, standing(links=links(a="/home")), P, "fail", "a leads to /home"),
    (linked, standing(links={**links(a="/srv/in/x"), "/srv/in": "/root"}), P, "fail", "a leads to /root/x"),
    (linked, standing(links={"/var/lib/hostkit": "/home/ann/hk"}), P, "fail", "/var/lib/hostkit leads to /home/ann/hk"),
    (linked, standing("/srv/agent", links={"/srv/agent/.ssh": "/home/ann/.ssh"}), P, "fail", ".ssh leads to"),
    (
        linked,
        standing(mounts=BIND.format("/home/ann", "/var/lib/hostkit/x")),
        P,
        "fail",
        "mounted there from /home/ann",
    ),
    (linked, standing(mounts=BIND.format("/srv/svc", "/var/lib/hostkit/x")), P, "ok", ""),
    (linked, standing(mounts=BIND.format("/home/ann", "/mnt/x")), P, "ok", ""),
    (linked, standing(mounts=HOMES.format("/ann/x")), P, "fail", "x is mounted there from /home/ann/x"),
    (linked, standing(mounts=HOMES.format("/")), P, "fail", "x is mounted there from /home"),
    (linked, standing(deep=["/var/lib/hostkit"]), P, "unknown", "more than 20000 entries"),
    (linked, standing(deep=["/etc/hostkit"], links=links(a="/root")), P, "fail", "a leads to /root"),
    (linked, FakeHost(), P, "unknown", "not taught"),
]


def laid(*lines):
    text = "".join(f"{n} 25 0:{n} / {place} {words} - tmpfs tmpfs rw\n" for n, (place, words) in enumerate(lines, 40))
    return FakeHost(files={INFO: ROOT + text})


TMP, SHM = ("/tmp", "rw,nosuid,nodev"), ("/dev/shm", "rw,nosuid,nodev,noexec")
CASES += [
    (options, laid(TMP, SHM), P, "ok", "programs run from /tmp"),
    (options, laid(SHM), P, "fail", "/tmp lies on /, without nosuid,nodev"),
    (options, laid(TMP, ("/dev/shm", "rw,nosuid")), P, "fail", "/dev/shm lies on /dev/shm, without nodev"),
    (options, laid(SHM, TMP, ("/tmp", "rw,nodev")), P, "fail", "/tmp lies on /tmp, without nosuid"),
    (options, FakeHost(files={INFO: ""}), P, "unknown", "does not show"),
    (options, FakeHost(files={INFO: "1 2 3\n"}), P, "unknown", "has a line that cannot be read"),
]
BROKEN = [
    Broken(
        synced,
        "kill $(cat /run/s.pid 2>/dev/null) 2>/dev/null || :; sleep 0.2",
        "ln -sf /bin/sleep /opt/syncthing; setsid /opt/syncthing 600 & echo $! > /run/s.pid; sleep 0.2",
        "syncthing runs",
    ),
    Broken(
        synced,
        "rm -f /var/lib/.stfolder; mkdir -p /var/lib/hostkit",
        "touch /var/lib/.stfolder",
        "/var/lib/hostkit lies in /var/lib",
    ),
    Broken(
        linked,
        "rm -rf /var/lib/hostkit/deep; mkdir -p /var/lib/hostkit/deep",
        "ln -s ../../../../home/admin /var/lib/hostkit/deep/x",
        "/var/lib/hostkit/deep/x leads to /home/admin",
    ),
    Broken(
        linked,
        "umount /var/lib/hostkit/bound 2>/dev/null || :; mkdir -p /var/lib/hostkit/bound",
        "mount --bind /home/admin /var/lib/hostkit/bound",
        "/var/lib/hostkit/bound is mounted there from /home/admin",
    ),
    Broken(
        options,
        "mount -o remount,nosuid,nodev /tmp; mount -o remount,nosuid,nodev /dev/shm",
        "mount -o remount,suid,nodev /dev/shm",
        "/dev/shm lies on /dev/shm, without nosuid",
    ),
]
