"""What the checks are, before any is run: the list, and one check explained."""

import json
from collections.abc import Iterable

from hostkit.posture.model import Check


def list_text(checks: Iterable[Check]) -> str:
    """Return one line per check."""
    return "\n".join(f"{entry.id:<22} {entry.severity:<7} {entry.title}" for entry in checks)


def list_json(checks: Iterable[Check]) -> str:
    """Return what is known of every check before it runs."""
    names = ("id", "title", "severity", "kind", "why", "fix", "play", "references", "platforms", "unhardened")
    return json.dumps([{name: getattr(entry, name) for name in names} for entry in checks], indent=1)


def explain(entry: Check) -> str:
    """Return a check's guarantee, why it matters on an agent's host, what makes it true, and who else asks for it."""
    platforms = ", ".join(entry.platforms)
    lines = [f"{entry.id} ({entry.severity}; {platforms}; a {entry.kind})", entry.title]
    lines += [f"Why: {entry.why}", f"Fix: {entry.fix}"]
    return "\n".join(lines + ([f"See: {', '.join(entry.references)}"] if entry.references else []))
