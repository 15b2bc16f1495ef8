"""The proof at start, played out: listeners on the host, the probe beside the gateway, what each of them saw."""

import base64
import contextlib
import ipaddress
import json
import secrets as random
from types import TracebackType
from typing import Any, Self

from hostkit.engine import Engine, tries
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.launch import walls
from hostkit.launch.attached import answers, hang_up, send
from hostkit.launch.listeners import Listeners
from hostkit.launch.model import LaunchPlan

_ANSWER_LIMIT = 1024 * 1024
_LATE = 6.0
"""Seconds that a gateway has to put a name on record that it was asked for."""


class Proof:
    """One proof: the probe is started, attacks, and is judged; it ends, and the listeners with it, when the block does.

    The probe holds the secrets that it laid down: they are there as long as the block lasts.
    """

    def __init__(self, engine: Engine, host: Host, plan: LaunchPlan, values: dict[str, bytes]) -> None:
        self._engine, self._host, self._plan = engine, host, plan
        self._secrets = {key: base64.b64encode(value).decode() for key, value in values.items()}
        self._nonces = (f"{random.token_hex(8)}.gateway.invalid", f"{random.token_hex(8)}.embedded.invalid")
        self._open = contextlib.ExitStack()
        self._stream: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def attach(self) -> None:
        """Take hold of the probe, which was made and not started."""
        self._stream = self._engine.attach(self._plan.probe.name)
        self._open.callback(hang_up, self._stream)

    def attack(self) -> None:
        """Open the listeners and order the probe to attack the host; both networks are there by now.

        The order waits in the probe's stdin should it not have started yet.
        """
        self._listeners = self._open.enter_context(Listeners(targets(self._plan, self._host)))
        send(self._stream, walls.order(self._plan, self._listeners.targets, self._nonces, self._secrets))

    def ask(self) -> None:
        """Let the probe try the gateway, which has been started by now.

        Not earlier: an address that is asked for before it is there stays silent for a second.
        """
        send(self._stream, b"\n")

    def judge(self) -> tuple[str, ...]:
        """Return a sentence for each wall that held; raise WallOpen or CannotTell for one that did not."""
        said = answers(self._stream)
        next(said)  # it has asked its names, and goes on listening for an answer of the host
        denied = _denied(self._engine, self._plan, self._nonces)
        report, reached = next(said), self._listeners.reached()
        heard = self._listeners.heard(self._plan.inside.subnet)
        return walls.judge(self._plan, walls.Seen(report, reached, denied, self._nonces, heard))


def targets(plan: LaunchPlan, host: Host) -> list[str]:
    """Return the host's v4 addresses, if this is the machine whose bridges the engine made."""
    interfaces = host.addresses()
    if plan.inside.bridge not in interfaces:
        do = "run hostkit where the engine runs"
        raise CannotTell("the engine is on another machine or in another network namespace", do)
    found = [address for entries in interfaces.values() for address in entries]
    return [a for a in found if ipaddress.ip_address(a).version == 4 and not ipaddress.ip_address(a).is_loopback]


def _denied(engine: Engine, plan: LaunchPlan, nonces: tuple[str, str]) -> frozenset[str]:
    names: set[str] = set()
    for _ in tries(_LATE):
        names = denied_names(engine.fetch(plan.gateway.name, "/records/requests.jsonl", _ANSWER_LIMIT))
        if set(nonces) <= names:
            break
    return frozenset(names)


def denied_names(text: bytes) -> set[str]:
    """Return the names that a gateway's records say were denied."""
    names = set()
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if record.get("event") == "denied":
                names.add(str(record.get("name")))
    return names
