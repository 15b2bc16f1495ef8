"""The system as a whole: who still mends it, what it starts, what it loads into everything, what runs by the clock."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from hostkit.errors import CannotTell
from hostkit.host import Host, globbed
from hostkit.policy import Policy
from hostkit.posture.files import MOST, closing, writable
from hostkit.posture.model import Verdict, check, every, fail, ok, skip
from hostkit.posture.readings import in_container
from hostkit.posture.releases import SUPPORTED


@check(
    "system-release",
    severity="high",
    unhardened="ok fail unknown",
    why="A distribution that nobody mends any more keeps every hole that is found from then on.",
    fix="Upgrade to a release that is still supported (Debian 13, Ubuntu 24.04), then hostkit bootstrap again.",
    references=("NIST SP 800-53 SA-22",),
)
def the_distribution_is_supported(host: Host, policy: Policy) -> Verdict:
    """The makers of this distribution's release still publish security updates for it."""
    lines = [line.partition("=") for line in host.read("/etc/os-release").splitlines()]
    told = {key.strip(): value.strip().strip("\"'") for key, _, value in lines}
    name = f"{told.get('ID', '')}-{told.get('VERSION_ID', '')}"
    if name not in SUPPORTED:
        raise CannotTell(f"hostkit does not know until when {name[:60]!r} is supported", "see its makers' own pages")
    last = SUPPORTED[name]
    return ok(f"{name} until {last}") if datetime.now(UTC).date() <= last else fail(f"{name} ended on {last}")


_EFI = "/sys/firmware/efi"
_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


@check(
    "system-secureboot",
    severity="medium",
    unhardened="ok fail skip unknown",
    why="Whoever holds the machine for a minute starts a kernel of their own, and it looks like yours.",
    fix="Turn Secure Boot on in the firmware's setup, with its keys enrolled (mokutil --sb-state).",
    references=("NIST SP 800-53 SI-7(9)",),
)
def only_signed_code_boots(host: Host, policy: Policy) -> Verdict:
    """The firmware started signed code only, by keys that nobody may replace."""
    if in_container(host):
        return skip("the firmware is the machine's around this container")
    if host.stat(_EFI) is None:
        return fail("this machine was not started by UEFI, which alone has Secure Boot")
    secure, setup = (_variable(host, name) for name in ("SecureBoot", "SetupMode"))
    if secure is None:
        raise CannotTell(
            f"{_EFI}/efivars tells nothing of Secure Boot", "mount -t efivarfs none /sys/firmware/efi/efivars"
        )
    faults = [] if secure == 1 else ["Secure Boot is off"]
    return every([*faults, *(["its keys may be replaced (setup mode)"] if setup == 1 else [])], "Secure Boot is on")


def _variable(host: Host, name: str) -> int | None:
    """Return the one byte that follows a variable's four of attributes, None where it is not there."""
    path = f"{_EFI}/efivars/{name}-{_GLOBAL}"
    if host.stat(path) is None:
        return None
    content = host.read(path)
    if len(content) != 5:
        raise CannotTell(f"{path} holds {len(content)} bytes, not 5", f"od -An -t u1 {path}")
    return ord(content[4])


_LINKER = "/etc/ld.so.preload"
_ENVIRONMENTS = ("/etc/environment", "/etc/environment.d/*.conf", "/etc/default/*", "/etc/profile.d/*.sh",
                 "/etc/systemd/system.conf", "/etc/systemd/system.conf.d/*.conf", "/etc/systemd/system/*.service",
                 "/etc/systemd/system/*.d/*.conf", "/run/systemd/system/*.service", "/run/systemd/system/*.d/*.conf",
                 "/usr/lib/systemd/system/*.d/*.conf", "/usr/local/lib/systemd/system/*.service",
                 "/etc/systemd/system.control/*.d/*.conf")  # fmt: skip
_PRELOADS = re.compile(r"(?m)^[ \t]*[^#;\s][^\n]*?\bLD_(?:PRELOAD|AUDIT)=|^[ \t]*LD_(?:PRELOAD|AUDIT)=")


@check(
    "system-preload",
    severity="high",
    unhardened="ok fail unknown",
    why="What is loaded into every program sees every password typed and hides itself from every check, this one too.",
    fix="Find which package the library belongs to (dpkg -S); where none is, treat this machine as taken.",
    references=("NIST SP 800-53 SI-7",),
)
def nothing_is_loaded_into_every_program(host: Host, policy: Policy) -> Verdict:
    """No library is loaded into every program or into a service before its own."""
    faults = [f"{_LINKER} names {words[0][:80]}" for words in [_named(host, _LINKER)] if words]
    paths = globbed(host, _ENVIRONMENTS)
    if len(paths) > MOST:
        raise CannotTell(f"{len(paths)} files of services are too many to read", "grep -r LD_PRELOAD /etc/systemd")
    files = [path for path in paths if (facts := host.stat(path)) and facts.kind == "file"]
    faults += [f"{path} sets LD_PRELOAD" for path in files if _PRELOADS.search(host.read(path))]
    return every(faults, f"{_LINKER} is empty, and {len(files)} files of services set none")


def _named(host: Host, path: str) -> list[str]:
    """Return the words of a file that are no comment, none where it is not there."""
    text = host.read(path) if host.stat(path) else ""
    return re.sub(r"(?m)#.*$", "", text).replace(":", " ").split()


_SLEEPS = ("sleep.target", "suspend.target", "hibernate.target", "hybrid-sleep.target")


@check(
    "system-sleep",
    severity="low",
    unhardened="ok fail unknown",
    why="A machine that sleeps renews no certificate, runs no check, and misses what its agent was to answer.",
    fix="systemctl mask sleep.target suspend.target hibernate.target hybrid-sleep.target",
    mend=lambda _, __: (("systemctl", "mask", "--", *_SLEEPS),),
    references=("NIST SP 800-53 CP-10",),
)
def this_machine_does_not_sleep(host: Host, policy: Policy) -> Verdict:
    """Nothing puts this machine to sleep: neither a lid, nor a key, nor idleness, nor a program."""
    said = host.run("systemctl", "show", "-P", "LoadState", *_SLEEPS).split()
    states = dict(zip(_SLEEPS, said, strict=False))
    if len(said) != len(_SLEEPS):
        raise CannotTell("systemctl tells nothing of the targets", "systemctl status sleep.target")
    awake = [name for name, state in states.items() if state not in {"masked", "not-found"}]
    return every([f"{name} is not masked" for name in awake], "all ways to sleep are masked")


_CRON = ("/etc/crontab", "/etc/anacrontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
         "/etc/cron.monthly", "/etc/cron.d/*", "/etc/cron.hourly/*", "/etc/cron.daily/*", "/etc/cron.weekly/*",
         "/etc/cron.monthly/*", "/etc/systemd/system", "/etc/systemd/system/*", "/etc/systemd/system/*.d/*",
         "/etc/rc.local", "/etc/init.d/*", "/etc/profile.d/*", "/etc/profile", "/etc/bash.bashrc")  # fmt: skip
_TABLES = "/var/spool/cron/crontabs"


@check(
    "system-cron",
    severity="high",
    unhardened="ok fail unknown",
    why="A line in a table of root's is how whoever was root for a minute comes back every night.",
    fix="chown root and chmod go-w the files that are named; crontab -u ACCOUNT -r for the agent's own table.",
    mend=lambda host, _: closing(host, globbed(host, _CRON)),
    references=("CIS Debian 12 2.4.1.2", "CIS Debian 12 2.4.1.7", "NIST SP 800-53 CM-6"),
)
def only_root_plans_what_runs(host: Host, policy: Policy) -> Verdict:
    """Only root changes what runs by the clock, at boot or at login, and the agent's account plans nothing."""
    paths = globbed(host, _CRON)
    if len(paths) > MOST:
        raise CannotTell(f"{len(paths)} files are too many to look at", "ls -l /etc/cron.* /etc/systemd/system")
    faults = writable(host, paths)
    if host.stat(_TABLES) is not None:
        if not host.is_root:
            raise CannotTell(f"{_TABLES} is root's to read", "sudo hostkit check")
        faults += _tables(host, policy.host.account)
    return every(faults, f"{len(paths)} files")


def _tables(host: Host, account: str) -> Iterable[str]:
    """Return what is wrong with the tables of accounts: open to others, or the agent's own."""
    facts = {path: found for path in host.glob(f"{_TABLES}/*") if (found := host.stat(path))}
    yield from (f"{path}: mode {found.mode:04o}" for path, found in facts.items() if found.mode & 0o077)
    yield from (f"{path} is the agent's own" for path in facts if path == f"{_TABLES}/{account}")
