"""A listed name's addresses, asked of the policy's resolvers and of nobody else, and good for as long as they say."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hostkit.gateway.address import Address

LONGEST = 60.0
"""Seconds that an answer is good for at most, whatever its time to live: a service that moves is found within them."""
MOST = 256
"""Answers that are kept; the oldest goes first, for a pattern of the policy lets the agent choose names."""
_WAIT = 2.0
"""Seconds one resolver has to answer before the next is asked."""


class NoAddress(OSError):  # noqa: N818 - it is an answer
    """No resolver gave an address for the name."""


@dataclass
class _Answer:
    until: float
    found: tuple[Address, ...]
    again: bool = False
    """Whether it was given to more than who asked for it."""


class Known:
    """Resolves names, and asks again once an answer's time to live is over; that there is no address is not kept.

    What an address is allowed to be is judged at each dial, by the rules of then.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._answers: OrderedDict[tuple[str, tuple[str, ...]], _Answer] = OrderedDict()

    async def __call__(self, name: str, resolvers: tuple[str, ...]) -> tuple[Address, ...]:
        """Return the v4 addresses of a name; raise NoAddress if no resolver gives any."""
        kept, asked = self._answers.get((name, resolvers)), self._now()
        if kept and asked < kept.until:
            kept.again = True
            return kept.found
        found, life = await resolve(name, resolvers)
        self._answers[name, resolvers] = _Answer(asked + min(life, LONGEST), found)
        self._answers.move_to_end((name, resolvers))
        while len(self._answers) > MOST:
            self._answers.popitem(last=False)
        return found

    def forget(self, name: str, resolvers: tuple[str, ...]) -> bool:
        """Keep an answer that led nowhere no longer; return whether it was an old one, so that to ask anew may help."""
        gone = self._answers.pop((name, resolvers), None)
        return gone is not None and gone.again


async def resolve(name: str, resolvers: tuple[str, ...]) -> tuple[tuple[Address, ...], float]:
    """Return (the v4 addresses of a name, in the answer's order; for how many seconds they are good).

    Raise NoAddress if no resolver gives any. dnspython draws a fresh query id and port, and drops an answer that does
    not fit the question.
    """
    import dns.asyncquery  # noqa: PLC0415 - 40 ms that the gateway's start does not wait for
    import dns.exception  # noqa: PLC0415 - same
    import dns.message  # noqa: PLC0415 - same

    for resolver in resolvers:
        query = dns.message.make_query(name, "A")
        try:
            reply, _ = await dns.asyncquery.udp_with_fallback(query, resolver, timeout=_WAIT)
        except (OSError, dns.exception.DNSException, ValueError):  # dnspython 2.3 lets a bad opcode out as it is
            continue
        found, life = _addresses(reply)
        if found:
            return found, life
    raise NoAddress(f"no resolver knows {name}")


def _addresses(reply: object) -> tuple[tuple[Address, ...], float]:
    """Return the A records at the end of the answer's own chain of aliases, and the shortest life in that chain."""
    import dns.exception  # noqa: PLC0415 - same

    try:
        chain = reply.resolve_chaining()  # type: ignore[attr-defined]
    except dns.exception.DNSException:
        return (), 0.0
    return tuple(ipaddress.ip_address(record.address) for record in chain.answer or ()), float(chain.minimum_ttl)
