from hostkit.posture.checks import macmounts as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import erred, mac, recorded

P = make_policy()
CLEAN, SHARES = recorded("mount-clean.txt"), recorded("mount-network.txt")
STOCK = "#\n+auto_master\t\t# Use directory service\n#/net\t\t-hosts\n/home\tauto_home\t-nobrowse\n/-\t-static\n"


def mounted(more="", said=CLEAN, **files):
    return mac({("/sbin/mount",): said + more}, {f"/etc/{name}": text for name, text in files.items()})


CASES = [
    (subject.nothing_shared_is_mounted, mounted(), P, "ok", "2 mounted, all local"),
    (subject.nothing_shared_is_mounted, mounted(said=SHARES), P, "fail", "on /Volumes/Team Share (smbfs)"),
    (subject.nothing_shared_is_mounted, mounted(said=SHARES), P, "fail", "(nfs)"),
    (subject.nothing_shared_is_mounted, mounted(said=SHARES), P, "fail", "(webdav)"),
    (
        subject.nothing_shared_is_mounted,
        mounted("//x/a on b (apfs, local) on /Volumes/a on b (apfs, local) (smbfs, nodev)\n"),
        P,
        "fail",
        "(smbfs)",
    ),
    (
        subject.nothing_shared_is_mounted,
        mounted("ann@far: on /Users/ann/far (macfuse, local)\n"),
        P,
        "fail",
        "(macfuse)",
    ),
    (subject.nothing_shared_is_mounted, mounted("//x/y on /Volumes/y (apfs, nodev)\n"), P, "fail", "/Volumes/y (apfs)"),
    (
        subject.nothing_shared_is_mounted,
        mounted("//x/y on /Volumes/y (apfs, local)\nz on /Volumes/y (smbfs, nodev)\n"),
        P,
        "fail",
        "(smbfs)",
    ),
    (subject.nothing_shared_is_mounted, mounted("//x/y on /Volumes/y\n (smbfs)\n"), P, "unknown", "form that is not"),
    (subject.nothing_shared_is_mounted, mounted(said=""), P, "unknown", "mount said nothing"),
    (subject.nothing_shared_is_mounted, mounted(said=erred("systemsetup-noroot.txt").err), P, "unknown", "mount said"),
    (subject.nothing_shared_mounts_itself, mounted(), P, "ok", "what macOS ships"),
    (
        subject.nothing_shared_mounts_itself,
        mounted("map -static on /x (utofs, automounted)\n"),
        P,
        "unknown",
        "is of a kind that is not known",
    ),
    (subject.nothing_shared_mounts_itself, mounted(auto_master=STOCK, fstab="# none\n"), P, "ok", "what macOS ships"),
    (subject.nothing_shared_mounts_itself, mounted(said=SHARES), P, "fail", "map -static on /System/Volumes/Data/data"),
    (subject.nothing_shared_mounts_itself, mounted(auto_master=STOCK + "/net -hosts\n"), P, "fail", "/net -hosts in"),
    (subject.nothing_shared_mounts_itself, mounted(auto_master="/home auto_evil\n"), P, "fail", "/home auto_evil"),
    (subject.nothing_shared_mounts_itself, mounted(fstab="nas:/x /x nfs rw 0 0\n"), P, "fail", "in /etc/fstab"),
    (subject.nothing_shared_mounts_itself, mounted(said=""), P, "unknown", "mount said nothing"),
]
