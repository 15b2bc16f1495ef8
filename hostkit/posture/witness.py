"""Attempts of the agent's account to get out, and who saw that they did not: the fence's own counters.

That nobody answers shows nothing, for nobody lives at a documentation address. A packet counts as held when the fence
counted it as dropped. So many are sent, drawn anew each round, and so many must be counted, not one more: whoever fills
the counters from beside to hide a hole would have to guess the number.
"""

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from hostkit.errors import CannotTell
from hostkit.host import Host, accounts
from hostkit.host.attempts import Outcome, Try
from hostkit.policy import Policy
from hostkit.posture import fence
from hostkit.posture.model import Verdict, fail, ok

_ROUNDS = 3
_one_at_a_time = threading.Lock()


def agent(host: Host, policy: Policy) -> tuple[int, int]:
    """Return the uid and gid of the agent's account; raise CannotTell if it cannot be taken."""
    if not host.is_root:
        raise CannotTell("the agent's way out cannot be tried without root", "sudo hostkit check")
    found = [line for line in accounts(host) if line[0] == policy.host.account]
    if not found or not (found[0][2] + found[0][3]).isdecimal():
        raise CannotTell(f"there is no account {policy.host.account} to try it as", "sudo hostkit bootstrap")
    if found[0][2] == "0":
        raise CannotTell(f"{policy.host.account} is root", "name another account under host.account")
    return int(found[0][2]), int(found[0][3])


def shown(entry: Try) -> str:
    """Return a try as `tcp [2001:db8::7]:443`."""
    address, port = entry.place
    return f"{entry.kind} {f'[{address}]' if ':' in address else address}:{port}"


@dataclass(frozen=True)
class _Round:
    """What came of each packet, and how many the fence dropped meanwhile."""

    tries: tuple[Try, ...]
    outcomes: tuple[Outcome, ...]
    dropped: int

    @property
    def sent(self) -> int:
        return sum(entry.word in {"sent", "refused"} for entry in self.outcomes)

    def that(self, word: str) -> list[str]:
        """Return the tries of which this came, each once."""
        found = [shown(entry) for entry, told in zip(self.tries, self.outcomes, strict=True) if told.word == word]
        return list(dict.fromkeys(found))


def held(host: Host, policy: Policy, tries: Sequence[Try]) -> Verdict:
    """Return whether nothing of these tries gets out, by the fence's own count of what it dropped."""
    if why := _open(fence.read(host)):
        return fail(why)
    uid, gid = agent(host, policy)
    with _one_at_a_time:
        for _ in range(_ROUNDS):
            done = _round(host, (uid, gid), tries)
            if done.that("answered"):
                return fail(f"{', '.join(done.that('answered'))} answered")
            if done.dropped <= done.sent:
                return _judged(host, (uid, gid), done)
    raise CannotTell("the fence drops other packets all the while, so whose it counted cannot be told")


def _open(found: fence.Fence | str) -> str:
    """Return why nothing needs to be sent to know that it would get out, empty if the fence stands."""
    if isinstance(found, str):
        return found
    chain = found.get("output")
    return "" if chain and chain.policy == "drop" else "the fence does not drop what goes out"


def _round(host: Host, account: tuple[int, int], tries: Sequence[Try]) -> _Round:
    packets = tuple(entry for entry in tries for _ in range(2 + secrets.randbelow(4)))
    before = _count(host)
    outcomes = host.attempts(*account, packets)
    return _Round(packets, outcomes, _count(host) - before)


def _count(host: Host) -> int:
    found = fence.read(host)
    if isinstance(found, str) or "output" not in found:
        raise CannotTell("the fence went away while it was tried")
    return fence.dropped(found, "output")


def _judged(host: Host, account: tuple[int, int], done: _Round) -> Verdict:
    if done.sent == 0:
        raise CannotTell(f"there is no way to {', '.join(done.that('no-way'))}, so nothing could be tried")
    if done.dropped == done.sent:
        none = f"; no way to {', '.join(done.that('no-way'))}" if done.that("no-way") else ""
        return ok(f"{done.sent} packets, each dropped and counted by the fence{none}")
    alone = [_round(host, account, [entry]) for entry in dict.fromkeys(done.tries)]
    leaks = [shown(one.tries[0]) for one in alone if one.dropped < one.sent]
    named = f": {', '.join(leaks)}" if leaks else ""
    return fail(f"the fence did not drop {done.sent - done.dropped} of {done.sent} packets{named}")
