"""The secret scan: one per run, shared by all checks that need it; files each time, each commit once."""

import hashlib
import threading
from dataclasses import dataclass

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture import readings
from hostkit.posture.scan import history, kingfisher, store, tree
from hostkit.posture.scan.kingfisher import Place, Scan

_MOST_REPOSITORIES = 2000
_engine = threading.Lock()
"""Files and commits are read one after the other: side by side they would take twice the memory and no less time."""


@dataclass(frozen=True)
class Found:
    """Where secrets are in files or in commits, and what could not be read of them, each with why."""

    places: tuple[Place, ...]
    unread: tuple[str, ...]
    repositories: int = 0


def walked(host: Host, policy: Policy) -> tree.Walk:
    """Return what there is to scan; raise CannotTell without root."""

    @readings.once
    def walk(host: Host) -> tree.Walk:
        if not host.is_root:
            raise CannotTell("files of others cannot be read without root", "sudo hostkit check")
        return tree.walked(host, tree.chosen(host, policy))

    return walk(host)


def files(host: Host, policy: Policy) -> Found:
    """Return what this run's scan found in files; raise CannotTell without root, or if the scanner cannot be run."""

    @readings.once
    def in_files(host: Host) -> Found:
        walk = walked(host, policy)
        with _engine:
            told = kingfisher.scanned(host, Scan(walk.roots, walk.skipped))
        return Found(told.places, (*walk.unread, *told.faults))

    return in_files(host)


def commits(host: Host, policy: Policy) -> Found:
    """Return what this and earlier scans found in git histories; raise CannotTell as `files` does."""

    @readings.once
    def in_commits(host: Host) -> Found:
        walk = walked(host, policy)
        closed = tuple(said for said in walk.unread if said.endswith(tree.CLOSED))
        repositories, odd = _repositories(host, walk.repositories)
        with _engine:
            places, faults = _history(host, repositories)
        return Found(places, (*closed, *odd, *faults), len(repositories))

    return in_commits(host)


def _repositories(host: Host, paths: tuple[str, ...]) -> tuple[list[history.Repository], list[str]]:
    read, odd = [], [f"{path}: over {_MOST_REPOSITORIES} repositories" for path in paths[_MOST_REPOSITORIES:][:1]]
    for path in paths[:_MOST_REPOSITORIES]:
        try:
            read.append(history.read(host, path))
        except CannotTell as why:
            odd.append(why.what)
    return [entry for entry in read if entry.heads], odd


def _history(host: Host, repositories: list[history.Repository]) -> tuple[tuple[Place, ...], list[str]]:
    """Return where secrets are in history: what is new is scanned, what is known and clean is not read again.

    A repository in which something was found is read as a whole each time: what was rewritten away is gone then.
    """
    rules = _rules()
    before = store.known(rules)
    same = {e.path: before[e.path] for e in repositories if _is_clean(before.get(e.path), e.heads)}
    changed = [entry for entry in repositories if entry.path not in same]
    wanted = tuple((e, before[e.path].heads if _is_clean(before.get(e.path)) else ()) for e in changed)
    told, again = _told(host, wanted)
    broken = set(again)
    now = {
        e.path: store.Known(e.heads, tuple(place for place in told if place.path.startswith(f"{e.path}: ")))
        for e in changed
        if e.path not in broken and not e.partial
    }
    store.keep(rules, {**same, **now})
    return told, [f"{path} was not read in full" for path in again]


def _told(
    host: Host, wanted: tuple[tuple[history.Repository, tuple[str, ...]], ...]
) -> tuple[tuple[Place, ...], list[str]]:
    """Return what a scan tells and which repositories it could not read; where only the new was asked for, all is."""
    if not wanted:
        return (), []
    told = kingfisher.scanned(host, Scan(repositories=wanted))
    broken = {fault.removesuffix(" was not read in full") for fault in told.faults}
    partly = tuple((entry, ()) for entry, old in wanted if old and entry.path in broken)
    places, still = _told(host, partly)
    return (*told.places, *places), [*sorted(broken - {entry.path for entry, _ in partly}), *still]


def _is_clean(known: store.Known | None, heads: tuple[str, ...] = ()) -> bool:
    return known is not None and not known.places and heads in {(), known.heads}


def _rules() -> str:
    """Return which rules and engine these are: others have to see every commit anew."""
    return hashlib.sha256(kingfisher.RULES.read_bytes() + kingfisher.version().encode()).hexdigest()[:16]
