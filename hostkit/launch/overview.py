"""What runs, whether it stands, and if not, which part and why."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from hostkit.launch.session import Session

STALE = 4.0
"""Seconds after which a gateway that says nothing of itself counts as hung; it writes its status each second."""


@dataclass(frozen=True)
class Row:
    """One client's sandbox: `why` is empty when everything stands."""

    client: str
    trust: str
    agent: str
    gateway: str
    why: str
    notes: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether agent and gateway do what the policy asks."""
        return not self.why

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain data, with `stands`."""
        return {**asdict(self), "stands": self.stands}

    def as_text(self) -> str:
        """Return the row as lines for people."""
        head = f"{self.client}  {self.trust}  agent {self.agent}  gateway {self.gateway}"
        lines = [f"{head}  {'stands' if self.stands else 'DOES NOT STAND: ' + self.why}"]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def overview(session: Session) -> list[Row]:
    """Return a row for each client that has a container or was launched and not stopped."""
    return [_row(session, name) for name in session.launched()]


def _row(session: Session, name: str) -> Row:
    entry, documents = session.kept(name), session.parts(name)
    agent, gateway = documents.get("agent"), session.engine.gateway_status(name)
    why = judge(agent and agent["State"], gateway, time.time(), int(entry.get("restarts", 0)))
    return Row(
        client=name,
        trust=str(entry.get("trust", "?")),
        agent=str((agent or {}).get("State", {}).get("Status", "missing")),
        gateway=str((gateway or {}).get("container", {}).get("Status", "missing")),
        why=why,
        notes=tuple(entry.get("notes", ())),
    )


def judge(agent: dict[str, Any] | None, gateway: dict[str, Any] | None, now: float, restarts: int) -> str:
    """Return why a sandbox does not stand, empty if it does: pure, from the engine's and the gateway's words."""
    if gateway is None:
        return "gateway: its container is gone; nothing leaves; run hostkit launch"
    if not gateway["container"].get("Running"):
        return f"gateway: {_ended(gateway['container'])}; nothing leaves; run hostkit launch"
    wrong = _gateway_itself(gateway, now, restarts)
    if wrong:
        return f"gateway: {wrong}"
    if agent is None or not agent.get("Running"):
        return f"agent: {_ended(agent) if agent else 'its container is gone'}"
    return ""


def _gateway_itself(gateway: dict[str, Any], now: float, restarts: int) -> str:
    silent = now - float(gateway.get("at", 0))
    if gateway.get("state") != "open":
        return f"closed: {gateway.get('why') or 'no reason given'}"
    if silent > STALE:
        return f"has said nothing for {silent:.0f} s"
    if int(gateway.get("restarts", 0)) > restarts:
        return "restarted since the walls were proved; run hostkit launch to prove them again"
    return ""


def _ended(state: dict[str, Any]) -> str:
    code = state.get("ExitCode")
    reason = "out of memory" if state.get("OOMKilled") else "killed" if code == 137 else state.get("Error") or "ended"
    return f"not running ({state.get('Status')}, {reason}, exit {code})"
