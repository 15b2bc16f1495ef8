"""What a Mac is before the plays, and what is refused before the first change: read, then judged."""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hostkit.bootstrap.guard import refuse_management, refuse_needed, refuse_path, refuse_sessions
from hostkit.bootstrap.mac.colima import MOUNTS_NOTHING, colima
from hostkit.errors import CannotTell, HostkitError
from hostkit.host import NO_SHELLS, Host, Login
from hostkit.host.apple import DSCL, brief, known, persons, printed, records
from hostkit.policy import Policy

RELEASES = range(13, 27)
"""The releases of macOS whose tools' answers hostkit knows: 13 to 15, and 26, which came after 15."""
SSHD = "/usr/libexec/sshd-keygen-wrapper"
"""The program by which launchd starts sshd; the firewall lets it in where this Mac is managed over SSH."""
_SSHD = "/usr/libexec/sshd-"
"""How the paths of sshd's own programs begin: from macOS 15 on there are three."""
_FIREWALL = "/usr/libexec/ApplicationFirewall/socketfilterfw"
LOCAL_KINDS = ("apfs", "cd9660", "devfs", "exfat", "hfs", "msdos", "ntfs", "nullfs", "tmpfs", "udf")
_UIDS = range(450, 500)
"""Where the agent's account gets its number: below 500, so that no login window shows it, and above Apple's own."""


@dataclass(frozen=True)
class Account:
    """An account of the directory: its number and its shell."""

    uid: int
    shell: str


@dataclass(frozen=True)
class Ground:
    """A Mac: its release, who may be here, what is mounted and let in, and where Colima is, with its version.

    `programs` are those that the application firewall lets be called; `shares` are mount points.
    """

    is_root: bool
    release: str
    addresses: Mapping[str, tuple[str, ...]]
    sessions: tuple[Login, ...]
    accounts: Mapping[str, Account]
    persons: tuple[str, ...]
    shares: tuple[str, ...]
    programs: tuple[str, ...]
    colima: str = ""
    colima_version: tuple[int, ...] = ()
    python: str = ""
    python_uid: int = 0
    homes: tuple[str, ...] = ()


def ground(host: Host) -> Ground:
    """Return what the plays must know of this Mac; raise CannotTell for what its tools do not say."""
    shells = records(host, "UserShell")
    numbers = {name: int(uid) for name, uid in records(host, "UniqueID").items()}
    place, version = colima(host)
    python = str(Path(sys.executable).resolve())
    owner = host.stat(python)
    return Ground(
        is_root=host.is_root,
        release=printed(host, "/usr/bin/sw_vers", "-productVersion").strip(),
        addresses=host.addresses(),
        sessions=host.ssh_sessions() if host.is_root else (),
        accounts={name: Account(uid, shells.get(name, "").strip()) for name, uid in numbers.items()},
        persons=persons(host),
        shares=_shares(printed(host, "/sbin/mount")),
        programs=programs(printed(host, _FIREWALL, "--listapps")),
        homes=tuple(records(host, "NFSHomeDirectory").values()),
        python=python,
        python_uid=owner.uid if owner else 0,
        colima=place,
        colima_version=version,
    )


def _shares(mounted: str) -> tuple[str, ...]:
    """Return the mount points of file systems of other machines, from mount's lines; the automounter's are none."""
    rows = [re.fullmatch(r"(.+) on (/.*) \(([^()]*)\)", line) for line in mounted.splitlines()]
    found = [(row[2], row[3].split(", ")) for row in rows if row]
    away = [
        place
        for place, kinds in found
        if kinds[0] != "autofs" and (kinds[0] not in LOCAL_KINDS or "local" not in kinds)
    ]
    return tuple(sorted(away, key=len, reverse=True))  # what is mounted on a mount goes first


def programs(listed: str) -> tuple[str, ...]:
    """Return what the application firewall lets be called, from its list: paths, and identifiers of Apple's.

    Raise CannotTell unless the list is whole: as many as it counts.
    """
    count = re.search(r"^Total number of apps = (\d+)\s*$", listed, re.MULTILINE)
    found = re.findall(r"^\d+ : (.+?)\s*\n\s*\(\s*(Allow|Block) incoming connections\s*\)", listed, re.MULTILINE)
    if count is None or int(count.group(1)) != len(found):
        raise CannotTell(f"the application firewall's list of programs is in a form that is not known: {brief(listed)}")
    return tuple(sorted({path for path, word in found if word == "Allow"}))


def let_in(policy: Policy, listed: Iterable[str]) -> tuple[str, ...]:
    """Return the programs that the firewall lets be called and that the policy does not call for.

    It calls for sshd where it names how this Mac is managed, and for the program of its VPN.
    """
    vpn = policy.host.vpn.kind if policy.host.vpn else ""
    meant = [
        path for path in listed if (policy.host.management and path.startswith(_SSHD)) or (vpn and vpn in path.lower())
    ]
    return tuple(path for path in listed if path not in meant)


def uid(policy: Policy, here: Ground) -> int:
    """Return the number that the agent's account has, or gets; raise HostkitError if none is free."""
    known_one = here.accounts.get(policy.host.account)
    taken = {account.uid for account in here.accounts.values()}
    free = next((number for number in _UIDS if number not in taken), None)
    if known_one is None and free is None:
        raise HostkitError("every number from 450 to 499 is some account's", "take one away that nobody needs")
    return known_one.uid if known_one else int(free or 0)


def refuse(policy: Policy, here: Ground, subjects: Iterable[str]) -> None:
    """Raise HostkitError for the first thing that would make the plays fail half way, or cut a live session."""
    if not here.is_root:
        raise HostkitError("bootstrap changes this host", "run it as root: sudo hostkit bootstrap")
    _refuse_release(here.release)
    refuse_path(policy.path)
    _refuse_python(here)
    _refuse_account(policy.host.account, here)
    if "vm" in subjects:
        _refuse_vm(policy, here)
    refuse_needed(here.shares, ("/Users", policy.path, here.python, *here.homes))
    refuse_management(policy, here.addresses)
    _refuse_tunnels(policy.host.management)
    refuse_sessions(policy, here.addresses, here.sessions)


def _refuse_release(release: str) -> None:
    major = known("sw_vers", release, r"^(\d+)(?:\.\d+)*$").group(1)
    if int(major) not in RELEASES:
        what = f"this is macOS {release}, and hostkit knows the tools of {RELEASES[0]} to {RELEASES[-1]}"
        raise HostkitError(what, "take a newer hostkit; hostkit check says what it can read")


def _refuse_python(here: Ground) -> None:
    """Raise HostkitError if root would run, every day, a Python that is somebody's: Homebrew's is its owner's."""
    if here.python_uid != 0:
        do = "install python.org's package, which is root's, and make hostkit's .venv anew with it: make dev PYTHON=…"
        raise HostkitError(f"{here.python} belongs to uid {here.python_uid}, and root would run it every day", do)


def _refuse_tunnels(names: tuple[str, ...]) -> None:
    """Raise HostkitError if only tunnels lead here: macOS numbers them anew at each start, and pf knows numbers."""
    if names and all(name.startswith("utun") for name in names):
        do = "name a wired or wireless interface besides, en0"
        raise HostkitError(f"host.management names {', '.join(names)}, which may be another tunnel after a start", do)


def _refuse_account(name: str, here: Ground) -> None:
    """Raise HostkitError if the play would take over the account of a person, or one of Apple's."""
    account = here.accounts.get(name)
    if account and (account.uid not in _UIDS or account.shell not in NO_SHELLS):
        what = f"host.account names {name}, which is somebody's account (uid {account.uid}, {account.shell})"
        raise HostkitError(what, "name one that is not there yet; bootstrap makes it, without shell or password")


def _refuse_vm(policy: Policy, here: Ground) -> None:
    if policy.host.vm != "colima":
        return
    if not here.colima:
        do = "brew install colima docker, as whoever has Homebrew; or say host.vm: none in the policy"
        raise HostkitError("Colima is not here", do)
    if here.colima_version < MOUNTS_NOTHING:
        shown = ".".join(map(str, here.colima_version)) or "of a version that its path does not tell"
        do = "brew upgrade colima: from 0.10 on it can be told to mount nothing"
        raise HostkitError(f"{here.colima} is {shown}", do)


def account_records(policy: Policy, number: int, home: str) -> list[dict[str, str]]:
    """Return what the directory must say of the account and its group, in the order in which it is written.

    A number below 500 and IsHidden keep it from the login window; with no AuthenticationAuthority nobody logs in.
    """
    user, group = f"/Users/{policy.host.account}", f"/Groups/{policy.host.account}"
    lines = [
        (group, "PrimaryGroupID", number), (group, "Password", "*"), (group, "RealName", "hostkit agents"),
        (user, "UniqueID", number), (user, "PrimaryGroupID", number), (user, "UserShell", "/usr/bin/false"),
        (user, "NFSHomeDirectory", home), (user, "IsHidden", 1), (user, "Password", "*"),
        (user, "RealName", "hostkit agents"),
    ]  # fmt: skip
    return [{"record": record, "key": key, "value": str(value)} for record, key, value in lines]


def entry(host: Host, name: str) -> str | None:
    """Return what tells an account from another one, None if there is none of that name."""
    said = host.ask(DSCL, ".", "-read", f"/Users/{name}", "UniqueID", "PrimaryGroupID", "UserShell", "NFSHomeDirectory")
    if "(eDSRecordNotFound)" in said.both:
        return None
    if said.code != 0:
        raise CannotTell(f"dscl did not tell of {name}: {said.err.strip()[:100]}")
    return " ".join(sorted(line.strip() for line in said.out.splitlines()))
