"""Accounts as the fence names them: by a mark in its draft, and by their number in what the kernel takes.

nft knows names too, but a fence with the name of an account that is gone does not load at all, at boot least of all.
"""

import re
from collections.abc import Mapping

_MARK = re.compile(r"<uid of ([^>]+)>")


def uid_of(name: str) -> str:
    """Return the mark that stands for an account's uid."""
    return f"<uid of {name}>"


def named(rule: str) -> frozenset[str]:
    """Return the accounts whose marks stand in a rule."""
    return frozenset(_MARK.findall(rule))


def uids(passwd: str) -> dict[str, int]:
    """Return the uid of each account of /etc/passwd."""
    lines = [line.split(":") for line in passwd.splitlines()]
    return {line[0]: int(line[2]) for line in lines if len(line) == 7 and line[2].isdecimal()}


def filled(draft: str, accounts: Mapping[str, int]) -> str:
    """Return a draft with uids for its marks, less the lines of accounts that are not there."""
    kept = [line for line in draft.splitlines() if named(line) <= accounts.keys()]
    return _MARK.sub(lambda mark: str(accounts[mark[1]]), "\n".join(kept)) + "\n"
