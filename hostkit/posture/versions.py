"""Debian's order of versions, as deb-version(7) gives it: pure."""

import functools
import itertools
import re

_PARTS = re.compile(r"(\D*)(\d*)")


def older(one: str, other: str) -> bool:
    """Return whether a version comes before another."""
    return compared(one, other) < 0


def compared(one: str, other: str) -> int:
    """Return -1, 0 or 1 as one version comes before the other, is it, or comes after."""
    ours, theirs = _key(one), _key(other)
    return (ours > theirs) - (ours < theirs)


@functools.total_ordering
class _Text:
    """A stretch without digits: `~` comes before its end, its end before letters, letters before all else."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Text) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __lt__(self, other: "_Text") -> bool:
        pairs = itertools.zip_longest(self._text, other._text, fillvalue="")
        return next((_rank(a) < _rank(b) for a, b in pairs if a != b), False)


def _rank(letter: str) -> int:
    if letter == "~":
        return -1
    return 0 if not letter else ord(letter) + (0 if letter.isalpha() else 256)


def _key(version: str) -> tuple[int, list[tuple[_Text, int]], list[tuple[_Text, int]]]:
    epoch, _, rest = version.rpartition(":") if ":" in version else ("0", "", version)
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    number = epoch.partition(":")[0]
    return int(number) if number.isdecimal() else 0, _stretches(upstream), _stretches(revision)


def _stretches(text: str) -> list[tuple[_Text, int]]:
    """Return the stretches by turns; every list ends alike, so that what is longer is compared with an end."""
    found = [(_Text(words), int(digits or 0)) for words, digits in _PARTS.findall(text) if words or digits]
    end = (_Text(""), 0)
    return [*(found or [end]), end]
