"""Whether this machine mends itself."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from hostkit.errors import CannotTell
from hostkit.host import Host, apt_sources, globbed
from hostkit.policy import Policy
from hostkit.posture.files import closing, writable
from hostkit.posture.model import Verdict, check, every, fail, ok, skip
from hostkit.posture.readings import once
from hostkit.posture.versions import older

_TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")


@check(
    "updates-automatic",
    severity="medium",
    why="An always-on machine that nobody looks at is patched by itself or not at all.",
    fix="hostkit bootstrap (play 40-updates).",
    play="40-updates",
    references=("NIST SP 800-53 SI-2",),
)
def security_updates_install_themselves(host: Host, policy: Policy) -> Verdict:
    """Security updates are installed without anybody asking."""
    said = host.run("apt-config", "dump", "--format", "%f %v%n", "APT::Periodic::Unattended-Upgrade")
    wanted = dict(line.partition(" ")[::2] for line in said.splitlines()).get("APT::Periodic::Unattended-Upgrade", "0")
    if host.stat("/usr/bin/unattended-upgrade") is None:
        return fail("unattended-upgrades is not installed")
    if wanted in {"", "0"}:
        return fail("installed, but switched off")
    states = dict(zip(_TIMERS, host.run("systemctl", "show", "-P", "ActiveState", *_TIMERS).split(), strict=False))
    stopped = [f"{name} is {states.get(name, 'not there')}" for name in _TIMERS if states.get(name) != "active"]
    return every(stopped, f"every {wanted} days")


_ENGINE = ("docker", "containerd")


@check(
    "updates-engine",
    severity="medium",
    unhardened="ok fail unknown",
    why="An update that restarts the engine at night stops every sandbox, and nobody launches them again.",
    fix="hostkit bootstrap (play 40-updates).",
    play="40-updates",
)
def updates_leave_the_engine_alone(host: Host, policy: Policy) -> Verdict:
    """Unattended updates leave the container engine's packages to their owner."""
    said = host.run("apt-config", "dump", "--format", "%v%n", "Unattended-Upgrade::Package-Blacklist")
    listed = said.split()
    return every(
        [f"{name} is not held back" for name in _ENGINE if not any(re.match(line, name) for line in listed)],
        ", ".join(listed),
    )


@check(
    "updates-restart",
    severity="low",
    unhardened="ok fail",
    why="A patched kernel that never started protects nobody.",
    fix="Reboot; the sandboxes come back through their whole launch.",
)
def no_restart_is_due(host: Host, policy: Policy) -> Verdict:
    """No installed update waits for a restart."""
    return fail("a restart is due") if host.stat("/run/reboot-required") else ok("none due")


_LISTS, _STAMPS = "/var/lib/apt/lists", "/var/lib/apt/periodic"
_DAY = 86400.0
_OLD, _TURN = 14 * _DAY, 2 * _DAY


@check(
    "updates-pending",
    severity="high",
    unhardened="ok fail skip unknown",
    why="What a security update mends is public from that day on, and an agent reads the same news.",
    fix="unattended-upgrade -v, or apt-get upgrade; the engine's own packages by hand, then look at hostkit ps.",
    references=("CIS Debian 12 1.2.2.1", "NIST SP 800-53 SI-2"),
)
def no_security_update_waits(host: Host, policy: Policy) -> Verdict:
    """No security update that apt knows of waits for longer than the daily run, and what it knows is of this fortnight.

    By the lists that lie here: nothing is fetched. An update may wait for the next daily run, and no longer.
    """
    if host.stat("/var/lib/dpkg/status") is None:
        return skip("no dpkg on this machine")
    lists = _security_lists(host)
    if not lists:
        return fail("apt has no list of security updates here: apt-get update")
    # A list bears the time its mirror made it: a fetch that failed leaves it old, and a fetch of nothing new, too.
    made = _latest(host, (*lists, *host.glob(f"{_LISTS}/*-security_InRelease")))
    age = time.time() - made
    faults = [f"apt's lists are {age / _DAY:.0f} days old"] if age > _OLD else []
    waiting = _waiting(host, lists)
    late = not _has_a_turn(host, made)
    faults += [f"{name} is {have}, not {wanted}" for name, have, wanted in waiting if late]
    told = f"{len(waiting)} wait for the daily run" if waiting else "none waits"
    return every(faults, f"{told}, lists of {age / 3600:.0f} h ago")


def _security_lists(host: Host) -> tuple[str, ...]:
    """Return the cached indexes of suites called `…-security`; their compression, if any, is in the name."""
    paths = host.glob(f"{_LISTS}/*-security_*_Packages*")
    return tuple(path for path in paths if re.search(r"_dists_[^_]*-security_.*_Packages(\.\w{2,4})?$", path))


def _latest(host: Host, paths: Iterable[str]) -> float:
    return max((facts.modified for path in paths if (facts := host.stat(path))), default=0.0)


def _has_a_turn(host: Host, made: float) -> bool:
    """Return whether the daily run has not seen these lists yet, and ran lately, so that it will."""
    ran = _latest(host, [f"{_STAMPS}/upgrade-stamp"])
    fetched = max(made, _latest(host, [f"{_STAMPS}/update-stamp"]))
    return ran < fetched and time.time() - ran < _TURN


def _waiting(host: Host, lists: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return (package, its version, the one it should be) of each installed package that a list has a newer one of."""
    form = "${Package} ${Architecture} ${Version} ${db:Status-Status}\\n"
    lines = [line.split() for line in host.run("dpkg-query", "-W", "-f", form).splitlines()]
    installed = {(words[0], words[1]): words[2] for words in lines if len(words) == 4 and words[3] == "installed"}
    if not installed:
        raise CannotTell("dpkg-query names no installed package", "dpkg-query -W")
    newest: dict[tuple[str, str], str] = {}
    for name, version, kind in _listed(host.run("/usr/lib/apt/apt-helper", "cat-file", *lists)):
        have = newest.get((name, kind)) or installed.get((name, kind))
        if have is not None and version != have and older(have, version):
            newest[name, kind] = version
    return [(name, installed[name, kind], wanted) for (name, kind), wanted in sorted(newest.items())]


def _listed(index: str) -> Iterator[tuple[str, str, str]]:
    """Yield (package, version, architecture) of each paragraph of an index; raise CannotTell for what is none."""
    if not index.startswith("Package: "):
        raise CannotTell("apt's lists are not readable as such", "apt-get update")
    found: dict[str, str] = {}
    for key, value in [*_FIELD.findall(f"\n{index}"), ("Package", "")]:
        if key == "Package" and len(found) == 3:
            yield found["Package"], found["Version"], found["Architecture"]
        found = {} if key == "Package" else found
        found[key] = value


_FIELD = re.compile(r"\n(Package|Version|Architecture): (\S+)")


@dataclass(frozen=True)
class _Source:
    """One way to packages: its file, its addresses and suites, and its options in small letters."""

    file: str
    suites: tuple[str, ...]
    options: tuple[tuple[str, str], ...]


_TRUSTING = ("trusted", "allow-insecure", "allow-weak", "allow-downgrade-to-insecure")
_CARELESS = ("APT::Get::AllowUnauthenticated", "Acquire::AllowInsecureRepositories",
             "Acquire::AllowWeakRepositories", "Acquire::AllowDowngradeToInsecureRepositories")  # fmt: skip


@check(
    "updates-sources",
    severity="high",
    unhardened="ok fail skip unknown",
    why="Whoever sits on the way to the mirror is root here the next night, where apt asks for no signature.",
    fix="Take trusted=yes and allow-insecure=yes from apt's sources, AllowUnauthenticated from its settings, and list"
    " the distribution's security suite.",
    references=("CIS Debian 12 1.2.1.2", "NIST SP 800-53 CM-14"),
)
def apt_takes_only_what_is_signed(host: Host, policy: Policy) -> Verdict:
    """Apt takes packages from signed sources only, and one of them is the distribution's security suite."""
    if host.stat("/etc/apt") is None:
        return skip("no apt on this machine")
    found = _sources(host)
    faults = [f"{one.file}: {key}={value}" for one in found for key, value in one.options if _trusts(key, value)]
    said = host.run("apt-config", "dump", "--format", "%f %v%n", *_CARELESS)
    settings = [line.partition(" ")[::2] for line in said.splitlines()]
    faults += [f"{key} is {value}" for key, value in settings if value.strip().lower() in _YES]
    faults += [f"{path.rpartition('/')[2]} is not signed" for path in _unsigned(host)]
    secure = [suite for one in found for suite in one.suites if suite.partition("/")[0].endswith("-security")]
    faults += (
        []
        if secure or any("/updates" in suite for one in found for suite in one.suites)
        else ["no security suite is listed"]
    )
    return every(faults, f"{len(found)} sources, {', '.join(dict.fromkeys(secure))}")


_YES = {"yes", "true", "1", "on", "force"}


def _trusts(key: str, value: str) -> bool:
    return key in _TRUSTING and value in _YES


def _unsigned(host: Host) -> list[str]:
    """Return the releases that apt keeps without a signature: it took them all the same."""
    paths = host.glob(f"{_LISTS}/*_Release")
    return [path for path in paths if host.stat(f"{path}.gpg") is None]


@once
def _sources(host: Host) -> list[_Source]:
    """Return every source that is switched on, in both of apt's forms."""
    found: list[_Source] = []
    for path in apt_sources(host):
        text = re.sub(r"(?m)^\s*#.*\n?", "", host.read(path) + "\n")
        found += _paragraphs(path, text) if path.endswith(".sources") else _lines(path, text)
    return found


def _lines(path: str, text: str) -> Iterator[_Source]:
    """Yield the sources of the older form: `deb [option=value] address suite part`."""
    for options, rest in re.findall(r"(?m)^\s*deb\s+(?:\[([^\]]*)\]\s*)?(.*)$", text):
        pairs = [word.partition("=")[::2] for word in options.lower().split()]
        yield _Source(path, tuple(rest.split()[1:2]), tuple((key.rstrip("+-"), value) for key, value in pairs))


def _paragraphs(path: str, text: str) -> Iterator[_Source]:
    """Yield the sources of the newer form, one a paragraph: `Suites: …`, `Trusted: yes`."""
    for paragraph in re.split(r"\n\s*\n", text):
        fields = {
            key.lower(): value.strip() for key, value in re.findall(r"(?m)^([\w-]+):((?:.*)(?:\n[ \t].*)*)", paragraph)
        }
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in {"no", "false", "0"}:
            continue
        options = tuple((key, value.lower()) for key, value in fields.items())
        yield _Source(path, tuple(fields.get("suites", "").split()), options)


_RINGS = ("/etc/apt/trusted.gpg", "/etc/apt/trusted.gpg.d/*", "/etc/apt/keyrings/*", "/usr/share/keyrings/*")
_OWN = re.compile(r"/(debian-archive-|debian-ports-|ubuntu-)[^/]*\.(gpg|asc|pgp)$")


def _rings(host: Host) -> list[str]:
    folders = ("/etc/apt", "/etc/apt/trusted.gpg.d", "/etc/apt/keyrings", "/usr/share/keyrings")
    return [*folders, *apt_sources(host), *globbed(host, _RINGS)]


@check(
    "updates-keys",
    severity="medium",
    unhardened="ok fail skip",
    why="A key in apt's common ring signs for every source: one vendor's lost key is then everybody's.",
    fix="Move the key to /etc/apt/keyrings and name it in its own source by signed-by; chown root and chmod go-w the"
    " files that are named.",
    mend=lambda host, _: closing(host, _rings(host)),
    references=("CIS Debian 12 1.2.1.1", "NIST SP 800-53 SC-12"),
)
def no_strangers_key_signs_for_every_source(host: Host, policy: Policy) -> Verdict:
    """Only root changes apt's keys and sources, and only the distribution's own keys sign for every source."""
    if host.stat("/etc/apt") is None:
        return skip("no apt on this machine")
    common = [*host.glob("/etc/apt/trusted.gpg"), *host.glob("/etc/apt/trusted.gpg.d/*.*")]
    there = {path: facts for path in common if (facts := host.stat(path))}
    kept = [path for path, facts in there.items() if facts.size and path.endswith((".gpg", ".asc"))]
    faults = [f"{PurePosixPath(path).name} signs for every source" for path in kept if not _OWN.search(path)]
    return every([*faults, *writable(host, _rings(host))], f"{len(kept)} common keys, all the distribution's")
