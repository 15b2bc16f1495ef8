"""The Docker engine: the only import of docker, loaded when something asks for an engine."""

import contextlib
import os
from pathlib import Path
from typing import Any

from hostkit.engine.api import Engine, owner, version_numbers
from hostkit.engine.asking import tries
from hostkit.engine.files import Entry
from hostkit.engine.jobs import in_order, side_by_side
from hostkit.engine.told import told
from hostkit.errors import CannotTell

__all__ = [
    "Engine",
    "Entry",
    "connect",
    "containers",
    "exists",
    "gateway_status",
    "in_order",
    "owner",
    "settings",
    "side_by_side",
    "socket_path",
    "survey",
    "tries",
    "version_numbers",
]
_SOCKET = "/var/run/docker.sock"


def exists() -> bool:
    """Return whether there is an engine to ask, without importing docker."""
    return bool(os.environ.get("DOCKER_HOST")) or Path(_SOCKET).exists()


def socket_path() -> str:
    """Return the path of the socket by which the engine is asked, empty where it is asked over a network."""
    base = os.environ.get("DOCKER_HOST") or f"unix://{_SOCKET}"
    return base.removeprefix("unix://") if base.startswith("unix://") else ""


def connect(timeout: int = 120) -> Engine:
    """Return the engine that answers; raise CannotTell if none does within `timeout` seconds, half a minute at most.

    For each later answer it has all of `timeout`: without KVM an engine took more than 30 s to make a container.
    """
    if not exists():
        raise CannotTell("no Docker engine: neither DOCKER_HOST nor the engine's socket is there", "start Docker")
    from docker import APIClient  # noqa: PLC0415 - only commands that need an engine pay for it
    from docker.constants import DEFAULT_DOCKER_API_VERSION  # noqa: PLC0415 - same

    base, hello = os.environ.get("DOCKER_HOST") or f"unix://{_SOCKET}", min(timeout, 30)
    if base.startswith("unix://"):
        _refuse_socket(base, Path(base.removeprefix("unix://")))
    with told("the Docker engine does not answer", "start Docker, then try again"):
        # The SDK's own way to learn the API's version makes the engine run three programs; a ping tells it at once.
        with contextlib.closing(APIClient(base_url=base, version=DEFAULT_DOCKER_API_VERSION, timeout=hello)) as first:
            said = first.get(f"{first.base_url}/_ping", timeout=hello).headers
        api = APIClient(base_url=base, version=said.get("Api-Version", "auto"), timeout=timeout)
    return Engine(api, said.get("Server", ""))


def _refuse_socket(base: str, socket: Path) -> None:
    """Raise CannotTell where the SDK's own error would not say what to do."""
    if not socket.exists():
        raise CannotTell(f"the Docker engine does not answer: there is no {base}", "start Docker, or set DOCKER_HOST")
    if not os.access(socket, os.R_OK | os.W_OK):
        raise CannotTell(f"the Docker engine's socket {socket} is not open to this account", "run hostkit as root")


def containers(*, all: bool = False) -> list[dict[str, Any]]:  # noqa: A002 - the engine's own word
    """Return the inspect documents of the engine's containers; raise CannotTell if there is no engine."""
    with told(), contextlib.closing(connect(timeout=3)) as engine:
        return engine.containers(all=all)


def settings() -> dict[str, Any]:
    """Return what the engine gives every container by default; raise CannotTell if there is no engine."""
    with told(), contextlib.closing(connect(timeout=3)) as engine:
        return engine.settings()


def survey() -> dict[str, Any]:
    """Return the engine's own account of itself, its networks and volumes; raise CannotTell if there is no engine."""
    with told(), contextlib.closing(connect(timeout=3)) as engine:
        return engine.survey()


def gateway_status(client: str) -> dict[str, Any] | None:
    """Return a gateway's own status, or None if the client has no gateway container."""
    with told(), contextlib.closing(connect(timeout=3)) as engine:
        return engine.gateway_status(client)
