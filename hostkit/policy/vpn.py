"""The VPN over which people reach this host: what the fence must leave open for its own packets."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from hostkit.policy.part import Part, Port

Kind = Literal["wireguard", "tailscale", "openvpn"]


def split_endpoint(value: str) -> tuple[str, int]:
    """Return (address, port) of `203.0.113.1:51820` or `[2001:db8::1]:51820`; raise ValueError for anything else."""
    address, _, port = value.rpartition(":")
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    try:
        parsed = ipaddress.ip_address(bare)
        usable = not (parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast) and "%" not in bare
        usable = usable and (parsed.version == 6) == address.startswith("[") and port.isdecimal() and port.isascii()
    except ValueError:
        usable = False
    if not usable or not 0 < int(port) < 65536:
        what = f"{value!r} is no address and port such as 203.0.113.1:51820 or '[2001:db8::1]:51820'"
        raise ValueError(f"{what}; the fence knows no names")
    return str(parsed), int(port)


def _endpoint(value: str) -> str:
    address, port = split_endpoint(value)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


Endpoint = Annotated[str, AfterValidator(_endpoint)]
_TAKES: Mapping[str, frozenset[str]] = {
    "wireguard": frozenset({"endpoint", "listen"}),
    "openvpn": frozenset({"endpoint", "listen", "protocol"}),
    "tailscale": frozenset(),
}


class Vpn(Part):
    """A VPN: `endpoint` is the other side that this host calls, `listen` the port on which others call it.

    Tailscale takes neither: its packets are known by the mark that tailscaled gives them.
    """

    kind: Kind
    endpoint: Endpoint | None = None
    listen: Port | None = None
    protocol: Literal["udp", "tcp"] = "udp"

    @model_validator(mode="after")
    def _what_its_kind_takes(self) -> "Vpn":
        takes = _TAKES[self.kind]
        if odd := sorted(self.model_fields_set - takes - {"kind"}):
            raise ValueError(f"{self.kind} takes no `{odd[0]}`")
        if takes and self.endpoint is None and self.listen is None:
            raise ValueError(f"{self.kind} needs the `endpoint` it calls (address:port), its `listen` port, or both")
        return self
