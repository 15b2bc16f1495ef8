"""The disks: what a thief would read, what fills them, what is plugged in, what the machine starts from."""

import json
from pathlib import PurePosixPath

from hostkit.bootstrap.engine import FILE
from hostkit.errors import CannotTell
from hostkit.host import Host, globbed
from hostkit.policy import Policy
from hostkit.posture.files import closing, writable
from hostkit.posture.model import Verdict, check, every, fail, ok
from hostkit.posture.readings import in_container, mounted


@check(
    "disk-encryption",
    severity="medium",
    why="A Mini or a small server is carried away in a bag.",
    fix="Reinstall on LUKS; hostkit does not change disks.",
    references=("NIST SP 800-53 SC-28",),
)
def root_is_encrypted(host: Host, policy: Policy) -> Verdict:
    """The root file system lies on an encrypted device."""
    source = _device_of(host, "/")
    if not source.startswith("/dev/"):
        return fail(f"/ is on {source or 'nothing'}, no device to look below")
    kinds = _below(host, source)
    return ok(f"{source} on crypt") if "crypt" in kinds else fail(f"{source} is on {', '.join(dict.fromkeys(kinds))}")


def _device_of(host: Host, path: str) -> str:
    """Return what the file system of a path is mounted from."""
    holding = [(place, source) for place, _, source in mounted(host) if PurePosixPath(path).is_relative_to(place)]
    # Of two mounts at one place the later one is seen, and `max` keeps the first.
    return max(reversed(holding), key=lambda entry: len(entry[0]), default=("", ""))[1]


def _below(host: Host, device: str) -> list[str]:
    """Return the kinds of a device and of all that it lies on, such as crypt, part, disk."""
    return host.run("lsblk", "--noheadings", "--inverse", "--output", "TYPE", device).split()


@check(
    "disk-swap",
    severity="low",
    why="Secrets in memory end up on the disk.",
    fix="Encrypt swap with a random key (crypttab), use zram, or turn it off.",
)
def swap_is_off_or_encrypted(host: Host, policy: Policy) -> Verdict:
    """Swap is off, in memory, or on an encrypted device."""
    areas = [line.split()[0] for line in host.read("/proc/swaps").splitlines()[1:]]
    disks = [area for area in areas if not area.startswith("/dev/zram")]
    return every([area for area in disks if not _is_encrypted(host, area)], ", ".join(areas) or "no swap")


def _is_encrypted(host: Host, area: str) -> bool:
    """Return whether a swap area lies on an encrypted device; a swap file lies on its file system's."""
    device = area if area.startswith("/dev/") else _device_of(host, area)
    if not device.startswith("/dev/"):
        raise CannotTell(f"what {area} lies on cannot be seen: {device or 'nothing'}", f"findmnt -T {area}")
    return "crypt" in _below(host, device)


_GIB = 1024 * 1024 * 1024
_ENOUGH, _PART, _LEAST = 5 * _GIB, 10, 256 * 1024 * 1024


@check(
    "disk-space",
    severity="medium",
    unhardened="ok fail unknown",
    why="On a full disk records end, updates stop half way, and a gateway closes.",
    fix="docker system df and journalctl --disk-usage tell what fills it; docker image prune, apt-get clean.",
    references=("NIST SP 800-53 AU-4",),
)
def there_is_room(host: Host, policy: Policy) -> Verdict:
    """The disks under /, /var, /boot and the engine have room: a tenth, or five gigabytes, and files to spare."""
    places = [place for place in ("/", "/boot", "/var", "/var/log", *_engine_roots(host)) if host.stat(place)]
    spaces = {space: place for place in reversed(places) if (space := host.space(place)).total}
    if not spaces:
        raise CannotTell("no file system tells its size", "df -h")
    faults = []
    for space, place in reversed(spaces.items()):
        # A small boot disk never has a gigabyte, a large one needs no tenth.
        wanted = max(min(space.total // _PART, _ENOUGH), 0 if place == "/boot" else _LEAST)
        faults += [f"{place} has {_shown(space.free)} left of {_shown(space.total)}"] if space.free < wanted else []
        few = space.files and space.free_files * 20 < space.files
        faults += [f"{place} has room for {space.free_files} more files"] if few else []
    return every(faults, ", ".join(f"{place} {_shown(space.free)}" for space, place in reversed(spaces.items())))


def _engine_roots(host: Host) -> list[str]:
    """Return where the engine keeps its images: as its settings say, else where it does by default."""
    try:
        plain = json.loads(host.read(FILE)) if host.stat(FILE) else {}
    except (ValueError, RecursionError) as why:
        raise CannotTell(f"{FILE} is not JSON: {why}", f"cat {FILE}") from None
    named = plain.get("data-root") if isinstance(plain, dict) else None
    return [named if isinstance(named, str) else "/var/lib/docker", "/var/lib/containerd"]


def _shown(size: int) -> str:
    return f"{size / _GIB:.1f} GiB" if size >= _GIB else f"{size // (1024 * 1024)} MiB"


_MOST = 4096
_MOUNTERS = ("udisks2.service", "autofs.service")


@check(
    "disk-removable",
    severity="medium",
    unhardened="ok fail unknown",
    why="A stick carries files in and out past every gateway, and what mounts it reads whatever it claims to be.",
    fix="Pull it out; systemctl disable --now udisks2 (or mask it).",
    references=("NIST SP 800-53 MP-7",),
)
def nothing_removable_is_plugged_in(host: Host, policy: Policy) -> Verdict:
    """No USB or other removable disk is plugged in but the one that this machine runs from, and nothing mounts one."""
    said = host.run("systemctl", "show", "-P", "ActiveState", *_MOUNTERS).split()
    if len(said) != len(_MOUNTERS):
        raise CannotTell("systemctl does not tell what mounts disks", f"systemctl status {' '.join(_MOUNTERS)}")
    faults = [
        f"{unit} mounts what is plugged in" for unit, state in zip(_MOUNTERS, said, strict=False) if state == "active"
    ]
    if in_container(host):
        return every(faults, "nothing mounts one; the plugs are the machine's around this container")
    links = {PurePosixPath(path).name: host.link(path) or "" for path in host.glob("/sys/block/*")}
    if len(links) > _MOST:
        raise CannotTell(f"{len(links)} block devices are too many to look at", "lsblk -S")
    found = [name for name, link in links.items() if _is_plugged(host, name, link)]
    own = sorted(_root_disks(host) & set(found))
    ways = {name: "USB" if "/usb" in links[name] else "removable" for name in found if name not in own}
    faults += [f"{name} is plugged in ({way})" for name, way in ways.items()]
    return every(faults, f"{len(links)} block devices{f', it runs from {own[0]}' if own else ''}")


def _is_plugged(host: Host, name: str, link: str) -> bool:
    """Return whether a disk with something in it may be pulled out; a drive without a medium holds nothing."""
    size, removable = (host.read(f"/sys/block/{name}/{word}").strip() for word in ("size", "removable"))
    if not size.isdigit() or removable not in {"0", "1"}:
        raise CannotTell(f"the kernel does not tell what {name} is", f"grep . /sys/block/{name}/removable")
    return size != "0" and ("/usb" in link or removable == "1")


def _root_disks(host: Host) -> set[str]:
    """Return the disks below / and /boot, by name."""
    sources = {source for place, _, source in mounted(host) if place in {"/", "/boot"} and source.startswith("/dev/")}
    return {
        word
        for source in sources
        for word in host.run("lsblk", "--noheadings", "--inverse", "--list", "--output", "NAME", source).split()
    }


_BOOT = ("/boot", "/boot/*", "/boot/grub/*", "/boot/loader/*", "/boot/loader/entries/*", "/boot/efi/EFI/*/*",
         "/etc/default/grub", "/etc/default/grub.d/*", "/etc/grub.d/*", "/etc/kernel/*", "/etc/kernel/*/*",
         "/etc/initramfs-tools/*", "/etc/initramfs-tools/*/*")  # fmt: skip


@check(
    "disk-boot",
    severity="medium",
    unhardened="ok fail unknown",
    why="Who writes what the machine starts from is root at the next start, below every check.",
    fix="chown root and chmod go-w the files that are named; chmod 0600 /boot/grub/grub.cfg where it holds a password.",
    mend=lambda host, _: closing(host, globbed(host, _BOOT)),
    references=("CIS Debian 12 1.4.2", "NIST SP 800-53 AC-3"),
)
def only_root_changes_what_boots(host: Host, policy: Policy) -> Verdict:
    """Only root changes what this machine starts from, and nobody else reads the boot loader's password."""
    if host.stat("/boot") is None:
        raise CannotTell("there is no /boot: where this machine starts from is not known", "findmnt /boot")
    paths = globbed(host, _BOOT)
    secret = [path for path in ("/boot/grub/grub.cfg", "/boot/grub/user.cfg") if _tells_password(host, path)]
    return every([*writable(host, paths), *(f"{path} shows its password" for path in secret)], f"{len(paths)} files")


def _tells_password(host: Host, path: str) -> bool:
    facts = host.stat(path)
    if facts is None or not facts.mode & 0o044:
        return False
    return "password_pbkdf2" in host.read(path) or "GRUB2_PASSWORD" in host.read(path)
