"""hostkit.yml as frozen types: what one host and its clients may do."""

import ipaddress
import re
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from hostkit.policy.units import parse_size

TrustLevel = Literal["observer", "analyst", "operator", "contributor", "deployer"]
RESERVED_CLIENTS = frozenset(
    {"all", "bridge", "default", "docker", "gateway", "host", "hostkit", "none", "root", "self"}
)
_HOST_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_GATEWAY_PORTS = frozenset({53, 80, 443, 3128})


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value))


def _granted(value: str) -> str:
    """Return a network that a name may turn out to lie in; never the gateway itself, its wire, or all of a kind."""
    network = ipaddress.ip_network(value)
    if network.prefixlen < (8 if network.version == 4 else 16) or network.is_loopback or network.is_link_local:
        raise ValueError(f"{value} is too wide, a loopback or a link's own; name the network the host stands in")
    return str(network)


def _resolver(value: str) -> str:
    address = ipaddress.ip_address(value)
    if address.is_loopback or address.is_unspecified or address.is_multicast or "%" in value:
        raise ValueError(f"{value} is no resolver that a gateway could ask from its own network; name the LAN's")
    return str(address)


def _pool(value: str) -> str:
    pool = ipaddress.ip_network(value)
    if pool.version != 4 or not pool.is_private or not 8 <= pool.prefixlen <= 28:
        raise ValueError(f"{value} is no private IPv4 network between /8 and /28, such as 10.231.0.0/20")
    return str(pool)


def _listed_name(value: str) -> str:
    if len(value) > 253 or not _HOST_NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a lower-case host name such as api.slack.com or *.slack.com")
    return value


def _size(value: str) -> str:
    parse_size(value)
    return value


def _client_name(value: str) -> str:
    if value in RESERVED_CLIENTS:
        raise ValueError(f"{value!r} is a word of hostkit or Docker; choose another name for the client")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", value):
        raise ValueError("a client's name is lower-case letters, digits and dashes, 31 at most, a letter first")
    if value.endswith("-drill"):  # its gateway would be called as the one in the drill of another client is
        raise ValueError("a client's name does not end with -drill: the drill of a client is called that")
    return value


Network = Annotated[str, AfterValidator(_network)]
Granted = Annotated[str, AfterValidator(_granted)]
Resolver = Annotated[str, AfterValidator(_resolver)]
Pool = Annotated[str, AfterValidator(_pool)]
ListedName = Annotated[str, AfterValidator(_listed_name)]
Size = Annotated[str, AfterValidator(_size)]
Port = Annotated[int, Field(ge=1, le=65535)]
ClientName = Annotated[str, AfterValidator(_client_name)]
InterfaceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$")]


class Part(BaseModel):
    """A piece of the policy: strict, frozen, and nothing it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    NOT_YET: ClassVar[dict[str, str]] = {}


class Waiver(Part):
    """A check that may fail until a day, and why."""

    why: Annotated[str, Field(min_length=10)]
    until: date


class Listen(Part):
    """A listening socket that is there on purpose."""

    protocol: Literal["tcp", "udp"] = "tcp"
    address: str = "*"
    port: Port


class HostPolicy(Part):
    """The machine: `solo` asks for what a single Mac Mini can hold, `strict` for everything."""

    NOT_YET: ClassVar[dict[str, str]] = {
        "alerts": "alerts come with the audit",
        "anchor": "anchors come with the audit",
        "egress": "the host's own names come with its own gateway; until then the fence lets apt out, by its account",
        "segment": "VLAN checks come with the full catalogue",
        "vpn": "a tunnel's own packets come with the complete hardening; name a wired or wireless interface until then",
    }
    profile: Literal["solo", "strict"] = "strict"
    account: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,30}$")] = "hostkit-agent"
    management: tuple[InterfaceName, ...] = ()
    management_ports: tuple[Port, ...] = (22,)
    lan: tuple[Network, ...] = ()
    resolvers: Annotated[tuple[Resolver, ...], Field(min_length=1)]
    pool: Pool = "10.231.0.0/20"
    listen: tuple[Listen, ...] = ()
    waive: dict[str, Waiver] = {}


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


class Egress(Part):
    """One way out: TLS and HTTP by name, or with `raw` one port of the name over plain TCP."""

    NOT_YET: ClassVar[dict[str, str]] = {
        "methods": "requests are not opened yet",
        "paths": "requests are not opened yet",
        "account": "accounts are not pinned yet",
        "inject": "secrets are not injected yet",
    }
    name: ListedName
    ports: Annotated[tuple[Port, ...], Field(min_length=1)] = (443,)
    raw: Port | None = None
    local_port: Port | None = None
    networks: tuple[Granted, ...] = ()

    @model_validator(mode="after")
    def _raw_is_exact(self) -> "Egress":
        if self.local_port is not None and self.raw is None:
            raise ValueError("`local_port` belongs to `raw`")
        if self.raw is None:
            return self
        if self.name.startswith("*."):
            raise ValueError("`raw` leads to one name; a wildcard is many")
        if (self.local_port or self.raw) in _GATEWAY_PORTS:
            raise ValueError("raw ports 53, 80, 443 and 3128 are the gateway's own; give a `local_port`")
        return self


class Secret(Part):
    """A value the agent reads as /run/secrets/NAME: from `env:VARIABLE` or `file:/path`."""

    NOT_YET: ClassVar[dict[str, str]] = {
        "placeholder": "placeholders come with the inspecting gateway",
        "rotate": "rotation comes with the secrets store",
    }
    source: Annotated[str, Field(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$")]


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
    """One client: its agreement, how far its agent is trusted, and its ways out."""

    NOT_YET: ClassVar[dict[str, str]] = {
        "warehouse": "statements are not judged yet",
        "slack": "messages are not masked yet",
        "pii": "columns are not masked yet",
        "budgets": "budgets come with the audit",
        "git": "git rules come with the contributor level",
    }
    agreement: Agreement
    trust: TrustLevel
    agent: Agent
    egress: tuple[Egress, ...] = ()
    secrets: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")], Secret] = {}
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _ports_are_told_apart(self) -> "Client":
        seen: dict[int, str] = {}
        for way in self.egress:
            if way.raw is None:
                continue
            port = way.local_port or way.raw
            if port in seen:
                raise ValueError(f"{seen[port]} and {way.name} share port {port}; give each a `local_port`")
            seen[port] = way.name
        return self


class Policy(Part):
    """The whole of hostkit.yml; `path` is where it was read."""

    version: Literal[1]
    host: HostPolicy
    clients: dict[ClientName, Client] = {}
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
