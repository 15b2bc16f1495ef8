from hostkit.posture.checks import disk as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
INFO = "/proc/self/mountinfo"
HEAD = "Filename Type Size Used Priority\n"


def root(source, kinds=None):
    asked = {("lsblk", "--noheadings", "--inverse", "--output", "TYPE", source): kinds}
    return FakeHost(asked, files={INFO: f"25 1 8:1 / / rw - ext4 {source} rw\n"})


def swap(line="", kinds=None):
    asked = {("lsblk", "--noheadings", "--inverse", "--output", "TYPE", line.split()[0] if line else ""): kinds}
    return FakeHost(asked, files={"/proc/swaps": HEAD + line})


CASES = [
    (subject.root_is_encrypted, root("/dev/mapper/root", "lvm\ncrypt\npart\ndisk\n"), P, "ok", "on crypt"),
    (subject.root_is_encrypted, root("/dev/sda1", "part\ndisk\n"), P, "fail", "part, disk"),
    (subject.root_is_encrypted, root("overlay"), P, "fail", "/ is on overlay"),
    (subject.root_is_encrypted, root("/dev/sda1"), P, "unknown", "not taught"),
    (subject.swap_is_off_or_encrypted, swap(), P, "ok", "no swap"),
    (subject.swap_is_off_or_encrypted, swap("/dev/zram0 partition 1 0 5\n"), P, "ok", "/dev/zram0"),
    (subject.swap_is_off_or_encrypted, swap("/dev/dm-1 partition 1 0 5\n", "crypt\ndisk\n"), P, "ok", ""),
    (subject.swap_is_off_or_encrypted, swap("/dev/sda2 partition 1 0 5\n", "part\n"), P, "fail", "/dev/sda2"),
    (subject.swap_is_off_or_encrypted, FakeHost(), P, "unknown", "not taught"),
]
