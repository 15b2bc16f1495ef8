"""The container engine's own settings: hostkit's over what its owner wrote, and what is refused. Pure."""

import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any

from hostkit.errors import HostkitError
from hostkit.policy import Policy

FILE = "/etc/docker/daemon.json"
UNITS = ("/etc/systemd/system/docker.service", "/etc/systemd/system/docker.service.d/*.conf",
         "/etc/systemd/system/docker.socket.d/*.conf", "/etc/default/docker")  # fmt: skip
"""Where an owner may have told the engine to listen on TCP."""

WANTED: Mapping[str, Any] = {
    "live-restore": True,
    "no-new-privileges": True,
    "icc": False,
    "userland-proxy": False,
    "ip": "127.0.0.1",
}
"""CIS Docker 1.6: 2.15, 2.14, 2.2, 2.16 and 5.14; every key is known to each engine from 20.10 on. User namespaces
(2.9) are left as they are: hostkit's volumes and its audit need the planned uids (launch/uids.py refuses a map)."""

_LOGS = {"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}
_POOLS = ("10.233.0.0/16", "172.28.0.0/16", "10.77.0.0/16", "192.168.192.0/18")


def daemon(before: str, policy: Policy, addresses: Iterable[str]) -> str:
    """Return the engine's settings as JSON text; equal settings give equal text, so that nothing is started anew.

    What the owner set stays where it does not contradict; a driver of logs of their own is one, and so are pools.
    Raise HostkitError if what is there is no JSON object.
    """
    plain = _read(before)
    logs = {} if plain.get("log-driver", "json-file") != "json-file" else _LOGS
    opts = {"log-opts": {**_LOGS["log-opts"], **plain.get("log-opts", {})}} if logs else {}  # type: ignore[dict-item]
    pools = {} if "default-address-pools" in plain else {"default-address-pools": _pools(policy, addresses)}
    made = {**plain, **WANTED, **logs, **opts, **pools}
    return json.dumps(made, indent=2, sort_keys=True) + "\n"


def pools(settings: str) -> tuple[str, ...]:
    """Return the networks out of which an engine with these settings gives its containers theirs.

    Raise HostkitError if they are none.
    """
    try:
        bases = [one["base"] for one in json.loads(settings)["default-address-pools"]]
        return tuple(sorted(str(ipaddress.ip_network(base, strict=False)) for base in bases))
    except (ValueError, KeyError, TypeError):
        do = "mend it: the engine would not start with it either"
        raise HostkitError(f"{FILE}: default-address-pools is no list of networks", do) from None


def is_bridge(interface: str) -> bool:
    """Return whether an interface is one that the engine makes, and whose address it may change when it starts."""
    return interface == "docker0" or interface.startswith("br-")


def faces_containers(interface: str) -> bool:
    """Return whether what comes in on an interface was sent by a container: the engine's bridges, hostkit's, wires."""
    return is_bridge(interface) or interface.startswith(("hke", "hki", "hkd", "veth"))


def _read(before: str) -> dict[str, Any]:
    try:
        plain = json.loads(before or "{}")
    except ValueError as why:
        raise HostkitError(f"{FILE} is not JSON: {why}", "mend it: the engine would not start with it either") from None
    if not isinstance(plain, dict):
        raise HostkitError(f"{FILE} holds no JSON object", "mend it: the engine would not start with it either")
    return plain


def _pools(policy: Policy, addresses: Iterable[str]) -> list[dict[str, Any]]:
    """Return one pool that overlaps neither the policy's networks nor an address of this host."""
    busy = [ipaddress.ip_network(entry) for entry in (policy.host.pool, *policy.host.lan, *_listed(policy))]
    busy += [ipaddress.ip_network(address) for address in addresses]
    four = [network for network in busy if network.version == 4]
    free = next((pool for pool in map(ipaddress.IPv4Network, _POOLS) if not any(map(pool.overlaps, four))), None)
    if free is None:
        do = f"write default-address-pools into {FILE} yourself"
        raise HostkitError(f"none of {', '.join(_POOLS)} is free for the engine's networks", do)
    return [{"base": str(free), "size": 24}]


def _listed(policy: Policy) -> set[str]:
    ways = [way for client in policy.clients.values() for way in client.egress]
    return {network for way in (*ways, *policy.host.egress) for network in way.networks}


def refuse_tcp(files: Mapping[str, str]) -> None:
    """Raise HostkitError if a file tells the engine to listen on TCP: taking that away could cut somebody off."""
    for path, text in files.items():
        if any("tcp://" in line for line in text.splitlines() if not line.lstrip().startswith("#")):
            do = "take it out and restart the engine: over SSH it is reached as DOCKER_HOST=ssh://this-host"
            raise HostkitError(f"{path} lets the container engine listen on TCP, where anybody is root", do)
