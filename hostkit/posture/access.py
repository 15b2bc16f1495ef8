"""Who may open what: the kernel's own rules over a whole path, for whom hostkit does not trust."""

import functools
from collections.abc import Container
from dataclasses import dataclass

from hostkit.errors import CannotTell
from hostkit.host import Entry, FileFacts, Host, accounts
from hostkit.policy import Policy
from hostkit.policy.uids import UIDS
from hostkit.posture.readings import once

READ, WRITE, ENTER = 4, 2, 1
"""The three bits of a permission, as in a mode's last digit."""
_MOST_LINKS = 40  # as many as the kernel follows
_USER, _GROUP_OWNER, _GROUP, _MASK = 0x02, 0x04, 0x08, 0x10


@dataclass(frozen=True)
class Reader:
    """Somebody who is not trusted: the uids and gids that are theirs."""

    uids: Container[int]
    gids: Container[int]


CLIENTS = Reader(UIDS, UIDS)
"""Every client's agent and gateway, as the host's kernel knows them: no group but their own."""


def untrusted(host: Host, policy: Policy) -> tuple[Reader, ...]:
    """Return the clients, and the agent's account with all its groups where there is one."""
    entry = next((line for line in accounts(host) if line[0] == policy.host.account), None)
    if entry is None:
        return (CLIENTS,)
    if not (entry[2].isdigit() and entry[3].isdigit()):
        raise CannotTell(f"/etc/passwd gives {entry[0]} no number")
    lines = [line.split(":") for line in host.read("/etc/group").splitlines() if line.count(":") == 3]
    named = {int(gid) for _, _, gid, members in lines if gid.isdigit() and entry[0] in members.split(",")}
    return (Reader(frozenset({int(entry[2])}), frozenset({int(entry[3]), *named})), CLIENTS)


def grants(reader: Reader, facts: FileFacts, bit: int, acl: tuple[Entry, ...] = ()) -> bool:
    """Return whether the kernel grants this reader the bit: by owner, else list, else group, else everybody.

    An owner always may: who owns a thing may chmod it.
    """
    if facts.uid in reader.uids or 0 in reader.uids:
        return True
    mask = next((entry.bits for entry in acl if entry.tag == _MASK), 7)
    for entry in acl:
        if entry.tag == _USER and entry.number in reader.uids:
            return bool(entry.bits & mask & bit)
    found = [entry.bits & mask for entry in acl if entry.tag == _GROUP and entry.number in reader.gids]
    if facts.gid in reader.gids:
        found += [entry.bits & mask for entry in acl if entry.tag == _GROUP_OWNER] if acl else [facts.mode >> 3]
    return any(bits & bit for bits in found) if found else bool(facts.mode & bit)


class Paths:
    """The paths of a host, each looked at once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.facts = functools.cache(host.stat)
        self._link = functools.cache(host.link)
        self._acl = functools.cache(host.acl)

    def may(self, reader: Reader, path: str, bit: int) -> bool:
        """Return whether the reader gets through to what a path leads to and has the bit there."""
        way = self.way(path)
        return (
            bool(way)
            and all(self._granted(reader, _above(place), ENTER) for place in way[1:])
            and (self._granted(reader, way[-1], bit))
        )

    def may_change(self, reader: Reader, path: str) -> bool:
        """Return whether the reader may write what a path leads to, or put something else in its place on the way."""
        way = self.way(path)
        for place in way[1:]:
            folder = _above(place)
            if not self._granted(reader, folder, ENTER):
                return False
            if self._granted(reader, folder, WRITE) and self._movable(reader, folder, place):
                return True
        end = self.facts(way[-1]) if way else None  # a device or a socket that is written to stays what it was
        return end is not None and end.kind in {"file", "directory"} and self._granted(reader, way[-1], WRITE)

    def way(self, path: str) -> tuple[str, ...]:
        """Return every folder and link that a path leads through, its end last; nothing if it leads nowhere."""
        passed, left, place, links = ["/"], _words(path), "/", 0
        while left:
            word = left.pop()
            place = _above(place) if word == ".." else f"{place.rstrip('/')}/{word}"
            facts = self.facts(place)
            links += facts is not None and facts.kind == "link"
            if facts is None or links > _MOST_LINKS:
                return ()
            passed.append(place)
            if facts.kind == "link":
                target = self._link(place) or ""
                place = "/" if target.startswith("/") else _above(place)
                left += _words(target)
                passed += [] if left else [place]
        return tuple(passed)

    def _granted(self, reader: Reader, place: str, bit: int) -> bool:
        facts = self.facts(place)
        if facts is None:
            return False
        beyond = self._acl(place) if facts.mode & (bit << 3) else ()  # a list's mask stands where the group's bits do
        return grants(reader, facts, bit, beyond)

    def _movable(self, reader: Reader, folder: str, place: str) -> bool:
        """Return whether who may write a folder may move what is in it: in a sticky one only what is theirs."""
        around, inside = self.facts(folder), self.facts(place)
        if around is None or inside is None:
            return False
        return not around.mode & 0o1000 or inside.uid in reader.uids or around.uid in reader.uids


def _above(place: str) -> str:
    return place.rpartition("/")[0] or "/"


def _words(path: str) -> list[str]:
    """Return the words of a path, the first one last."""
    return [word for word in reversed(path.split("/")) if word not in {"", "."}]


@once
def paths(host: Host) -> Paths:
    """Return the host's paths, looked at once a run."""
    return Paths(host)
