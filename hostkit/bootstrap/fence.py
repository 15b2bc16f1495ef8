"""The fence as nftables text, and what it leaves open in words: pure, from the policy and this host's accounts."""

from collections.abc import Iterable, Mapping

from hostkit.bootstrap.accounts import filled, named
from hostkit.bootstrap.ways import inward, outward, through
from hostkit.policy import GATEWAY_ACCOUNT, Policy

_TEXT = """\
# Written by hostkit bootstrap from {path}; the next bootstrap writes it again.
add table inet hostkit
delete table inet hostkit
table inet hostkit {{
{chains}\
}}
"""
_CHAIN = """\
    chain {hook} {{
        type filter hook {hook} priority -10; policy drop;
{rules}\
        limit rate 5/second burst 20 packets log prefix "hostkit-{short} "
        counter comment "dropped"
    }}
"""
_CHAINS = (("input", "in", inward), ("output", "out", outward), ("forward", "fwd", through))


def draft(policy: Policy) -> str:
    """Return the whole table as one nftables transaction, but for the uids: accounts that plays make come last.

    Equal policies give equal text. Nothing but `table inet hostkit` is named (design, decision 15).
    """
    chains = [
        _CHAIN.format(hook=hook, short=short, rules="".join(f"        {way.rule}\n" for way in ways(policy)))
        for hook, short, ways in _CHAINS
    ]
    return _TEXT.format(path=policy.path, chains="".join(chains))


def ruleset(policy: Policy, accounts: Mapping[str, int]) -> str:
    """Return the table as nft takes it; `accounts` is name to uid of this host's accounts."""
    return filled(draft(policy), accounts)


def open_ways(policy: Policy, accounts: Iterable[str]) -> tuple[str, ...]:
    """Return, in words, everything that the fence leaves open: in, out and through, one line each.

    `accounts` are this host's; the gateway's is counted in, for bootstrap makes it.
    """
    present = {*accounts, GATEWAY_ACCOUNT}
    lines = [
        f"{label}: {way.says}"
        for label, ways in (("in", inward(policy)), ("out", outward(policy)), ("through", through(policy)))
        for way in ways
        if way.says and named(way.rule) <= present
    ]
    return tuple(dict.fromkeys(lines))
