from hostkit.bootstrap.plays import distribution
from hostkit.posture.checks import mounts as subject
from tests.conftest import FakeHost, make_policy

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
