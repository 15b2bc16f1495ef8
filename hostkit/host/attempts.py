"""Attempts to get out, made as another account: what is tried, what came of it, and the child that tries."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hostkit.errors import CannotTell

WAIT = {"tcp": 0.15, "udp": 0.15, "tls": 3.0, "http": 3.0, "raw": 2.5}
"""The kinds of a try, and the seconds that each waits for an answer. `tcp` and `udp` send one packet to `place`; `tls`
and `http` ask the proxy that listens at `place` for `name`; `raw` takes the port at `place` for the name behind it."""
WORDS = frozenset({"answered", "refused", "no-way", "sent", "silent", "denied"})
"""What can come of a try: somebody answered; the kernel refused the packet; there is no way there, so nothing was sent;
it was sent and nothing came back; nothing was said in time; the other side said no, or hung up."""
_CHILD = str(Path(__file__).with_name("attempts_child.py"))
_PATIENCE = 9.0


@dataclass(frozen=True)
class Try:
    """One attempt; `place` is an address and a port."""

    kind: str
    place: tuple[str, int]
    name: str = ""
    port: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of a try: one of WORDS, and what was said."""

    word: str
    detail: str = ""


def made(run: Callable[..., str], uid: int, gid: int, tries: Sequence[Try]) -> tuple[Outcome, ...]:
    """Return what came of each try, in order; raise CannotTell where the child could not become that account.

    The child starts as root, for hostkit's own Python may lie where the account cannot read, and gives up everything
    before it opens a socket. `run` is Host.run.
    """
    if os.geteuid() != 0:
        raise CannotTell("another account's way out cannot be tried without root", "sudo hostkit check")
    asked = {"uid": uid, "gid": gid, "wait": WAIT, "tries": [asdict(entry) for entry in tries]}
    return told(run(sys.executable, "-I", "-S", _CHILD, timeout=_PATIENCE, stdin=json.dumps(asked)), len(tries))


def told(text: str, number: int) -> tuple[Outcome, ...]:
    """Return the outcomes in the child's words; raise CannotTell unless there is one of WORDS for each try."""
    try:
        found = [Outcome(str(word), str(detail)) for word, detail in json.loads(text)]
    except (ValueError, TypeError) as why:
        raise CannotTell(f"the child that tries said nothing that can be read: {why}") from None
    if len(found) != number or not {entry.word for entry in found} <= WORDS:
        raise CannotTell("the child that tries did not say what came of each try")
    return tuple(found)
