"""A request's head together with all that was judged of it, by the rules and the keys of one moment."""

from dataclasses import dataclass, field
from functools import cached_property

from hostkit.gateway.http import RequestHead, keeps
from hostkit.gateway.inspect.judge import Allowed, Request
from hostkit.gateway.inspect.vault import Vault
from hostkit.gateway.rules import Rules

_LONGEST = 4096
"""Octets of a head that is kept for the next one: each idle connection holds one."""


@dataclass(frozen=True)
class Judged:
    """What `raw` asks for and on what terms it may go on; `shown` is its path in records, `out` its head upstream."""

    raw: bytes
    rules: Rules
    vault: Vault
    head: RequestHead
    request: Request
    allowed: Allowed
    shown: str
    out: bytes = field(repr=False)

    def is_of(self, raw: bytes, rules: Rules, vault: Vault) -> bool:
        """Return whether to judge this head on the same connection would come to the same: it hangs on nothing else."""
        return self.raw == raw and self.rules is rules and self.vault is vault

    @property
    def may_be_kept(self) -> bool:
        """Whether it is good for the next request: a ticket comes and goes, and a long head takes room."""
        return not self.allowed.route.ticket and len(self.raw) <= _LONGEST

    @cached_property
    def named(self) -> dict[bytes, bytes]:
        """The agent's headers by name."""
        return dict(self.head.headers)

    @cached_property
    def keeps(self) -> bool:
        """Whether the agent's connection may take another request."""
        return keeps(self.head)

    @cached_property
    def waits(self) -> bool:
        """Whether the agent waits for a word before it sends the body (RFC 9110 section 10.1.1)."""
        return self.named.get(b"expect", b"").strip().lower() == b"100-continue" and not self.head.old

    @cached_property
    def words(self) -> list[str]:
        """What the address says, word by word: of the query, what stands behind `=`."""
        words = [word for piece in self.request.target.split("?") for word in piece.replace("&", "/").split("/")]
        return [word.partition("=")[2] or word for word in words]
