"""A way out by name, the same for a client and for this host."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, model_validator

from hostkit.policy.part import Granted, ListedName, Part, Port

_GATEWAY_PORTS = frozenset({53, 80, 443, 3128})


class Egress(Part):
    """One way out: TLS and HTTP by name, or with `raw` one port of the name over plain TCP.

    It is a tunnel: what may be asked of a host, and with which key, is for a client's `services` to say.
    """

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


def refuse_shared_ports(ways: Iterable[Egress]) -> None:
    """Raise ValueError if two raw names share a port of the gateway: nothing would tell them apart."""
    seen: dict[int, str] = {}
    for way in ways:
        if way.raw is None:
            continue
        port = way.local_port or way.raw
        if port in seen:
            raise ValueError(f"{seen[port]} and {way.name} share port {port}; give each a `local_port`")
        seen[port] = way.name
