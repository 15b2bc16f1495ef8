"""The five trust levels: what each may do, and which of it nothing enforces yet.

The rules are the note's own, row TR1 of what must be true. A host that is tunnelled is not opened by the gateway,
so rules about methods and statements cannot be enforced on it; a service is opened, and says itself what it lacks.
hostkit tells both instead of staying silent.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hostkit.policy.levels import reaches
from hostkit.policy.model import Client
from hostkit.policy.services.clash import hosts as hosts_of
from hostkit.policy.services.line import ServiceLine


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
    """Return one sentence for each rule of the client's level that nothing enforces, with its hosts and why."""
    hosts = sorted({f"{way.name}:{way.raw}" if way.raw else way.name for way in client.egress})
    rules = LEVELS[client.trust]
    tunnels = [_sentence(client, rule, hosts, "tunnelled, not opened") for rule in rules] if hosts else []
    return (*tunnels, *(said for line in client.services.values() for said in _lacking(client, line)))


def _lacking(client: Client, line: ServiceLine) -> list[str]:
    return [
        _sentence(client, rule, hosts_of(line), lack.why)
        for lack in line.form.lacks
        for rule in LEVELS[client.trust]
        if rule.subject == lack.subject and reaches(client.trust, lack.level)
    ]


def _sentence(client: Client, rule: Rule, hosts: Iterable[str], why: str) -> str:
    return f"{client.trust}: {rule.subject} ({rule.says}) is not enforced on {', '.join(hosts)}: {why}"
