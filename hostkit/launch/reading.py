"""What containers wrote, made safe for a terminal; and what was denied, with the line that would allow it."""

import json
from collections import Counter
from contextlib import suppress

from hostkit.launch.session import Session

_LONGEST = 2000


def safe(line: str) -> str:
    """Return a line with every control character escaped and its length capped at 2000 characters."""
    shown = "".join(c if c == "\t" or (c.isprintable()) else f"\\x{ord(c):02x}" for c in line[:_LONGEST])
    return shown + (" [cut]" if len(line) > _LONGEST else "")


def agent_lines(session: Session, client: str, lines: int) -> list[str]:
    """Return the last lines the agent wrote."""
    return [safe(line) for line in session.engine.logs(f"hostkit-{client}-agent", lines).splitlines()]


def denied_lines(session: Session, client: str, *, suggest: bool) -> list[str]:
    """Return each denied name with its count and reason, the most asked first."""
    data = session.engine.fetch(f"hostkit-{client}-gateway", "/records/requests.jsonl")
    counted: Counter[tuple[str, int, str]] = Counter()
    for line in data.splitlines():
        with suppress(ValueError):
            record = json.loads(line)
            if record.get("event") == "denied":
                counted[str(record.get("name")), int(record.get("port") or 0), str(record.get("rule"))] += 1
    found = []
    for (name, port, rule), count in counted.most_common():
        found.append(safe(f"{count:6d}  {name}:{port}  {rule}"))
        if suggest and rule in {"not-listed", "port-not-listed"} and not name.endswith(".invalid"):
            found.append(safe(_suggestion(name, port)))
    return found


def _suggestion(name: str, port: int) -> str:
    ports = "" if port in {0, 53, 443} else f", ports: [{port}]"
    return f"        allow with: - {{name: {name}{ports}}}   # anything can be sent to {name}, and read from it"
