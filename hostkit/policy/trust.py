"""The five trust levels: what each may do, and which of it nothing enforces yet.

The rules are the note's own, row TR1 of what must be true. A host that is tunnelled is not opened by the gateway,
so rules about methods and statements cannot be enforced on it; hostkit says so instead of staying silent.
"""

from dataclasses import dataclass

from hostkit.policy.model import Client


@dataclass(frozen=True)
class Rule:
    """One rule of a trust level: `subject` is the plane, `says` what the level may do there."""

    subject: str
    says: str


LEVELS: dict[str, tuple[Rule, ...]] = {
    "observer": (
        Rule("http methods", "reads only (GET, HEAD)"),
        Rule("statements", "no statement that writes"),
        Rule("messages", "posts nothing"),
    ),
    "analyst": (
        Rule("http methods", "reads, and the posts that a query needs"),
        Rule("statements", "reads only, on every schema"),
        Rule("messages", "posts to the listed channels, masked"),
    ),
    "operator": (
        Rule("http methods", "listed methods"),
        Rule("statements", "writes only into the listed development schemas"),
        Rule("messages", "posts to the listed channels, masked"),
    ),
    "contributor": (
        Rule("http methods", "listed methods"),
        Rule("statements", "writes only into the listed development schemas"),
        Rule("git", "pushes branches through a second sandbox, never to the main branch"),
    ),
    "deployer": (
        Rule("http methods", "listed methods"),
        Rule("statements", "writes into the listed schemas, tests and rollback named"),
        Rule("git", "merges only with tests and a rollback on record"),
    ),
}


def unenforced(client: Client) -> tuple[str, ...]:
    """Return one sentence for each rule of the client's level that nothing enforces, naming the tunnelled hosts."""
    hosts = sorted({f"{way.name}:{way.raw}" if way.raw else way.name for way in client.egress})
    if not hosts:
        return ()
    return tuple(
        f"{client.trust}: {rule.subject} ({rule.says}) is not enforced on {', '.join(hosts)}: tunnelled, not opened"
        for rule in LEVELS[client.trust]
    )
