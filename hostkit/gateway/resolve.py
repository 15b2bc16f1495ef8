"""A listed name's addresses, asked once of the policy's resolvers and of nobody else."""

import ipaddress

from hostkit.gateway.address import Address

_WAIT = 2.0
"""Seconds one resolver has to answer before the next is asked."""


class NoAddress(OSError):  # noqa: N818 - it is an answer
    """No resolver gave an address for the name."""


async def resolve(name: str, resolvers: tuple[str, ...]) -> tuple[Address, ...]:
    """Return the v4 addresses of a name, in the answer's order; raise NoAddress if no resolver gives any.

    dnspython draws a fresh query id and port, and drops an answer that does not fit the question.
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
        if found := _addresses(reply):
            return found
    raise NoAddress(f"no resolver knows {name}")


def _addresses(reply: object) -> tuple[Address, ...]:
    """Return the A records at the end of the answer's own chain of aliases."""
    import dns.exception  # noqa: PLC0415 - same

    try:
        chain = reply.resolve_chaining()  # type: ignore[attr-defined]
    except dns.exception.DNSException:
        return ()
    return tuple(ipaddress.ip_address(record.address) for record in chain.answer or ())
