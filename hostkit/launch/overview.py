"""What runs, whether it stands, and if not, which part and why."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from hostkit.health import ended, gateway_fault
from hostkit.launch.alarms import gathered
from hostkit.launch.reading import safe
from hostkit.launch.session import Session

_LEAVES = 6 * 86400.0
"""Seconds after which leaves are late: they live for a week (`hostkit.secrets.authority`)."""


@dataclass(frozen=True)
class Row:
    """One client's sandbox: `why` is empty when everything stands."""

    client: str
    trust: str
    agent: str
    gateway: str
    why: str
    notes: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()

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
        lines = [safe(f"{head}  {'stands' if self.stands else 'DOES NOT STAND: ' + self.why}")]
        lines += [f"  alarm: {alarm}" for alarm in self.alarms]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def overview(session: Session) -> list[Row]:
    """Return a row for each client that has a container or was launched and not stopped."""
    names = session.launched()
    alarms = gathered(session, names, time.time())
    return [_row(session, name, alarms.get(name, ())) for name in names]


def _row(session: Session, name: str, alarms: tuple[str, ...]) -> Row:
    entry, documents = session.kept(name), session.parts(name)
    agent, gateway = documents.get("agent"), session.engine.gateway_status(name)
    why = judge(agent and agent["State"], gateway, time.time(), entry.get("proved")) or late(name, entry, time.time())
    return Row(
        client=name,
        trust=str(entry.get("trust", "?")),
        agent=str((agent or {}).get("State", {}).get("Status", "missing")),
        gateway=str((gateway or {}).get("container", {}).get("Status", "missing")),
        why=why,
        notes=tuple(entry.get("notes", ())),
        alarms=alarms,
    )


def late(name: str, entry: dict[str, Any], now: float) -> str:
    """Return what to do about leaves that end within a day, empty while they do not; a daily timer renews them."""
    if not entry.get("placeholders") or now - float(entry.get("leaves", now)) < _LEAVES:
        return ""
    return f"gateway: its certificates end within a day; hostkit gateway renew {name}, and see the daily timer"


def judge(agent: dict[str, Any] | None, gateway: dict[str, Any] | None, now: float, proved: float | None) -> str:
    """Return why a sandbox does not stand, empty if it does: pure, from the engine's and the gateway's words."""
    fault = gateway_fault(gateway, now, proved)
    if fault:
        return f"gateway: {fault.why}"
    if agent is None or not agent.get("Running"):
        return f"agent: {ended(agent) if agent else 'its container is gone'}"
    return ""
