"""What a launch is made of, as frozen values: what `hostkit plan` prints is what `hostkit launch` does."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from hostkit.gateway.rules import Rules
from hostkit.launch.confinement import NONE, Confinement
from hostkit.policy.uids import UID_BASE


@dataclass(frozen=True)
class NetworkPlan:
    """One bridge network: the inner one of the client, or its gateway's way out."""

    name: str
    bridge: str
    subnet: str
    internal: bool
    options: dict[str, str]
    ipv6: str = ""


@dataclass(frozen=True)
class MountPlan:
    """A volume of the engine and where it is seen; nothing of the host is ever mounted."""

    volume: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerPlan:
    """All that is asked for one container. Sizes are bytes, `user` is uid:gid inside the container.

    `apparmor` is the profile that it runs under, None for the engine's own.
    """

    name: str
    image: str
    command: tuple[str, ...]
    user: str
    network: str
    address: str
    memory: int
    cpus: float
    pids: int
    nofile: int
    dns: tuple[str, ...] = ()
    read_only: bool = True
    cap_drop: tuple[str, ...] = ("ALL",)
    cap_add: tuple[str, ...] = ()
    no_new_privileges: bool = True
    seccomp: str = "hostkit"
    apparmor: str | None = None
    tmpfs: dict[str, str] = field(default_factory=dict)
    mounts: tuple[MountPlan, ...] = ()
    sysctls: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    restart: str = "no"
    log_size: str = "10m"
    log_files: int = 3


@dataclass(frozen=True)
class Slot:
    """What a client keeps over all its launches: its number and its two /29 networks."""

    number: int
    inside: str
    outside: str

    @property
    def uid(self) -> int:
        """The agent's uid; its gateway's is the next."""
        return UID_BASE + 2 * self.number


@dataclass(frozen=True)
class Held:
    """What a plan takes from outside the policy: placeholders by secret, certificates (PEM) by service."""

    placeholders: Mapping[str, str] = field(default_factory=dict)
    roots: Mapping[str, str] = field(default_factory=dict)


NOTHING_HELD = Held()


@dataclass(frozen=True)
class LaunchPlan:
    """One client's sandbox, whole: what `hostkit plan` prints is what `hostkit launch` does."""

    client: str
    policy: str
    trust: str
    generation: int
    host_uid: int
    agent: ContainerPlan
    gateway: ContainerPlan
    probe: ContainerPlan
    inside: NetworkPlan
    outside: NetworkPlan
    rules: Rules
    secrets: dict[str, str]
    notes: tuple[str, ...]

    @property
    def slot(self) -> Slot:
        """Return the slot the plan was made for."""
        return Slot((self.host_uid - UID_BASE) // 2, self.inside.subnet, self.outside.subnet)

    @property
    def placeholders(self) -> dict[str, str]:
        """Return what the agent holds in place of each key of a service, by secret."""
        return {known.secret: known.placeholder for service in self.rules.services for known in service.credentials}

    def to_json(self) -> str:
        """Return the whole plan as JSON; it names where secrets come from and holds none of them."""
        return json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True)


@dataclass(frozen=True)
class EngineFacts:
    """What a plan needs to know of the engine: its version as three numbers, and image name to exact id."""

    version: tuple[int, int, int]
    images: dict[str, str]
    host_addresses: tuple[str, ...] = ()
    confinement: Confinement = NONE
