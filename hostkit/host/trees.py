"""What lies below a folder: names, kinds and sizes, no link followed."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from hostkit.errors import CannotTell


@dataclass(frozen=True)
class Thing:
    """A thing found: its kind is file, directory, link, other, `mount` (not entered) or `closed` (not readable)."""

    path: str
    kind: str
    size: int = 0


def things(root: str, *, across: bool = False) -> Iterator[Thing]:
    """Return everything below a root, itself included and first; nothing where there is nothing.

    Another file system is entered only `across` them.
    """
    try:
        facts = os.lstat(root)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        yield Thing(root, "closed")
        return
    yield _entry(root, facts)
    waiting = [root] if stat.S_ISDIR(facts.st_mode) else []
    while waiting:
        for entry in _listed(waiting.pop(), None if across else facts.st_dev):
            yield entry
            waiting += [entry.path] if entry.kind == "directory" else []


def below(root: str, most: int) -> Iterator[Thing]:
    """Return all but the folders below a root, on every file system.

    Raise CannotTell for a tree of more than `most` entries, or with a folder that cannot be listed.
    """
    for number, thing in enumerate(things(root, across=True)):
        if thing.kind == "closed":
            raise CannotTell(f"{thing.path} cannot be listed", "sudo hostkit check")
        if number > most:
            raise CannotTell(f"{root} has more than {most} entries")
        if number and thing.kind not in {"directory", "gone"}:
            yield thing


def _listed(folder: str, device: int | None) -> Iterator[Thing]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield _seen(entry, device)
    except (FileNotFoundError, NotADirectoryError):  # it went away, or is a link by now
        return
    except OSError:
        yield Thing(folder, "closed")


def _seen(entry: "os.DirEntry[str]", device: int | None) -> Thing:
    try:
        facts = entry.stat(follow_symlinks=False)
    except OSError:
        return Thing(entry.path, "gone")
    return _entry(entry.path, facts) if device in {None, facts.st_dev} else Thing(entry.path, "mount")


def _entry(path: str, facts: os.stat_result) -> Thing:
    kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "link"}
    return Thing(path, kinds.get(stat.S_IFMT(facts.st_mode), "other"), facts.st_size)
