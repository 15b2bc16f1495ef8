"""From a policy to everything a launch will ask of the engine: pure, whole, printable as JSON."""

import ipaddress
from datetime import date

from hostkit.errors import HostkitError
from hostkit.gateway.rules import Forward, Grant, Rules
from hostkit.launch import parts
from hostkit.launch.model import NOTHING_HELD, EngineFacts, Held, LaunchPlan, Slot
from hostkit.launch.networks import networks, refuse_bridge_twins, refuse_engine
from hostkit.policy.model import Client, Policy
from hostkit.policy.units import parse_size


def refuse_without_agreement(name: str, client: Client, today: date) -> None:
    """Raise HostkitError unless the client's agreement permits an agent today."""
    agreement = client.agreement
    if not agreement.permitted:
        raise HostkitError(f"{name}: the agreement does not permit an agent", "see agreement.permitted in the policy")
    if agreement.expires < today:
        do = f"renew it and set its new date in the policy; an agent that runs goes on until hostkit stop {name}"
        raise HostkitError(f"{name}: the agreement ({agreement.document}) expired on {agreement.expires}", do)


def find_client(policy: Policy, name: str) -> Client:
    """Return the client called `name`; raise HostkitError, with the nearest name, if the policy has none."""
    if name in policy.clients:
        return policy.clients[name]
    known = ", ".join(sorted(policy.clients)) or "none"
    raise HostkitError(f"unknown client {name!r}", f"clients in {policy.path}: {known}")


def make_plan(  # noqa: PLR0913 - a plan is of all these, and of nothing else
    policy: Policy,
    name: str,
    slot: Slot,
    engine: EngineFacts,
    generation: int = 1,
    held: Held = NOTHING_HELD,
) -> LaunchPlan:
    """Return the plan of one client; raise HostkitError if the engine is not fit for it or has no such image."""
    from hostkit.policy.trust import unenforced  # noqa: PLC0415 - only plans pay for it

    client = find_client(policy, name)
    refuse_engine(engine.version)
    refuse_bridge_twins(name, policy.clients)
    inside = ipaddress.ip_network(slot.inside)
    addresses = [str(inside[index]) for index in range(5)]
    inner, outer = networks(name, slot, engine)
    rules = _rules(policy, name, slot, engine, generation, held)
    agent = parts.agent(name, client, slot, addresses, engine)
    return LaunchPlan(
        client=name,
        policy=policy.path,
        trust=client.trust,
        generation=generation,
        host_uid=slot.uid,
        agent=agent,
        gateway=parts.gateway(name, client, slot, addresses, engine),
        probe=parts.probe(name, agent, addresses[4], engine),
        inside=inner,
        outside=outer,
        rules=rules,
        secrets={key: secret.source for key, secret in sorted(client.secrets.items())},
        notes=(*unenforced(client), *_notes(client, engine)),
    )


def _notes(client: Client, engine: EngineFacts) -> tuple[str, ...]:
    size = client.limits.workspace
    notes = [f"the workspace's size ({size}) is not enforced: the engine's local volumes have no quota"]
    notes += [engine.confinement.note] if engine.confinement.note else []
    notes += [
        f"{way.name}: every name below it is a way out, a name server included; list exact names where you can"
        for way in client.egress
        if way.name.startswith("*.")
    ]
    return tuple(notes)


def _rules(  # noqa: PLR0913 - as above
    policy: Policy, name: str, slot: Slot, engine: EngineFacts, generation: int, held: Held
) -> Rules:
    from hostkit.policy.services.compile import budgets, compiled, grants  # noqa: PLC0415 - only plans pay for it

    client = policy.clients[name]
    tls = [way for way in client.egress if way.raw is None]
    raw = [way for way in client.egress if way.raw is not None]
    return Rules(
        client=name,
        generation=generation,
        address=str(ipaddress.ip_network(slot.inside)[2]),
        grants=(*(Grant(way.name, way.ports, way.networks) for way in tls), *grants(client)),
        forwards=tuple(Forward(way.name, way.raw or 0, way.local_port or way.raw or 0, way.networks) for way in raw),
        refuse=tuple(
            sorted(
                {
                    policy.host.pool,
                    slot.inside,
                    slot.outside,
                    *(str(ipaddress.ip_network(a)) for a in engine.host_addresses),
                }
            )
        ),
        resolvers=policy.host.resolvers,
        budget=parse_size(client.limits.records),
        services=compiled(name, client, held.placeholders, held.roots),
        budgets=budgets(client),
    )


def rules_alone(policy: Policy, name: str) -> Rules:
    """Return the rules that a client's gateway would go by, for judging only: no engine is asked, no key is real."""
    from hostkit.policy.services.compile import shapes  # noqa: PLC0415 - as above

    slot = Slot(0, "192.0.2.0/29", "192.0.2.8/29")
    held = Held({secret: secret for secret in shapes(policy.clients[name])})
    return _rules(policy, name, slot, EngineFacts((0, 0, 0), {}), 1, held)
