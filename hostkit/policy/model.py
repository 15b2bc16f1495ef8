"""hostkit.yml as frozen types: what the clients of one host may do, and the whole."""

import re
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from hostkit.policy.egress import Egress, refuse_shared_ports
from hostkit.policy.host import HostPolicy
from hostkit.policy.levels import TrustLevel
from hostkit.policy.part import Part
from hostkit.policy.services.budgets import Budgets
from hostkit.policy.services.clash import (
    refuse_methods,
    refuse_odd_secrets,
    refuse_shared_hosts,
    refuse_tunnelled,
    refuse_uncounted,
)
from hostkit.policy.services.line import SecretName, Services
from hostkit.policy.units import Size

RESERVED_CLIENTS = frozenset(
    {"all", "bridge", "default", "docker", "gateway", "host", "hostkit", "none", "root", "self"}
)


def _client_name(value: str) -> str:
    if value in RESERVED_CLIENTS:
        raise ValueError(f"{value!r} is a word of hostkit or Docker; choose another name for the client")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", value):
        raise ValueError("a client's name is lower-case letters, digits and dashes, 31 at most, a letter first")
    if value.endswith("-drill"):  # its gateway would be called as the one in the drill of another client is
        raise ValueError("a client's name does not end with -drill: the drill of a client is called that")
    return value


ClientName = Annotated[str, AfterValidator(_client_name)]


class Agreement(Part):
    """What the client's data agreement says of an AI agent: enforced at every launch."""

    NOT_YET: ClassVar[dict[str, str]] = {"notice": "notice periods come with the client review"}
    permitted: bool
    document: Annotated[str, Field(min_length=1)]
    expires: date


class Agent(Part):
    """What runs in the sandbox: an image of your own, or a preset."""

    NOT_YET: ClassVar[dict[str, str]] = {"mounts": "nothing of the host is ever mounted"}
    preset: Literal["shell"] | None = None
    image: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/:@-]{0,254}$")] | None = None
    command: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> "Agent":
        if (self.preset is None) == (self.image is None):
            raise ValueError("either `preset` or `image`, one of both")
        return self


class Secret(Part):
    """A value from `env:VARIABLE`, `file:/path` or `exec:/program words`: the agent reads it as /run/secrets/NAME.

    One that a service uses is the gateway's alone; the agent reads a placeholder there, which is worth something at
    that service's hosts only.
    """

    NOT_YET: ClassVar[dict[str, str]] = {"rotate": "rotation comes with the secrets store"}
    source: Annotated[str, Field(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+|exec:/.+)$")]


class Limits(Part):
    """What one sandbox may take; sizes as 512MiB or 2GiB."""

    memory: Size = "1GiB"
    cpus: Annotated[float, Field(gt=0, le=256, strict=False)] = 1.0
    pids: Annotated[int, Field(ge=16, le=32768)] = 256
    nofile: Annotated[int, Field(ge=64, le=1048576)] = 1024
    tmp: Size = "256MiB"
    workspace: Size = "5GiB"
    records: Size = "256MiB"


class Client(Part):
    """One client: its agreement, how far its agent is trusted, and its ways out.

    An `egress` line is a tunnel that nobody looks into; a service is opened, and judged request by request.
    """

    NOT_YET: ClassVar[dict[str, str]] = {
        "warehouse": "statements are not judged yet",
        "pii": "columns are not masked yet",
        "git": "git rules come with the contributor level",
    }
    agreement: Agreement
    trust: TrustLevel
    agent: Agent
    egress: tuple[Egress, ...] = ()
    services: Services = Field(default_factory=dict)
    budgets: Budgets = Budgets()
    secrets: dict[SecretName, Secret] = Field(default_factory=dict)
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _ports_are_told_apart(self) -> "Client":
        refuse_shared_ports(self.egress)
        return self

    @model_validator(mode="after")
    def _services_are_told_apart(self) -> "Client":
        refuse_shared_hosts(self.services)
        refuse_tunnelled(self.services, self.egress)
        refuse_odd_secrets(self.services, self.secrets)
        refuse_methods(self.services, self.trust)
        refuse_uncounted(self.services, self.budgets)
        return self


class Policy(Part):
    """The whole of hostkit.yml; `path` is where it was read."""

    version: Literal[1]
    host: HostPolicy
    clients: dict[ClientName, Client] = Field(default_factory=dict)
    path: Annotated[str, Field(exclude=True)] = ""

    @model_validator(mode="after")
    def _refuse_shared_secrets(self) -> "Policy":
        seen: dict[str, str] = {}
        for name, client in self.clients.items():
            for secret in client.secrets.values():
                if secret.source in seen:
                    raise ValueError(f"{seen[secret.source]} and {name} both use {secret.source}")
                seen[secret.source] = name
        return self


def not_yet(kind: Any) -> dict[str, str]:
    """Return the words of a part that a later release will understand, each with why it is refused today."""
    return getattr(kind, "NOT_YET", {})
