"""Where a bootstrap runs: what it must know of a Linux box, and of a Mac, behind the same questions."""

from collections.abc import Iterable
from typing import Any, Protocol

from hostkit.bootstrap import confirm
from hostkit.bootstrap.accounts import uids
from hostkit.bootstrap.cut import Cut, cut
from hostkit.bootstrap.fence import open_ways, ruleset
from hostkit.bootstrap.guard import refuse, refuse_keyless
from hostkit.bootstrap.mac.site import MacSite
from hostkit.bootstrap.plays import variables
from hostkit.bootstrap.scratch import refuse_disk
from hostkit.host import Host, Login, apt_sources
from hostkit.policy import Policy
from hostkit.policy.mirrors import unlisted


class Site(Protocol):
    """A machine that is about to be hardened, looked at once."""

    @property
    def sessions(self) -> tuple[Login, ...]:
        """Return the live SSH sessions."""

    def refuse(self, subjects: Iterable[str]) -> None:
        """Raise HostkitError for the first thing that would make the plays of these subjects fail, or cut a session."""

    def question(self) -> tuple[str, tuple[str, ...]]:
        """Return what only the owner can decide, explained, and the answers that count; empty if nothing is open."""

    def answer(self, word: str) -> None:
        """Take the answer to the question."""

    def variables(self, over: str, far: tuple[str, ...]) -> dict[str, Any]:
        """Return what the plays take; `over` and `far` say how the fence is confirmed."""

    def warnings(self) -> list[str]:
        """Return one line for each thing that will not work behind the fence, though it may be meant."""

    def stands(self) -> bool:
        """Return whether the very fence that a run would put up was confirmed and is up."""

    def cuts(self) -> tuple[Cut, ...]:
        """Return who talks now and would be cut by the fence."""

    def open_ways(self) -> tuple[str, ...]:
        """Return, in words, what the fence leaves open, one line each."""


def site(host: Host, policy: Policy) -> Site:
    """Return this machine; raise CannotTell for what it does not show."""
    return MacSite(host, policy) if host.platform == "darwin" else LinuxSite(host, policy)


class LinuxSite:
    """A Linux box."""

    def __init__(self, host: Host, policy: Policy) -> None:
        self._host, self._policy = host, policy
        self._standing = confirm.standing(host)
        self._accounts = uids(self._standing.passwd)

    @property
    def sessions(self) -> tuple[Login, ...]:
        return self._standing.sessions

    def refuse(self, subjects: Iterable[str]) -> None:
        refuse(self._policy, self._standing)
        if "ssh" in subjects:
            refuse_keyless(self._standing)
        refuse_disk(self._host.read("/proc/self/mountinfo"))

    def question(self) -> tuple[str, tuple[str, ...]]:
        return "", ()

    def answer(self, word: str) -> None:
        raise AssertionError(f"nothing was asked: {word}")

    def variables(self, over: str, far: tuple[str, ...]) -> dict[str, Any]:
        assert self._standing.machine is not None  # noqa: S101 - `refuse` raised
        return variables(self._policy, over, self._standing.machine, far)

    def warnings(self) -> list[str]:
        sources = [self._host.read(path) for path in apt_sources(self._host)]
        missing = ", ".join(unlisted(sources, self._policy.host.egress))
        lost = f"apt fetches from {missing}, which host.egress does not list: no updates behind the fence"
        return [f"warning: {lost}"] if missing else []

    def stands(self) -> bool:
        return confirm.stands(self._host, ruleset(self._policy, self._accounts))

    def cuts(self) -> tuple[Cut, ...]:
        return cut(self._policy, self._accounts, self._standing.addresses, self._host.connections())

    def open_ways(self) -> tuple[str, ...]:
        return open_ways(self._policy, self._accounts)
