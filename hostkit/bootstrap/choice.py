"""Which plays a run takes: all of them, or those that --only and --skip leave."""

import difflib
from collections.abc import Iterable

from hostkit.bootstrap.plays import Play
from hostkit.errors import HostkitError


def choose(every: Iterable[Play], only: Iterable[str] = (), skip: Iterable[str] = ()) -> tuple[Play, ...]:
    """Return the plays that are named (all if none is) less those to be skipped, in their own order.

    A word is a subject (`ssh`), or a file's stem (`30-ssh`); words may be joined by commas. Raise HostkitError for one
    that names no play, and where nothing is left.
    """
    found = tuple(every)
    wanted, unwanted = _files(found, only), _files(found, skip)
    left = tuple(play for play in found if (not wanted or play.stem in wanted) and play.stem not in unwanted)
    if not left:
        raise HostkitError("--only and --skip leave no play", f"plays: {_subjects(found)}")
    return left


def _files(every: tuple[Play, ...], words: Iterable[str]) -> set[str]:
    named = [word.strip() for joined in words for word in joined.split(",")]
    return {_file(every, word) for word in named}


def _file(every: tuple[Play, ...], word: str) -> str:
    names = {name: play.stem for play in every for name in (play.subject, play.stem)}
    if word in names:
        return names[word]
    near = difflib.get_close_matches(word.lower(), names, n=1)
    do = f"did you mean {near[0]}? " if near else ""
    raise HostkitError(f"no play is called {word!r}", f"{do}plays: {_subjects(every)}")


def _subjects(every: Iterable[Play]) -> str:
    return ", ".join(play.subject for play in every)
