"""The walls of a launch plan that probes attack, and what taking each one out means in the twin."""

from types import MappingProxyType
from typing import Final

WALLS: Final = MappingProxyType(
    {
        "internal_network": "the agent's network is an ordinary bridge on which the collector has a leg too",
        "inhibit_host": "the bridge of the agent's network has an address of the host",
        "ipv6_off": "net.ipv6.conf.*.disable_ipv6 is 0 in the agent's container",
        "resolver": "the agent's resolver is the collector instead of its gateway",
        "gateway_names": "the gateway is the collector's open one: every name is looked up and dialled",
        "gateway_ports": "the same open gateway: every port is dialled",
        "gateway_sni": "the same open gateway: nothing inside a tunnel is read",
        "gateway_host_header": "the same open gateway: the request line decides, the Host header is not read",
        "gateway_address_class": "the same open gateway: literal and private addresses are dialled",
        "gateway_requests": "the same open gateway: what is inside a service's TLS passes unread",
        "gateway_credentials": "the same open gateway: whatever stands for a key, or for nobody's, passes",
        "gateway_limits": "the same open gateway: as many, as slow and as much as anybody likes",
        "placeholders": "the agent's environment holds a key (of the drill's own) in a placeholder's stead",
        "authority_outside": "the key of an authority (of the drill's own) lies in a volume of the agent's",
        "given_read_only": "what the agent is given to read (secrets, trust) is mounted writable",
        "read_only": "the container's root file system is writable",
        "user": "the agent is uid 0",
        "capabilities": "the agent keeps the engine's default capabilities",
        "no_new_privileges": "setuid programs work",
        "seccomp": "no system call filter",
        "pids": "no limit of tasks",
        "memory": "no limit of memory",
        "nofile": "the engine's own limit of open files",
        "tmpfs": "the temporary folder has no size",
        "volumes_separate": "a stand-in for another client's volume is mounted",
        "engine_socket": "a stand-in for the engine's socket, answered by the collector, is mounted",
        "networks_separate": "the agent has a leg on the other client's network",
    }
)

# Taking one of these out would endanger the host itself: only a throw-away engine shows them.
DANGEROUS: Final = frozenset({"privileged", "host_mounts"})

OPEN_GATEWAY: Final = frozenset(wall for wall in WALLS if wall.startswith("gateway_"))
"""All of these come out together: the open gateway has none of them."""
