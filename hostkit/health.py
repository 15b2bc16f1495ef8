"""Whether a client's gateway stands, from the engine's and the gateway's own words: `ps` and the check say the same."""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

STALE = 4.0
"""Seconds after which a gateway that says nothing of itself counts as hung; it writes its status each second."""


@dataclass(frozen=True)
class Fault:
    """Why a gateway does not stand; not `certain` where that could only not be told."""

    why: str
    certain: bool = True


def gateway_fault(gateway: dict[str, Any] | None, now: float, proved: float | None) -> Fault | None:
    """Return what is wrong with a gateway, None if it stands.

    `gateway` is its container's state with its own status, `proved` when its walls were last proved (None: not known).
    """
    if gateway is None:
        return Fault("its container is gone; nothing leaves; run hostkit launch")
    if not gateway["container"].get("Running"):
        return Fault(f"{ended(gateway['container'])}; nothing leaves; run hostkit launch")
    if gateway.get("state") == "unknown":
        return Fault(str(gateway.get("why")), certain=False)
    if gateway.get("state") != "open":
        return Fault(f"closed: {_with_advice(str(gateway.get('why') or 'no reason given'))}")
    at = gateway.get("at")
    silent = now - (at if isinstance(at, int | float) else 0.0)
    if silent > STALE:
        return Fault(f"has said nothing for {silent:.0f} s")
    return _unproved(gateway, proved)


def _unproved(gateway: dict[str, Any], proved: float | None) -> Fault | None:
    again = "run hostkit launch to prove them again"
    if proved is None:
        known = int(gateway.get("restarts", 0)) == 0
        return None if known else Fault(f"restarted, and it is not known when its walls were proved; {again}", False)
    started = _started(gateway["container"])
    return Fault(f"restarted since its walls were proved; {again}") if started and started > proved else None


def _started(state: dict[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(state.get("StartedAt"))).timestamp()
    except ValueError:
        return 0.0


def _with_advice(why: str) -> str:
    if "budget" in why:
        return f"{why}; raise limits.records in the policy, then hostkit launch; no record is ever deleted"
    if "are free for records" in why:
        return f"{why}; make room where the engine keeps its volumes, it opens again by itself"
    if why.startswith("rules.json"):
        return f"{why}; hostkit launch writes the rules anew"
    return why


def ended(state: dict[str, Any]) -> str:
    """Return how a container that does not run came to its end."""
    code = state.get("ExitCode")
    reason = "out of memory" if state.get("OOMKilled") else "killed" if code == 137 else state.get("Error") or "ended"
    return f"not running ({state.get('Status')}, {reason}, exit {code})"


def state_directory() -> Path:
    """Return where hostkit keeps what it remembers between launches."""
    return Path(os.environ.get("HOSTKIT_STATE", "/var/lib/hostkit"))


def remembered(text: str) -> dict[str, dict[str, Any]]:
    """Return what state.json holds of each client, nothing if it holds nothing that is understood."""
    try:
        return dict(json.loads(text)["clients"])
    except (ValueError, KeyError, TypeError):
        return {}
