"""hostkit itself: whoever can change it decides what every other check says."""

import hashlib

from hostkit import __version__
from hostkit.bootstrap import confirm, record
from hostkit.bootstrap.keep import FOLDER
from hostkit.bootstrap.plays import stamps
from hostkit.bootstrap.undo import STATE
from hostkit.errors import CannotTell, HostkitError
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture import installed
from hostkit.posture.files import MOST, closing, writable
from hostkit.posture.model import Verdict, check, every, fail
from hostkit.posture.readings import once

_INDEX = f"{FOLDER}/index.json"


@check(
    "hostkit-files",
    severity="critical",
    unhardened="ok fail",
    why="Who may write one file of these is root with the next timed check, and says himself that all is well.",
    fix="chown root and chmod go-w the files that are named; install hostkit below a folder of root's (/opt/hostkit).",
    mend=lambda host, policy: closing(host, _closable(host, policy)),
    references=("NIST SP 800-53 SI-7", "NIST SP 800-53 CM-5"),
)
def only_root_changes_hostkit(host: Host, policy: Policy) -> Verdict:
    """Only root changes hostkit's code, its Python and libraries, its plays and policy, or a folder above them."""
    if host.stat(installed.PACKAGE) is None:
        raise CannotTell(f"{installed.PACKAGE} is not there, where this very code runs from", "hostkit --version")
    paths = installed.paths(host, policy.path)
    if len(paths) > MOST:
        raise CannotTell(f"{len(paths)} files are too many to look at", f"ls -ld {installed.PACKAGE}")
    return every(writable(host, paths), f"{len(paths)} paths")


def _closable(host: Host, policy: Policy) -> list[str]:
    """Return the paths that are hostkit's to close: not a home, nor a folder of the system's, above them."""
    own = (installed.PACKAGE, installed.LIBRARIES, "/etc/hostkit", "/usr/local/lib/hostkit", "/etc/systemd/system/")
    return [path for path in installed.paths(host, policy.path) if path.startswith(own)]


@check(
    "hostkit-dependencies",
    severity="high",
    unhardened="ok fail unknown",
    why="A library beside hostkit runs as root with it; one that nobody locked is one that nobody looked at.",
    fix="pip install --require-hashes -r requirements.lock into hostkit's own Python, and take away what is not in it.",
    references=("NIST SP 800-53 SR-4", "NIST SP 800-53 SI-7"),
)
def hostkit_stands_on_what_is_locked(host: Host, policy: Policy) -> Verdict:
    """Every library that hostkit's Python loads is of the version that its lock names, and no other lies there."""
    if host.stat(installed.LOCK) is None:
        raise CannotTell(f"{installed.LOCK} is not there: this hostkit came without its lock", "install it anew")
    wanted, found = installed.locked(host.read(installed.LOCK)), installed.distributions(host)
    if not wanted or not found:
        raise CannotTell(f"{len(found)} libraries seen, {len(wanted)} locked", f"ls {installed.LIBRARIES}")
    faults = [f"{name} is {have}" for name, have in found.items() if have not in wanted.get(name, {have})]
    strangers = sorted(found.keys() - wanted.keys() - {"hostkit", "pip"})
    faults += [f"{name} is not in the lock" for name in strangers if installed.IS_OWN_PYTHON]
    told = hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:12]
    return every(faults, f"{len(found)} libraries, together {told}")


@once
def _record(host: Host) -> record.Record | None:
    """Return bootstrap's record of this host, None where it never ran; raise CannotTell if it is not readable."""
    if not host.is_root:
        raise CannotTell(f"{STATE} is root's to read", "sudo hostkit check")
    if host.stat(_INDEX) is None:
        return None
    try:
        return record.parse(host.read(_INDEX), _INDEX)
    except (HostkitError, TypeError, KeyError, RecursionError) as why:
        raise CannotTell(f"bootstrap's record is not readable: {why}", f"python3 -m json.tool {_INDEX}") from None


@check(
    "hostkit-version",
    severity="medium",
    unhardened="fail unknown",
    why="A newer hostkit knows of a hole that the plays of the older one left open on this host.",
    fix="hostkit bootstrap, with the hostkit that is installed now; --check says before what it would change.",
    references=("NIST SP 800-53 CM-2",),
)
def this_hostkit_hardened_this_host(host: Host, policy: Policy) -> Verdict:
    """Every play that ran on this host ran as the hostkit that is installed now has it."""
    found = _record(host)
    if found is None:
        return fail("bootstrap never ran here, or it was undone")
    known = stamps(host.platform)
    if not found.plays:
        return fail(f"the record names no version: it is of a hostkit before {__version__}")
    old = {stem: was for stem, was in found.plays.items() if known.get(stem, "none now") != was}
    faults = [f"{stem} ran as {was[:40]}, is {known.get(stem, 'none now')}" for stem, was in old.items()]
    never = [stem for stem in known if stem not in found.plays]
    return every(faults, f"{__version__}{', never run: ' + ', '.join(never) if never else ''}")


@check(
    "hostkit-state",
    severity="high",
    unhardened="ok fail",
    why="There lie what bootstrap found here, each client's state, and the keys of what is kept.",
    fix="chown root:root /var/lib/hostkit; chmod 0700 /var/lib/hostkit",
    mend=lambda _, __: (("chown", "root:root", "--", STATE), ("chmod", "0700", "--", STATE)),
    references=("NIST SP 800-53 AC-3",),
)
def hostkits_state_is_roots(host: Host, policy: Policy) -> Verdict:
    """Hostkit's state lies in a folder of root's own that nobody else may enter, as do those above it."""
    facts = host.stat(STATE)
    if facts is None:
        return fail(f"{STATE} is not there: bootstrap never ran here")
    faults = [] if facts.kind == "directory" else [f"{STATE} is a {facts.kind}"]
    faults += [f"{STATE}: owner {facts.uid}, mode {facts.mode:04o}"] if facts.uid or facts.mode & 0o077 else []
    return every([*faults, *writable(host, ("/var/lib", "/var", "/"))], f"mode {facts.mode:04o}")


@check(
    "hostkit-record",
    severity="medium",
    unhardened="fail unknown",
    why="Without it nothing can be undone, and a fence that nobody kept is gone with the next start.",
    fix="hostkit bootstrap --confirm over a new connection where a fence waits; else hostkit bootstrap again.",
    references=("NIST SP 800-53 CM-3",),
)
def bootstraps_record_is_whole(host: Host, policy: Policy) -> Verdict:
    """The last bootstrap ran to its end, all that it replaced is kept, and no fence waits to be confirmed."""
    found = _record(host)
    if found is None:
        return fail("bootstrap never ran here, or it was undone")
    faults = ["a bootstrap is under way, or was cut short"] if found.running else []
    gone = [digest[:12] for digest in sorted(record.digests(found)) if host.stat(f"{FOLDER}/{digest}") is None]
    faults += [f"{len(gone)} files that it replaced are not kept ({gone[0]})"] if gone else []
    unsure = [thing.name for thing in found.things if not thing.sure]
    faults += [f"{len(unsure)} things may not be hostkit's own ({unsure[0]})"] if unsure else []
    faults += ["a fence waits to be confirmed"] if confirm.pending(host) else []
    return every(faults, f"{len(found.things)} things on record")
