"""Secrets where none is meant to be, and those of the policy: who reads them, how old and how good they are."""

import time
from collections.abc import Iterable
from typing import Any

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture import environments, files, forms, readings, scan
from hostkit.posture.boxes import shown
from hostkit.posture.model import Command, Verdict, check, every, ok, unknown
from hostkit.posture.scan import places
from hostkit.posture.scan.kingfisher import Place
from hostkit.secrets import fingerprints

DAYS = 30
_DAY = 86400.0
_WORDS = 64 * 1024
_MOST_FILES = 2000
_UNITS = (
    *("/etc/systemd/system/*", "/etc/systemd/system/*.d/*.conf", "/etc/systemd/user/*", "/etc/systemd/user/*.d/*.conf"),
    *("/run/systemd/system/*", "/run/systemd/system/*.d/*.conf", "/usr/local/lib/systemd/system/*"),
    *("/etc/systemd/*.conf", "/etc/systemd/*.conf.d/*.conf", "/usr/lib/systemd/system/*.d/*.conf"),
    *("/home/*/.config/systemd/user/*", "/root/.config/systemd/user/*", "/etc/default/*", "/etc/profile.d/*"),
    *("/etc/crontab", "/etc/cron.d/*", "/var/spool/cron/crontabs/*", "/etc/environment", "/etc/environment.d/*.conf"),
)


def _need_root(host: Host, what: str) -> None:
    if not host.is_root:
        raise CannotTell(f"{what} cannot be seen without root", "sudo hostkit check")


def _judged(found: Iterable[Place], unread: tuple[str, ...], good: str) -> Verdict:
    """Return a failure where secrets are, else unknown where something was not read: it is never green then."""
    faults = [
        f"{shown(place.path, 200)}{f' in {place.commit[:10]}' if place.commit else ''}:{place.line}: "
        f"{shown(place.rule)} #{place.fingerprint[:8]}"
        for place in found
    ]
    told = every(faults, good)
    if faults or not unread:
        return told
    more = f" and {len(unread) - 5} more" if len(unread) > 5 else ""
    return unknown("not scanned: " + ", ".join(shown(said, 200) for said in unread[:5]) + more)


def _strays(host: Host, policy: Policy) -> tuple[list[Place], list[Place], scan.Found]:
    """Return the places in files where no secret is meant to be: originals, copies, and all that was found."""
    found = scan.files(host, policy)
    given = places.given(host, policy)
    stray = places.stray(host, policy, found.places)
    copies = [place for place in stray if places.is_left(place.path) or place.fingerprint in given]
    return [place for place in stray if place not in set(copies)], copies, found


def _read(host: Host, policy: Policy) -> str:
    walk = scan.walked(host, policy)
    return f"{walk.files} files read, {walk.archives} archives not unpacked"


@check(
    "secrets-files",
    severity="critical",
    kind="scan",
    unhardened="ok fail unknown",
    why="A secret that lies in a file is read by whatever gets to read that file: a backup, a container, the agent.",
    fix="Replace each value, move it to a file that the policy names (`file:/path`, mode 0600), and delete it there.",
    references=("NIST SP 800-53 IA-5(7)",),
)
def files_hold_no_secret(host: Host, policy: Policy) -> Verdict:
    """No file of the configuration, of hostkit's clients or of a home's settings holds a secret in plain text.

    But for the files that the policy names, and private keys that only their owner reads.
    """
    originals, _, found = _strays(host, policy)
    return _judged(originals, found.unread, _read(host, policy))


@check(
    "secrets-copies",
    severity="high",
    kind="scan",
    unhardened="ok fail unknown",
    why="A copy outlives the original: it stays where nobody looks when the secret is moved or its file is closed.",
    fix="Delete the copy and replace the value; in a shell, keep secrets out of the command line.",
    references=("NIST SP 800-53 IA-5(7)",),
)
def no_copy_of_a_secret_is_left(host: Host, policy: Policy) -> Verdict:
    """No secret is left in a shell's history, a backup, a log or a transcript, and none of the policy's elsewhere."""
    _, copies, found = _strays(host, policy)
    return _judged(copies, found.unread, _read(host, policy))


@check(
    "secrets-history",
    severity="high",
    kind="scan",
    unhardened="ok fail unknown",
    why="What was committed stays in every clone, long after the file was cleaned.",
    fix="Replace the value first; then rewrite the history (git filter-repo) and let every clone be made anew.",
    references=("NIST SP 800-53 IA-5(7)",),
)
def histories_hold_no_secret(host: Host, policy: Policy) -> Verdict:
    """No commit of a git repository on this host holds a secret."""
    found = scan.commits(host, policy)
    return _judged(found.places, found.unread, f"{found.repositories} repositories read")


@check(
    "secrets-units",
    severity="high",
    unhardened="ok fail",
    why="Any account may read what a unit sets: systemctl show tells it to the agent too.",
    fix="Replace the value, and give it with LoadCredential= or an EnvironmentFile= of mode 0600.",
    references=("NIST SP 800-53 IA-5(7)",),
)
def units_hold_no_secret(host: Host, policy: Policy) -> Verdict:
    """No unit, timetable or system-wide environment of this host holds a secret."""
    _need_root(host, "timetables of others")
    paths = sorted({path for pattern in _UNITS for path in host.glob(pattern) if _is_file(host, path)})
    if len(paths) > _MOST_FILES:
        raise CannotTell(
            f"{len(paths)} units and timetables are too many to read", "ls /etc/systemd/system /etc/cron.d"
        )
    found = [(path, number, kind) for path in paths for number, kind in _lines(host, path)]
    return every([f"{shown(path, 200)} line {number}: {kind}" for path, number, kind in found], f"{len(paths)} read")


def _is_file(host: Host, path: str) -> bool:
    facts = host.stat(path)
    return facts is not None and facts.kind == "file"


def _lines(host: Host, path: str) -> list[tuple[int, str]]:
    lines = host.read(path).splitlines()
    return [(number, kind) for number, line in enumerate(lines, 1) for kind in forms.kinds(line)]


@check(
    "secrets-processes",
    severity="high",
    unhardened="ok fail unknown",
    why="Command lines are open to every account, environments to whatever runs as the same one; both end up in logs.",
    fix="Give the program the path of a file instead of the value, restart it, and replace the value.",
    references=("NIST SP 800-53 IA-5(7)",),
)
def no_process_shows_a_secret(host: Host, policy: Policy) -> Verdict:
    """No program shows a secret in its command line, and none of an account but root's in its environment."""
    _need_root(host, "processes of others")
    running = {entry.words: entry for entry in readings.processes(host)}
    long = [entry.pid for words, entry in running.items() if sum(map(len, words)) > _WORDS]
    found = [
        f"{shown(entry.name)} ({entry.pid}): {kind}"
        for words, entry in running.items()
        if entry.pid not in long
        for kind in forms.in_words(words)
    ]
    told, unread = environments.told(host, readings.processes(host))
    found += told
    if long and not found:
        raise CannotTell(f"the command line of process {long[0]} is over {_WORDS // 1024} KiB")
    if unread and not found:
        raise CannotTell(f"no secret was seen, but {unread}", "sudo hostkit check --only secrets-processes")
    return every(found, f"{len(running)} command lines read")


@check(
    "secrets-containers",
    severity="high",
    unhardened="ok fail unknown",
    why="What a container was created with stays in the engine's records, and in every report made of them.",
    fix="Create the container anew with the secret as a file in a volume or mount, and replace the value.",
    references=("CIS Docker 4.10", "NIST SP 800-53 IA-5(7)"),
)
def no_container_was_made_with_a_secret(host: Host, policy: Policy) -> Verdict:
    """No container holds a secret in its environment, command or labels."""
    documents = readings.containers()
    found = [
        f"{shown(readings.named(document))}: {kind} in its {part}"
        for document in documents
        for part, words in _parts(document.get("Config") or {})
        for kind in forms.in_words(words)
    ]
    return every(found, f"{len(documents)} containers")


def _parts(config: dict[str, Any]) -> Iterable[tuple[str, tuple[str, ...]]]:
    yield "environment", tuple(config.get("Env") or ())
    yield "command", (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))
    yield "labels", tuple(f"{name}={value}" for name, value in (config.get("Labels") or {}).items())


def _closing(host: Host, policy: Policy) -> tuple[Command, ...]:
    open_ones = [path for path in places.sources(policy) if _exposed(host, path)]
    plain = [path for path in open_ones if _is_file(host, path)]
    return (("chown", "root:root", "--", *plain), ("chmod", "600", "--", *plain)) if plain else ()


@check(
    "secrets-readable",
    severity="critical",
    unhardened="ok fail",
    why="A client's secret that another account reads is that account's secret too.",
    fix="chown root:root and chmod 600 the file, chmod go-w every folder above it; replace a value that lay open.",
    mend=_closing,
    references=("NIST SP 800-53 AC-6",),
)
def only_root_reads_the_secrets(host: Host, policy: Policy) -> Verdict:
    """Every file that the policy takes a secret from is root's alone, and so is the way to it."""
    _need_root(host, "files of secrets")
    sources = places.sources(policy)
    faults = [
        f"{name}: {shown(path, 200)} {fault}" for path, name in sources.items() if (fault := _exposed(host, path))
    ]
    faults += files.writable(host, sorted({folder for path in sources for folder in files.above(path)}))
    return every(faults, f"{len(sources)} files")


def _exposed(host: Host, path: str) -> str:
    facts = host.stat(path)
    if facts is None:
        return "is not there"
    if facts.kind != "file":
        return f"is a {facts.kind}"
    return f"has owner {facts.uid}, mode {facts.mode:04o}" if facts.uid or facts.mode & 0o077 else ""


@check(
    "secrets-age",
    severity="medium",
    unhardened="ok fail unknown",
    why="A secret that leaked unseen is worth something until it is replaced.",
    fix="Issue each anew where it comes from, write it to its file, and withdraw the old one.",
    references=("NIST SP 800-53 IA-5(1)",),
)
def secrets_are_replaced_each_month(host: Host, policy: Policy) -> Verdict:
    """Every secret of the policy was written to its file within the last 30 days."""
    _need_root(host, "files of secrets")
    now, faults = time.time(), []
    for path, name in places.sources(policy).items():
        if (facts := host.stat(path)) is None:
            raise CannotTell(f"{name}: {path} is not there", "write the secret to its file")
        days = (now - facts.modified) / _DAY
        faults += [f"{name}: written {days:.0f} days ago"] if days > DAYS else []
        faults += [f"{name}: written in the future, by its date"] if days < -1 else []
    return _of_files(policy, faults)


def _of_files(policy: Policy, faults: list[str]) -> Verdict:
    """Return what was found of the files; those given by variables or programs cannot be seen from here."""
    told = [f"{name}.{key}" for name, one in policy.clients.items() for key, secret in one.secrets.items()
            if not secret.source.startswith("file:")]  # fmt: skip
    if faults:
        return every(faults, "")
    if told:
        return unknown(f"{', '.join(told[:5])}: given by a variable or a program, which only hostkit launch asks")
    return ok(f"{len(places.sources(policy))} secrets")


def _values(host: Host, policy: Policy) -> dict[str, str]:
    """Return the values of the policy's files, by whose they are; raise CannotTell if one cannot be read."""
    _need_root(host, "files of secrets")
    return {name: _value(host, name, path) for path, name in places.sources(policy).items()}


def _value(host: Host, name: str, path: str) -> str:
    if not _is_file(host, path):
        raise CannotTell(f"{name}: {path} is no file that can be read", "write the secret to its file")
    return host.read(path).removesuffix("\n")


@check(
    "secrets-reuse",
    severity="high",
    kind="scan",
    unhardened="ok fail unknown",
    why="One secret for two clients makes a leak at one of them a leak at both, and neither can be withdrawn alone.",
    fix="Have each client, and each service, issue one of its own.",
    references=("NIST SP 800-53 IA-5",),
)
def no_secret_is_used_twice(host: Host, policy: Policy) -> Verdict:
    """No two secrets of the policy have the same value, nor do two clients, services or homes where one was found."""
    key, seen, named = fingerprints.key(), dict[str, set[str]](), places.sources(policy)
    for name, value in _values(host, policy).items():
        seen.setdefault(fingerprints.of(value.encode("utf-8", "surrogateescape"), key), set()).add(name)
    found = (scan.files(host, policy), scan.commits(host, policy))
    for place in (place for one in found for place in one.places if place.path not in named):
        seen.setdefault(place.fingerprint, set()).add(places.user(place.path))
    faults = sorted(f"{shown(' and '.join(sorted(who)), 300)} are the same" for who in seen.values() if len(who) > 1)
    unread = [said for one in found for said in one.unread]
    if unread and not faults:
        return unknown(f"not scanned: {', '.join(shown(said, 200) for said in unread[:5])}")
    return _of_files(policy, faults)


@check(
    "secrets-strength",
    severity="high",
    unhardened="ok fail unknown",
    why="A short or guessable secret is found by trying, from anywhere.",
    fix="Issue a random one of 24 characters or more, such as openssl rand -base64 32 makes.",
    references=("NIST SP 800-53 IA-5",),
)
def secrets_cannot_be_guessed(host: Host, policy: Policy) -> Verdict:
    """Every secret of the policy has 24 characters or more, 8 different ones at least, and is no placeholder."""
    faults = [f"{name}: {fault}" for name, value in _values(host, policy).items() if (fault := forms.weakness(value))]
    return _of_files(policy, faults)
