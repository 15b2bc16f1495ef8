"""Who may change a file: what several subjects ask of paths that must be root's alone."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from hostkit.host import FileFacts, Host

MOST = 20_000
"""Paths that one check looks at; more than any of them should ever meet."""
_OTHERS, _GROUP, _STICKY = 0o002, 0o020, 0o1000


def writable(host: Host, paths: Iterable[str]) -> list[str]:
    """Return `path: owner 1000, mode 0664` of each path that somebody besides root may change.

    A link's own mode means nothing: name what it leads to as well. What is not there is nobody's.
    """
    found = [(path, facts) for path in paths if (facts := host.stat(path)) is not None]
    return [f"{path}: owner {facts.uid}, mode {facts.mode:04o}" for path, facts in found if not _closed(facts)]


def closing(host: Host, paths: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the commands that give these paths back to root alone."""
    open_ones = [path for path in paths if (facts := host.stat(path)) is not None and not _closed(facts)]
    if not open_ones:
        return ()
    return (("chown", "-h", "root:root", "--", *open_ones), ("chmod", "go-w", "--", *open_ones))


def _closed(facts: FileFacts) -> bool:
    if facts.kind == "link":
        return facts.uid == 0
    # In a sticky folder nobody replaces what is another's; what lies in it is judged by itself.
    held = facts.kind == "directory" and facts.mode & _STICKY
    by_group = facts.mode & _GROUP and facts.gid != 0
    return facts.uid == 0 and bool(held or not (facts.mode & _OTHERS or by_group))


def above(path: str) -> Iterator[str]:
    """Yield every folder above a path: who may write to one of them may put another in its place."""
    yield from map(str, PurePosixPath(path).parents)


def reached(host: Host, path: str) -> list[str]:
    """Return every folder and link on the way to a path, by whatever links it leads, and the path itself."""
    seen: dict[str, None] = {}
    for _ in range(_LINKS):
        way = [*reversed(list(above(path))), path]
        turn = next((part for part in way if part not in seen and host.link(part) is not None), "")
        seen |= dict.fromkeys(way[: way.index(turn) + 1] if turn else way)
        if not turn:
            break
        path = _plain(str(PurePosixPath(turn).parent / str(host.link(turn))) + path[len(turn) :])
    return list(seen)


_LINKS = 40
"""As many as the kernel follows before it gives up."""


def _plain(path: str) -> str:
    """Return a path without `..`; what is before one is no link any more when this is asked."""
    words: list[str] = []
    for word in PurePosixPath(path).parts[1:]:
        if word == "..":
            del words[-1:]
        else:
            words.append(word)
    return "/" + "/".join(words)
