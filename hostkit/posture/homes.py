"""The homes of this machine, and what of people's credentials lies in them, found by one look at each folder."""

import fnmatch
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hostkit.errors import CannotTell
from hostkit.host import NO_SHELLS, Host, accounts
from hostkit.posture.personal import FAMILIES, Form
from hostkit.posture.readings import once

_NO_HOMES = ("/bin", "/boot", "/dev", "/etc", "/nonexistent", "/proc", "/run", "/sbin", "/sys", "/usr", "/var/backups")
_NOR_THESE = ("/var/cache", "/var/mail", "/var/run", "/var/spool")
_MOST_HOMES = 500
_MOST_FOUND = 2000
_CREDENTIALS = re.compile(r"\bcred(?:entials)?=([^,\s]+)")


@once
def searched(host: Host) -> tuple[str, ...]:
    """Return each account's home, and each folder of /home: accounts of a directory service are in no file here."""
    told = [line[5].rstrip("/") for line in accounts(host)]
    found = dict.fromkeys(["/root", *told, *(f"/home/{name}" for name in sorted(host.names("/home")))])
    return tuple(place for place in found if place.startswith("/") and not _is_the_systems(place))


@once
def people(host: Host) -> tuple[str, ...]:
    """Return the homes of root, of those who can log in, and of those whom only a directory service knows."""
    entries = [line for line in accounts(host) if line[2].isdigit()]
    able = {line[5] for line in entries if line[6] not in NO_SHELLS and (int(line[2]) >= 1000 or line[2] == "0")}
    service = {line[5] for line in entries} - able
    return tuple(
        place for place in searched(host) if place in able or (place.startswith("/home/") and place not in service)
    )


def _is_the_systems(place: str) -> bool:
    return any(place == folder or place.startswith(f"{folder}/") for folder in (*_NO_HOMES, *_NOR_THESE))


@dataclass(frozen=True)
class Lying:
    """What lies about: the paths of each family with their form, and where one could not look."""

    homes: int
    found: Mapping[str, list[tuple[str, Form]]]
    unseen: tuple[str, ...]


@once
def lying(host: Host) -> Lying:
    """Return every path of the families' tables that is there; who may reach it is not asked here."""
    folders, every = _Folders(host), searched(host)
    found: dict[str, list[tuple[str, Form]]] = {family: [] for family in FAMILIES}
    crowded: set[str] = set()
    for base in ("/", *every[:_MOST_HOMES]):
        for family, form in folders.likely(base, _WHOLE if base == "/" else _BELOW):
            room = _MOST_FOUND - len(found[family])
            there = folders.at(base, form.path)
            found[family] += [(path, form) for path in there[:room]]
            crowded |= {family} if len(there) > room else set()
    found["passwords"] += [(path, Form(path)) for path in _shares(host)]
    more = [f"{len(every) - _MOST_HOMES} homes past the first {_MOST_HOMES}"] if len(every) > _MOST_HOMES else []
    more += [f"{family} past the first {_MOST_FOUND}" for family in sorted(crowded)]
    return Lying(len(every), found, (*sorted(folders.unseen), *more))


_Table = dict[str, list[tuple[str, Form]]]


def _by_first_word(*, whole: bool) -> _Table:
    """Return the forms of the whole machine, or those below a home, by the first word of their paths."""
    table: _Table = {}
    for family, form in ((family, form) for family, forms in FAMILIES.items() for form in forms):
        if form.path.startswith("/") is whole:
            table.setdefault(form.path.lstrip("/").partition("/")[0], []).append((family, form))
    return table


_WHOLE, _BELOW = _by_first_word(whole=True), _by_first_word(whole=False)


class _Folders:
    """Folders, each listed once; what a folder that cannot be listed holds is not known, and kept as such."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.unseen: set[str] = set()
        self._names = functools.cache(self._listed)

    def likely(self, base: str, table: _Table) -> list[tuple[str, Form]]:
        """Return the forms whose first word is in a folder at all, which in most homes are few."""
        names = self._names(base)
        return [entry for word, entries in table.items() if "*" in word or word in names for entry in entries]

    def at(self, base: str, form: str) -> list[str]:
        """Return the paths below a base that a form stands for."""
        places = [base.rstrip("/")]
        for word in form.strip("/").split("/"):
            places = [f"{place}/{name}" for place in places for name in self._matching(place or "/", word)]
        return places

    def _matching(self, folder: str, word: str) -> Iterable[str]:
        names = self._names(folder)
        if "*" in word:
            return fnmatch.filter(names, word)
        return (word,) if word in names else ()

    def _listed(self, folder: str) -> frozenset[str]:
        try:
            return frozenset(self._host.names(folder))
        except CannotTell as why:
            self.unseen.add(str(why))
            return frozenset()


def _shares(host: Host) -> list[str]:
    """Return the files of which /etc/fstab says that a share's password is in them."""
    if host.stat("/etc/fstab") is None:
        return []
    lines = [line for line in host.read("/etc/fstab").splitlines() if not line.lstrip().startswith("#")]
    return [path for line in lines for path in _CREDENTIALS.findall(line)]
