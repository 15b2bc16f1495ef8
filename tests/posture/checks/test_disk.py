from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Space
from hostkit.posture.checks import disk as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
INFO = "/proc/self/mountinfo"
HEAD = "Filename Type Size Used Priority\n"


def root(source, kinds=None):
    asked = {("lsblk", "--noheadings", "--inverse", "--output", "TYPE", source): kinds}
    return FakeHost(asked, files={INFO: f"25 1 8:1 / / rw - ext4 {source} rw\n"})


def swap(line="", kinds=None, device="", mounts=""):
    device = device or (line.split()[0] if line else "")
    asked = {("lsblk", "--noheadings", "--inverse", "--output", "TYPE", device): kinds}
    return FakeHost(asked, files={"/proc/swaps": HEAD + line, INFO: mounts})


FILE_SYSTEMS = "".join(f"2{n} 1 8:{n} / {place} rw - ext4 {source} rw\n" for n, (place, source) in enumerate(
    (("/", "/dev/sda1"), ("/var", "/dev/mapper/var"), ("/var/tmp", "tmpfs"))))  # fmt: skip


GIB = 1024**3
FOLDER, FILE = FileFacts(0o755, 0, 0, "directory"), FileFacts(0o644, 0, 0, "file")
ROOM, PLUGGED, BOOT = (
    subject.there_is_room,
    subject.nothing_removable_is_plugged_in,
    subject.only_root_changes_what_boots,
)
DAEMON = "/etc/docker/daemon.json"


def room(spaces, daemon=""):
    files = {DAEMON: daemon} if daemon else {}
    return FakeHost(files=files, facts=dict.fromkeys(spaces, FOLDER), spaces=spaces)


BIG = Space(500 * GIB, 300 * GIB, 1000, 900)
SMALL = Space(GIB // 2, GIB // 10)
ROOM_CASES = [
    (ROOM, room({"/": BIG, "/var": BIG}), P, "ok", "/ 300.0 GiB"),
    (ROOM, room({"/": Space(500 * GIB, 6 * GIB)}), P, "ok", "/ 6.0 GiB"),
    (ROOM, room({"/": Space(500 * GIB, 4 * GIB)}), P, "fail", "/ has 4.0 GiB left of 500.0 GiB"),
    (ROOM, room({"/": Space(3 * GIB, GIB // 10)}), P, "fail", "/ has 102 MiB left"),
    (ROOM, room({"/": BIG, "/boot": SMALL}), P, "ok", "/boot 102 MiB"),
    (ROOM, room({"/": BIG, "/boot": Space(GIB // 2, GIB // 100)}), P, "fail", "/boot has 10 MiB"),
    (ROOM, room({"/": Space(500 * GIB, 300 * GIB, 1000, 40)}), P, "fail", "room for 40 more files"),
    (
        ROOM,
        room({"/": BIG, "/srv/docker": Space(9 * GIB, 0)}, '{"data-root": "/srv/docker"}'),
        P,
        "fail",
        "/srv/docker",
    ),
    (ROOM, room({"/": BIG}, "[" * 500_000), P, "unknown", "is not JSON"),
    (ROOM, room({"/": BIG}, "{"), P, "unknown", "is not JSON"),
    (ROOM, room({"/": Space(0, 0)}), P, "unknown", "no file system tells"),
    (ROOM, FakeHost(facts={"/": FOLDER}), P, "unknown", "not taught"),
]
MOUNTERS = ("systemctl", "show", "-P", "ActiveState", "udisks2.service", "autofs.service")
LSBLK = ("lsblk", "--noheadings", "--inverse", "--list", "--output", "NAME", "/dev/sda1")


def plugs(mounter="inactive", inside=(), **disks):
    """Return a host with these disks, each (where it hangs, removable, size)."""
    files = {INFO: "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n", **dict.fromkeys(inside, "lxc")}
    for name, (_, removable, size) in disks.items():
        files |= {f"/sys/block/{name}/removable": f"{removable}\n", f"/sys/block/{name}/size": f"{size}\n"}
    links = {f"/sys/block/{name}": f"../devices/{where}/block/{name}" for name, (where, *_) in disks.items()}
    commands = {MOUNTERS: f"{mounter}\n\ninactive\n", LSBLK: "sda1\nsda\n"}
    return FakeHost(commands, files=files, facts=dict.fromkeys(links, FileFacts(0o777, 0, 0, "link")), links=links)


SDA, USB = ("pci0/ata1", 0, 900), ("pci0/usb2/2-1", 0, 900)
PLUGGED_CASES = [
    (PLUGGED, plugs(sda=SDA, loop0=("virtual", 0, 9)), P, "ok", "2 block devices"),
    (PLUGGED, plugs(sda=SDA, sdb=USB), P, "fail", "sdb is plugged in (USB)"),
    (PLUGGED, plugs(sda=USB), P, "ok", "it runs from sda"),
    (PLUGGED, plugs(sda=SDA, mmcblk0=("pci0/sd", 1, 900)), P, "fail", "mmcblk0 is plugged in (removable)"),
    (PLUGGED, plugs(sda=SDA, sdc=("pci0/usb1/card", 1, 0), sr0=("pci0/ata2", 1, 0)), P, "ok", "3 block devices"),
    (PLUGGED, plugs("active", sda=SDA), P, "fail", "udisks2.service mounts what is plugged in"),
    (PLUGGED, plugs("active", ["/run/systemd/container"]), P, "fail", "udisks2.service"),
    (PLUGGED, plugs(inside=["/run/systemd/container"], sdb=USB), P, "ok", "around this container"),
    (PLUGGED, plugs(sda=("pci0/ata1", "", 900)), P, "unknown", "does not tell what sda is"),
    (PLUGGED, FakeHost({MOUNTERS: "\n"}), P, "unknown", "does not tell what mounts"),
    (PLUGGED, FakeHost(), P, "unknown", "not taught"),
]
GRUB = "/boot/grub/grub.cfg"


def boot(text="linux /vmlinuz", **facts):
    return FakeHost(files={GRUB: text}, facts={"/boot": FOLDER, GRUB: FILE, **facts})


class NoBoot(FakeHost):
    def stat(self, path):
        raise CannotTell(f"{path}: Permission denied")


BOOT_CASES = [
    (BOOT, boot(), P, "ok", "2 files"),
    (BOOT, boot(**{"/boot": FileFacts(0o775, 0, 27, "directory")}), P, "fail", "/boot: owner 0, mode 0775"),
    (BOOT, boot(**{"/boot/vmlinuz-6": FileFacts(0o644, 1000, 0, "file")}), P, "fail", "vmlinuz-6: owner 1000"),
    (BOOT, boot(**{"/boot/vmlinuz": FileFacts(0o777, 0, 0, "link")}), P, "ok", "3 files"),
    (BOOT, boot("password_pbkdf2 admin grub.pbkdf2.sha512"), P, "fail", "grub.cfg shows its password"),
    (BOOT, boot("password_pbkdf2 a", **{GRUB: FileFacts(0o600, 0, 0, "file")}), P, "ok", "2 files"),
    (BOOT, NoBoot(), P, "unknown", "Permission denied"),
    (BOOT, FakeHost(), P, "unknown", "there is no /boot"),
]
CASES = [
    *ROOM_CASES,
    *PLUGGED_CASES,
    *BOOT_CASES,
    (subject.root_is_encrypted, root("/dev/mapper/root", "lvm\ncrypt\npart\ndisk\n"), P, "ok", "on crypt"),
    (subject.root_is_encrypted, root("/dev/sda1", "part\ndisk\n"), P, "fail", "part, disk"),
    (subject.root_is_encrypted, root("overlay"), P, "fail", "/ is on overlay"),
    (subject.root_is_encrypted, root("/dev/sda1"), P, "unknown", "not taught"),
    (subject.swap_is_off_or_encrypted, swap(), P, "ok", "no swap"),
    (subject.swap_is_off_or_encrypted, swap("/dev/zram0 partition 1 0 5\n"), P, "ok", "/dev/zram0"),
    (subject.swap_is_off_or_encrypted, swap("/dev/dm-1 partition 1 0 5\n", "crypt\ndisk\n"), P, "ok", ""),
    (subject.swap_is_off_or_encrypted, swap("/dev/sda2 partition 1 0 5\n", "part\n"), P, "fail", "/dev/sda2"),
    (
        subject.swap_is_off_or_encrypted,
        swap("/var/swap file 9 0 -2\n", "crypt\ndisk\n", "/dev/mapper/var", FILE_SYSTEMS),
        P,
        "ok",
        "/var/swap",
    ),
    (
        subject.swap_is_off_or_encrypted,
        swap("/swap.img file 9 0 -2\n", "part\ndisk\n", "/dev/sda1", FILE_SYSTEMS),
        P,
        "fail",
        "/swap.img",
    ),
    (
        subject.swap_is_off_or_encrypted,
        swap("/var/tmp/swap file 9 0 -2\n", None, "none", FILE_SYSTEMS),
        P,
        "unknown",
        "what /var/tmp/swap lies on cannot be seen: tmpfs",
    ),
    (subject.swap_is_off_or_encrypted, FakeHost(), P, "unknown", "not taught"),
]

STICK = "/etc/systemd/system/udisks2.service"
UDISKS = f"printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >{STICK}; systemctl daemon-reload"
SMALL_DISK = "mountpoint -q /var/lib/docker || mount -t tmpfs -o size=400m,mode=0710 tmpfs /var/lib/docker"
ENCRYPTED = """
test -e /dev/mapper/safe || (
  modprobe -a loop dm-crypt
  truncate -s 64M /safe.img
  device=$(losetup -f --show /safe.img)
  key=$(head -c 64 /dev/urandom | od -An -tx1 | tr -d ' \\n')
  dmsetup create safe --uuid CRYPT-PLAIN-safe --table "0 131072 crypt aes-xts-plain64 $key 0 $device 0"
  mkfs.ext4 -q /dev/mapper/safe
  mkdir /safe
  mount /dev/mapper/safe /safe
  cp -a /bin /lib /lib64 /sbin /safe/ 2>/dev/null || :
  for name in dev etc home opt proc root run sys tmp usr var; do mkdir /safe/$name; done
)
cat >/usr/local/bin/hostkit.below <<'END'
set -e
for name in dev etc home opt proc root run sys tmp usr var; do mount --rbind /$name /safe/$name; done
cd /safe
mkdir -p below
pivot_root . below
umount -l /below
exec /opt/hostkit/.venv/bin/hostkit "$@"
END
printf '#!/bin/sh\\nexec unshare --mount sh /usr/local/bin/hostkit.below "$@"\\n' >/usr/local/bin/hostkit.safe
chmod 0755 /usr/local/bin/hostkit.safe
ln -sf /usr/local/bin/hostkit.safe /usr/local/bin/hostkit
"""
"""hostkit runs where the root file system lies on a device of the kernel's dm-crypt, all else bound into it."""
BROKEN = [
    Broken(
        subject.root_is_encrypted, ENCRYPTED, "ln -sf /opt/hostkit/.venv/bin/hostkit /usr/local/bin/hostkit",
        "is on disk", where="vm",
    ),
    Broken(
        subject.swap_is_off_or_encrypted, "swapoff -a; rm -f /swap.file",
        "fallocate -l 4M /swap.file; chmod 0600 /swap.file; mkswap -q /swap.file; swapon /swap.file", "/swap.file",
        where="vm",
    ),
    Broken(
        ROOM, f"mkdir -p /var/lib/docker; {SMALL_DISK}; rm -f /var/lib/docker/fill",
        "fallocate -l 200M /var/lib/docker/fill", "/var/lib/docker has 200 MiB left of 400 MiB",
    ),
    Broken(PLUGGED, f"{UDISKS}; systemctl stop udisks2", "systemctl start udisks2", "udisks2.service mounts"),
    Broken(BOOT, "touch /boot/vmlinuz; chmod 0644 /boot/vmlinuz*", "chmod 0666 /boot/vmlinuz", "mode 0666"),
    Broken(
        BOOT, "mkdir -p /boot/grub; echo password_pbkdf2 admin x >/boot/grub/user.cfg; chmod 0600 /boot/grub/user.cfg",
        "chmod 0644 /boot/grub/user.cfg", "user.cfg shows its password",
    ),
]  # fmt: skip
