"""What a policy would make of requests that are on record: the same judgement, over lines instead of connections."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hostkit.gateway.decide import decide, is_listed
from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.judge import Request, route_of, service_of
from hostkit.gateway.inspect.paths import canonical_path
from hostkit.gateway.records import plain
from hostkit.gateway.requests import Denied
from hostkit.gateway.rules import Rules

_DECIDED = frozenset({"intent", "denied"})
_OF_POLICY = frozenset(
    {"not-listed", "port-not-listed", "path-not-listed", "method-not-listed", "path-unclear", "upgrade"}
)
"""Rules that a record shows whole. What was denied for its key, its body or its haste is so under any policy."""
_OWN = frozenset({"verify"})
"""Requests that the gateway makes itself, which no policy line is for."""


@dataclass(frozen=True, order=True)
class Asked:
    """One kind of request, as a record tells it; `method` is empty for what is not opened, `port` 0 for a lookup."""

    name: str
    port: int
    method: str
    path: str

    def __str__(self) -> str:
        if not self.port:
            return f"the name {self.name}"
        return f"{self.method} {self.name}{self.path}" if self.method else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class Change:
    """What would be otherwise: how often it was asked, what was said then, and what would be said now."""

    asked: Asked
    times: int
    then: str
    now: str


def replay(lines: Iterable[str], client: str, rules: Rules) -> tuple[int, tuple[Change, ...]]:
    """Return how many records of the client were judged again, and those kinds of request that would end otherwise.

    Judged is what a record holds: name, port, method and path. A key, a body and an answer are in no record, so a
    change that hangs on them does not show.
    """
    counted: Counter[tuple[Asked, str]] = Counter()
    for record in map(plain, lines):
        then = "" if record.get("event") == "intent" else str(record.get("rule"))
        if record.get("client") == client and _is_judged(record) and (not then or then in _OF_POLICY):
            counted[_asked(record), then] += 1
    judged = (Change(asked, times, then, verdict(asked, rules)) for (asked, then), times in sorted(counted.items()))
    return counted.total(), tuple(change for change in judged if bool(change.now) != bool(change.then))


def _is_judged(record: dict[str, Any]) -> bool:
    return record.get("event") in _DECIDED and record.get("kind") not in _OWN


def verdict(asked: Asked, rules: Rules) -> str:
    """Return the rule by which these rules would refuse it, empty if they would not."""
    if not asked.port:
        return "" if is_listed(rules, asked.name) else "not-listed"
    forwards = {(forward.name, forward.port) for forward in rules.forwards}
    decision = decide(rules, asked.name, asked.port)
    if (asked.name, asked.port) in forwards or (decision.allow and not asked.method):
        return ""
    service = service_of(rules, asked.name)
    if not decision.allow or service is None:
        return decision.rule if not decision.allow else "not-opened"
    try:
        path = canonical_path(asked.path, encoded_slash=service.encoded_slash)
        for upgrade in (False, True):
            found = _refusal(service, Request(asked.method, asked.name, asked.path, (), upgrade), path)
            if not found:
                return ""
    except BadRequest as why:
        return why.rule
    return found


def _refusal(service: Any, request: Request, path: str) -> str:
    try:
        route_of(service, request, path)
    except Denied as why:
        return why.rule
    return ""


def _asked(record: dict[str, Any]) -> Asked:
    port = 0 if record.get("kind") == "dns" else record.get("port")
    text = {key: str(record.get(key) or "") for key in ("name", "method", "path")}
    return Asked(text["name"], port if isinstance(port, int) else 0, text["method"], text["path"])
