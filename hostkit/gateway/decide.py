"""One judgement for every form a request can take; deny is its last line."""

from dataclasses import dataclass

from hostkit.gateway.names import matches
from hostkit.gateway.rules import Forward, Grant, Rules


@dataclass(frozen=True)
class Decision:
    """Whether a request may go on, the typed rule that said so, and a sentence the agent may read."""

    allow: bool
    rule: str
    reason: str
    networks: tuple[str, ...] = ()


def decide(rules: Rules | None, name: str, port: int) -> Decision:
    """Judge a canonical name and port, before anybody looks the name up."""
    if rules is None:
        return Decision(False, "closed", "the gateway has no usable rules")
    grants = [grant for grant in rules.grants if matches(grant.name, name)]
    for grant in grants:
        if port in grant.ports:
            return Decision(True, f"grant:{grant.name}", "listed", _networks(grants, port))
    if grants:
        return Decision(False, "port-not-listed", f"{name} is listed, port {port} of it is not")
    return Decision(False, "not-listed", f"{name} is not listed for this client")


def decide_forward(rules: Rules | None, local_port: int) -> tuple[Decision, Forward | None]:
    """Judge a connection to a raw port of the gateway: each leads to one name and port, or nowhere."""
    if rules is None:
        return Decision(False, "closed", "the gateway has no usable rules"), None
    for forward in rules.forwards:
        if forward.local_port == local_port:
            return Decision(True, f"forward:{forward.name}:{forward.port}", "listed", forward.networks), forward
    return Decision(False, "not-listed", f"port {local_port} leads nowhere"), None


def is_listed(rules: Rules | None, name: str) -> bool:
    """Return whether the resolver may answer for a canonical name."""
    if rules is None:
        return False
    names = [grant.name for grant in rules.grants] + [forward.name for forward in rules.forwards]
    return any(matches(pattern, name) for pattern in names)


def _networks(grants: list[Grant], port: int) -> tuple[str, ...]:
    return tuple(network for grant in grants if port in grant.ports for network in grant.networks)
