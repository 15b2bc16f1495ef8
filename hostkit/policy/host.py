"""What a policy says of the machine itself."""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from hostkit.policy.egress import Egress, refuse_shared_ports
from hostkit.policy.part import InterfaceName, Network, Part, Pool, Port, Resolver
from hostkit.policy.vpn import Vpn

GATEWAY_ACCOUNT = "hostkit-gateway"
"""The account of the host's own gateway; bootstrap makes it."""
AccountName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,30}$")]


def _listed(given: Any) -> Any:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else given


_WORD = {"type": "string", "minLength": 2}
_SCOPE = {"anyOf": [_WORD, {"type": "array", "items": _WORD}], "title": "Scope", "default": []}
Word = Annotated[str, Field(min_length=2)]


class Waiver(Part):
    """A check that may fail until a day, why, and who answers for it; the day is at most 90 days ahead.

    With a `scope` only those of its faults are waived that begin with one of these words: a container's name, a path.
    """

    scope: Annotated[tuple[Word, ...], BeforeValidator(_listed), WithJsonSchema(_SCOPE)] = ()
    why: Annotated[str, Field(min_length=10, max_length=400)]
    owner: Annotated[str, Field(min_length=2, max_length=80)]
    until: date


class Listen(Part):
    """A listening socket that is there on purpose."""

    protocol: Literal["tcp", "udp"] = "tcp"
    address: str = "*"
    port: Port


class HostPolicy(Part):
    """The machine: `solo` asks for what a single Mac Mini can hold, `strict` for everything.

    On a Mac `vm` says what holds the containers: `colima` under the agent's account, whose network is that account's,
    guests of `vmnet` (apple/container), or `none`; `power_cut` says whether it then waits for somebody who unlocks its
    disk (FileVault), or returns by itself with a disk that anybody reads. Without it bootstrap asks.
    """

    NOT_YET: ClassVar[dict[str, str]] = {
        "alerts": "alerts come with the audit",
        "anchor": "anchors come with the audit",
        "segment": "VLAN checks come with the full catalogue",
    }
    profile: Literal["solo", "strict"] = "strict"
    account: AccountName = "hostkit-agent"
    management: tuple[InterfaceName, ...] = ()
    management_ports: tuple[Port, ...] = (22,)
    lan: tuple[Network, ...] = ()
    resolvers: Annotated[tuple[Resolver, ...], Field(min_length=1)]
    pool: Pool = "10.231.0.0/20"
    egress: tuple[Egress, ...] = ()
    vpn: Vpn | None = None
    vm: Literal["colima", "vmnet", "none"] = "colima"
    power_cut: Literal["wait", "return"] | None = None
    exempt: tuple[AccountName, ...] = ()
    listen: tuple[Listen, ...] = ()
    audit_immutable: bool = False
    waive: dict[str, Waiver] = Field(default_factory=dict)

    @field_validator("account")
    @classmethod
    def _account_is_the_agents(cls, account: str) -> str:
        if account == GATEWAY_ACCOUNT:
            raise ValueError(f"{GATEWAY_ACCOUNT} is the account of the host's own gateway; name another")
        return account

    @field_validator("egress")
    @classmethod
    def _ports_are_free(cls, ways: tuple[Egress, ...]) -> tuple[Egress, ...]:
        refuse_shared_ports(ways)
        for way in ways:
            if way.raw is not None and (way.local_port or way.raw) < 1024:
                raise ValueError(f"{way.name}: the host's gateway may not take a port below 1024; give a `local_port`")
        return ways

    @field_validator("exempt")
    @classmethod
    def _exempt_is_for_solo(cls, names: tuple[str, ...], told: ValidationInfo) -> tuple[str, ...]:
        if names and told.data.get("profile") == "strict":
            raise ValueError("at `strict` nobody sends past the host's gateway; list names under `egress` instead")
        if {told.data.get("account"), GATEWAY_ACCOUNT} & set(names):
            raise ValueError("the agent's account and the gateway's are never exempt")
        return names
