"""What every piece of the policy is made of: strict, frozen, and words that have one reading."""

import ipaddress
import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_HOST_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


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


def is_listed_name(value: str) -> bool:
    """Return whether a policy may list this name: lower case, two labels or more, no address; `*.` may lead it."""
    return len(value) <= 253 and bool(_HOST_NAME.fullmatch(value))


def _listed_name(value: str) -> str:
    if not is_listed_name(value):
        raise ValueError(f"{value!r} is not a lower-case host name such as api.slack.com or *.slack.com")
    return value


Network = Annotated[str, AfterValidator(_network)]
Granted = Annotated[str, AfterValidator(_granted)]
Resolver = Annotated[str, AfterValidator(_resolver)]
Pool = Annotated[str, AfterValidator(_pool)]
ListedName = Annotated[str, AfterValidator(_listed_name)]
Port = Annotated[int, Field(ge=1, le=65535)]
InterfaceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$")]


class Part(BaseModel):
    """A piece of the policy: strict, frozen, and nothing it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    NOT_YET: ClassVar[dict[str, str]] = {}
