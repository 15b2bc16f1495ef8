"""The engine of the secret scan: how it is run so that it can only read, and what is kept of what it says.

It runs without a network, with no capability but to read, at the lowest priority, within a bound of memory; nothing
is validated and no archive unpacked. Its report holds values: it comes through a pipe, and each becomes a fingerprint.
"""

import importlib.metadata
import importlib.util
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostkit.errors import CannotTell
from hostkit.health import state_directory
from hostkit.host import Host
from hostkit.posture.scan import history
from hostkit.secrets import fingerprints

RULES = Path(__file__).with_name("rules.yml")
_SECONDS = 840.0
_MOST = 20_000
"""Findings that are kept; whoever plants more has been found."""
_MEMORY = 4 * 1024**3
_FOUND = (0, 200)
"""How it ends where it found nothing, and where it found something."""
_OPTIONS = (
    *("--no-validate", "--no-update-check", "--no-ignore", "--no-dedup", "--no-extract-archives"),
    *("--format", "jsonl", "--max-file-size", "1024", "--rules-path", str(RULES)),
)
_WALLS = (
    *("unshare", "--net", "setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--inh-caps=-all"),
    *("--bounding-set=-all,+dac_read_search", "prlimit", f"--data={_MEMORY}"),
)
_GLOB, _AS_IS = re.compile(r"[*?\[\]{}\\]"), r"\\\g<0>"
_NICE = ("nice", "-n", "19")


@dataclass(frozen=True)
class Place:
    """Where a secret is, by which rule, and its fingerprint; `commit` is empty for a file. Never its value."""

    rule: str
    path: str
    line: int
    fingerprint: str
    commit: str = ""


@dataclass(frozen=True)
class Scan:
    """What one run of the engine reads: files below roots, and repositories without what was scanned of each."""

    roots: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    repositories: tuple[tuple[history.Repository, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Told:
    """What a run said: where secrets are, what it could not read in full, and how many bytes it read."""

    places: tuple[Place, ...] = ()
    faults: tuple[str, ...] = ()
    size: int = 0


def scanned(host: Host, scan: Scan) -> Told:
    """Return what the engine finds in files and in commits; raise CannotTell if it is missing or breaks off."""
    key = fingerprints.key()
    with tempfile.TemporaryDirectory(prefix="hostkit-scan-", dir=_memory(host)) as folder:
        views = dict(_borrowed(scan.repositories, Path(folder)))
        new = [view for view, (_, old) in views.items() if not old]
        known = [view for view, (_, old) in views.items() if old]
        # What the engine makes of its rules holds their examples.
        skipped = [f"--exclude={_GLOB.sub(_AS_IS, path)}" for path in (*scan.skipped, str(_compiled()))]
        # It reads nothing at all if one root has gone, as a log may that was turned over since the walk.
        roots = [root for root in scan.roots if host.stat(root) is not None]
        runs = [("none", [*skipped, "--", *roots])] if roots else []
        runs += [("full", ["--", *new])] if new else []
        runs += [("full", ["--since-commit", history.SCANNED, "--", *known])] if known else []
        names = {view: repository.path for view, (repository, _) in views.items()}
        return _sum([_told(_lines(host, how, rest, folder), names, key) for how, rest in runs])


def _memory(host: Host) -> str | None:
    """Return a folder in memory, where there is one: only names of commits are written there."""
    return "/dev/shm" if host.platform == "linux" else None  # noqa: S108 - mkdtemp makes a folder of our own in it


def _borrowed(
    wanted: tuple[tuple[history.Repository, tuple[str, ...]], ...], folder: Path
) -> Iterator[tuple[str, tuple[history.Repository, tuple[str, ...]]]]:
    for number, (repository, old) in enumerate(wanted):
        place = folder / str(number)
        history.borrowed(repository, old, place)
        yield str(place), (repository, old)


def _lines(host: Host, how: str, rest: list[str], folder: str) -> Iterator[str]:
    shown = sys.stderr.isatty()
    walls = _WALLS if host.platform == "linux" and host.is_root else ()
    command = (*walls, *_NICE, _program(), "scan", *_OPTIONS, *(() if shown else ("--quiet",)), "--git-history", how)
    rules = _compiled()
    rules.mkdir(mode=0o700, parents=True, exist_ok=True)
    surroundings = {"HOME": folder, "TMPDIR": folder, "KF_RULE_CACHE_DIR": str(rules), "RUST_LOG": "error"}
    return host.pour(*command, *rest, timeout=_SECONDS, codes=_FOUND, environment=surroundings, shown=shown)


def _compiled() -> Path:
    return state_directory() / "scan-rules"


def _program() -> str:
    found = importlib.util.find_spec("kingfisher")
    if found is None or found.origin is None:
        raise CannotTell("the secret scanner is not installed", "pip install kingfisher-bin beside hostkit")
    return str(Path(found.origin).parent / "bin" / "kingfisher")


def version() -> str:
    """Return the engine's version, empty where it is not installed."""
    try:
        return importlib.metadata.version("kingfisher-bin")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _told(lines: Iterator[str], names: dict[str, str], key: bytes) -> Told:
    places: set[Place] = set()
    faults: list[str] = []
    size, audited = 0, False
    for line in lines:
        said = _parsed(line)
        if "finding" in said and len(places) < _MOST:
            places.add(_place(said, names, key))
        for entry in said.get("audit", {}).get("repositories", []):
            audited = True
            size += int(entry.get("stats", {}).get("bytes_scanned", 0))
            where = str(entry.get("repository"))
            if not _is_whole(entry, is_commits=where in names):
                faults.append(f"{names.get(where, where)} was not read in full")
    if not audited:
        raise CannotTell("the secret scanner did not say what it read")
    return Told(tuple(sorted(places, key=repr)), tuple(faults), size)


def _is_whole(entry: dict[str, Any], *, is_commits: bool) -> bool:
    """Return whether the engine got through; of a history whose newest commit it cannot read it names no tip."""
    git = entry.get("git") or {}
    if is_commits and not git.get("base_sha" if git.get("scope") == "commit_range" else "tip_sha"):
        return False
    return bool((entry.get("scan") or {}).get("status") == "completed")


def _parsed(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        raise CannotTell("the secret scanner's report is not readable") from None
    return said if isinstance(said, dict) else {}


def _place(said: dict[str, Any], names: dict[str, str], key: bytes) -> Place:
    found = said["finding"]
    value = str(found.get("snippet", "")).encode("utf-8", "surrogatepass")
    git = found.get("git_metadata") or {}
    commit = str(git.get("commit", {}).get("id", ""))
    path = str(found.get("path"))
    if git:
        path = f"{names.get(str(git.get('repository_url')), '?')}: {path}"
    rule = str(said["rule"].get("id", "?")).replace("/", ".").rpartition(".")[2]
    return Place(rule, path, int(found.get("line", 0)), fingerprints.of(value, key), commit)


def _sum(told: list[Told]) -> Told:
    places = tuple(place for entry in told for place in entry.places)
    return Told(places, tuple(fault for entry in told for fault in entry.faults), sum(entry.size for entry in told))
