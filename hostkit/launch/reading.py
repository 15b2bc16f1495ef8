"""What containers wrote, made safe for a terminal; and what was denied, with the line that would allow it."""

import json
import time
from collections import Counter, defaultdict
from contextlib import suppress

from hostkit.health import gateway_fault
from hostkit.launch.session import Session
from hostkit.policy.egress import Egress

_LONGEST = 2000
_MOST = 200
"""Names shown; an agent can ask for as many as it likes."""
_EACH = 20
"""Kinds of request shown for each name."""
_Reason = tuple[int, str, str]
"""Port, rule, and for what is opened the method and the path."""
_RESERVED = ".invalid"
"""A top-level name that nobody can own (RFC 6761): what proofs and drills ask for lies below it."""


def safe(line: str) -> str:
    """Return a line with every control character escaped and its length capped at 2000 characters."""
    shown = "".join(c if c == "\t" or (c.isprintable()) else f"\\x{ord(c):02x}" for c in line[:_LONGEST])
    return shown + (" [cut]" if len(line) > _LONGEST else "")


def agent_lines(session: Session, client: str, lines: int) -> list[str]:
    """Return the last lines the agent wrote."""
    return [safe(line) for line in session.engine.logs(f"hostkit-{client}-agent", lines).splitlines()]


def denied_lines(session: Session, client: str, *, suggest: bool) -> list[str]:
    """Return why the gateway is closed if it is, then each denied name with its reasons, the most asked first."""
    fault = gateway_fault(session.engine.gateway_status(client), time.time(), session.kept(client).get("proved"))
    data = session.engine.fetch(f"hostkit-{client}-gateway", "/records/requests.jsonl")
    return [*([safe(f"gateway: {fault.why}")] if fault else []), *denials(data, suggest=suggest)]


def denials(data: bytes, *, suggest: bool) -> list[str]:
    """Return what records say was denied, grouped by name; with `suggest` the policy line that would allow each."""
    counted: dict[str, Counter[_Reason]] = defaultdict(Counter)
    for line in data.splitlines():
        with suppress(ValueError, AttributeError):
            record = json.loads(line)
            if record.get("event") == "denied":
                asked = f"{record.get('method', '')} {record.get('path', '')}".strip()
                counted[str(record.get("name"))][int(record.get("port") or 0), str(record.get("rule")), asked] += 1
    own = sum(counted.pop(name).total() for name in [name for name in counted if name.endswith(_RESERVED)])
    by_count = sorted(counted.items(), key=lambda item: -item[1].total())
    found = [line for name, reasons in by_count[:_MOST] for line in _group(name, reasons, suggest=suggest)]
    found += [f"and {len(by_count) - _MOST} names more"] if len(by_count) > _MOST else []
    return [*found, *([f"{own:6d}  names below .invalid, which the proofs and drills ask for"] if own else [])]


def _group(name: str, reasons: Counter[_Reason], *, suggest: bool) -> list[str]:
    most = reasons.most_common(_EACH)
    found = [safe(f"{count:6d}  {name}:{port}  {rule}  {asked}".rstrip()) for (port, rule, asked), count in most]
    found += [f"        and {len(reasons) - _EACH} kinds more of {name}"] if len(reasons) > _EACH else []
    unlisted = {port for port, rule, _ in reasons if rule in {"not-listed", "port-not-listed"}}
    return [*found, *(_suggestion(name, sorted(unlisted - {0, 53})) if suggest and unlisted else [])]


def _suggestion(name: str, ports: list[int]) -> list[str]:
    """Return the line that the policy would take, none for a name that it would not: the agent chose its letters."""
    if "*" in name:
        return []
    try:
        Egress(name=name, ports=tuple(ports) or (443,))
    except ValueError:
        return []
    shown = "" if ports in ([], [443]) else f", ports: {ports}"
    line = f"        allow with: - {{name: {name}{shown}}}   # anything can be sent to {name}, and read from it"
    raw = "                    plain TCP, such as a database: - {name: NAME, raw: PORT}"
    return [line, *([raw.replace("NAME", name)] if not ports else [])]
