"""What is done to a running gateway without its agent: stopped, set going again, given fresh leaves, asked what if."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from hostkit.engine import Entry, tries
from hostkit.errors import HostkitError
from hostkit.gateway import switch
from hostkit.gateway.rules import parse
from hostkit.launch import parts, vault
from hostkit.launch.session import Session
from hostkit.launch.state import State
from hostkit.policy.model import Policy


def stop(session: Session, name: str, by: str) -> bool:
    """Throw a client's kill switch: nothing leaves any more, what is open is cut, and no launch until `go`.

    Return whether its gateway has said so; one that does not run is stopped by the launch that is refused (`hold`).
    """
    hold(session.state, (name,), by)
    return _throw(session, name, stopped=True, by=by)


def hold(state: State, names: Iterable[str], by: str) -> None:
    """Refuse every launch of these clients until `go`, whether or not an engine answers."""
    for name in names:
        state.update(name, stopped=by)


def go(session: Session, name: str) -> bool:
    """Set the kill switch back; return whether the gateway goes by its rules again."""
    session.state.update(name, stopped="")
    return _throw(session, name, stopped=False, by="hostkit gateway go")


def _throw(session: Session, name: str, *, stopped: bool, by: str) -> bool:
    gateway = f"hostkit-{name}-gateway"
    if session.engine.inspect(gateway) is None:
        return False
    text = switch.text(stopped=stopped, by=by, at=time.time())
    session.engine.put(gateway, "/rules", [Entry(switch.NAME, text.encode())])
    return any(_is(session, name, stopped=stopped) for _ in tries(5))


def _is(session: Session, name: str, *, stopped: bool) -> bool:
    said = session.engine.gateway_status(name) or {}
    return bool(said.get("container", {}).get("Running")) and str(said.get("why", "")).startswith("stopped") is stopped


def renew(session: Session, policy: Policy, name: str) -> bool:
    """Give a running gateway fresh leaves: the rules it goes by as a new generation, and its own keys beside them.

    Return whether it has any. Raise HostkitError if the client is not running, CannotTell if its gateway does not take
    them.
    """
    with session.state.locked(name):
        plan = session.current_plan(policy, name)
        rules = parse(session.engine.fetch(plan.gateway.name, "/rules/rules.json").decode())
        if not rules.services:
            return False
        plan = replace(plan, rules=replace(rules, generation=plan.generation))
        session.state.update(name, generation=plan.generation)  # used up, even if what follows fails
        filling = vault.renewal(plan, datetime.now(UTC), vault.running_generation(session.engine, name))
        with vault.written(session.engine, parts.writer(plan), filling):
            session.engine.put(plan.gateway.name, "/rules", [Entry("rules.json", plan.rules.to_json().encode())])
            vault.await_rules(session.engine, plan)
        session.state.update(name, leaves=time.time())
    return True


def named(state: State, clients: tuple[str, ...], *, everyone: bool) -> tuple[str, ...]:
    """Return which clients a command means; raise HostkitError for none, for one never launched, or for both ways."""
    launched = state.launched()
    if everyone == bool(clients):
        raise HostkitError("which gateways?", "name clients, or say --all")
    if unknown := sorted(set(clients) - launched):
        known = ", ".join(sorted(launched)) or "none"
        raise HostkitError(f"{unknown[0]} was never launched here", f"launched: {known}")
    return tuple(sorted(launched)) if everyone else clients
