"""The Docker engine: the only import of docker, loaded when something asks for an engine."""

import contextlib
import io
import json
import os
import re
import tarfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostkit.errors import CannotTell, HostkitError
from hostkit.shipped import shipped

if TYPE_CHECKING:
    from concurrent.futures import Future

_SOCKET = "/var/run/docker.sock"
_LABEL = "hostkit.client"
_PIECE = 1024 * 1024
_LARGEST = 16 * 1024**3
"""Octets of a container's file that is read at all: a sparse one can claim to be of any size."""
_CANNOT_RUN = b"OCI runtime exec failed"
"""The engine's own first words, on the command's stdout, when there is no such command."""
_NOT_THERE = (b"executable file not found", b"no such file or directory")
_SECCOMP = shipped("sandbox") / "seccomp.json"


def exists() -> bool:
    """Return whether there is an engine to ask, without importing docker."""
    return bool(os.environ.get("DOCKER_HOST")) or Path(_SOCKET).exists()


def connect(timeout: int = 30) -> "Engine":
    """Return the engine that answers; raise CannotTell if none does within `timeout` seconds."""
    if not exists():
        raise CannotTell("no Docker engine: neither DOCKER_HOST nor the engine's socket is there", "start Docker")
    from docker import APIClient  # noqa: PLC0415 - only commands that need an engine pay for it
    from docker.constants import DEFAULT_DOCKER_API_VERSION  # noqa: PLC0415 - same

    base = os.environ.get("DOCKER_HOST") or f"unix://{_SOCKET}"
    if base.startswith("unix://"):
        _refuse_socket(base, Path(base.removeprefix("unix://")))
    with _told("the Docker engine does not answer", "start Docker, then try again"):
        # The SDK's own way to learn the API's version makes the engine run three programs; a ping tells it at once.
        with contextlib.closing(APIClient(base_url=base, version=DEFAULT_DOCKER_API_VERSION, timeout=timeout)) as first:
            said = first.get(f"{first.base_url}/_ping").headers
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
    with _told(), contextlib.closing(connect(timeout=3)) as engine:
        return engine.containers(all=all)


def gateway_status(client: str) -> dict[str, Any] | None:
    """Return a gateway's own status, or None if the client has no gateway container."""
    with _told(), contextlib.closing(connect(timeout=3)) as engine:
        return engine.gateway_status(client)


def _short(why: Exception) -> str:
    return (getattr(why, "explanation", None) or str(why)).strip().splitlines()[-1][:300]


@contextlib.contextmanager
def _told(what: str = "the engine refused", do: str = "see the engine's log") -> Iterator[None]:
    """Turn the SDK's errors into one line; what the engine refused is the engine's own sentence."""
    import requests  # noqa: PLC0415 - comes with docker
    from docker.errors import DockerException, NotFound  # noqa: PLC0415 - same

    try:
        yield
    except NotFound as why:
        raise HostkitError(f"the engine does not find it: {_short(why)}") from None
    except (DockerException, requests.RequestException, OSError) as why:
        raise CannotTell(f"{what}: {_short(why)}", do) from None


def side_by_side(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs in threads and return their results in order; raise the first failure after all have ended."""
    with in_order() as add:
        started = [add(job) for job in jobs]
    return [future.result() for future in started]


@contextlib.contextmanager
def in_order() -> Iterator[Callable[..., "Future[Any]"]]:
    """Yield `add(job, *needs)`: each job runs as soon as the jobs it needs are done; the block ends when all have.

    Raise the first failure, in the order of adding, once nothing runs any more. Who is interrupted goes on, and tidies
    up, only then too; what had not begun by that time never does.
    """
    from concurrent.futures import CancelledError, ThreadPoolExecutor, wait  # noqa: PLC0415 - only a launch pays for it

    added: list[Future[Any]] = []
    pool, ended = ThreadPoolExecutor(max_workers=16), threading.Event()

    def run(job: Callable[[], Any], needs: tuple["Future[Any]", ...]) -> Any:
        for need in needs:
            need.result()
        if ended.is_set():
            raise CancelledError
        return job()

    def add(job: Callable[[], Any], *needs: "Future[Any]") -> "Future[Any]":
        added.append(pool.submit(run, job, needs))
        return added[-1]

    try:
        yield add
        wait(added)
    except BaseException:
        ended.set()
        wait(added)  # not the pool's own waiting: a thread's join, once interrupted, takes it for ended (Python 3.11)
        raise
    finally:
        pool.shutdown(wait=False)
    for future in added:
        future.result()


@dataclass(frozen=True)
class Entry:
    """A file to lay down in a container, or with no content a directory; an existing one takes owner and mode."""

    name: str
    content: bytes | None = None
    uid: int = 0
    mode: int = 0o444


def version_numbers(server: str) -> tuple[int, int, int] | None:
    """Return the three numbers of `Docker/26.1.5+dfsg1 (linux)`, None if it is no such word."""
    found = re.match(r"Docker/(\d+)\.(\d+)(?:\.(\d+))?", server)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


class Engine:
    """One engine's API, in the words of a LaunchPlan. Every failure is a HostkitError or CannotTell."""

    def __init__(self, api: Any, server: str = "") -> None:
        self._api, self._server = api, server

    def close(self) -> None:
        """Let the connection to the engine go."""
        self._api.close()

    def version(self) -> tuple[int, int, int]:
        """Return the engine's version as three numbers."""
        found = version_numbers(self._server)
        if found is None:
            with _told():
                found = version_numbers("Docker/" + self._api.version()["Version"])
        if found is None:
            raise CannotTell("the engine does not tell its version", "hostkit needs Docker 20.10 or later")
        return found

    def image_id(self, image: str) -> str | None:
        """Return the repository digest of a pulled image, else its id, None if the engine has no such image."""
        from docker.errors import ImageNotFound  # noqa: PLC0415 - lazy as above

        with _told():
            try:
                found = self._api.inspect_image(image)
            except ImageNotFound:
                return None
        digests = found.get("RepoDigests") or []
        return str(digests[0] if digests and "@sha256:" in image else found["Id"])

    def containers(self, *, all: bool = False, client: str | None = None) -> list[dict[str, Any]]:  # noqa: A002
        """Return inspect documents: of every container, or of one client's."""
        from docker.errors import NotFound  # noqa: PLC0415 - lazy as above

        found = []
        with _told():
            for entry in self._api.containers(all=all, filters=_filter(client)):
                try:
                    found.append(self._api.inspect_container(entry["Id"]))
                except NotFound:
                    continue
        return [document for document in found if client is None or owner(document) == client]

    def inspect(self, name: str) -> dict[str, Any] | None:
        """Return a container's inspect document, None if it is not there."""
        from docker.errors import NotFound  # noqa: PLC0415 - lazy as above

        with _told():
            try:
                document: dict[str, Any] = self._api.inspect_container(name)
            except NotFound:
                return None
        return document

    def networks(self, client: str) -> list[dict[str, Any]]:
        """Return the networks that hostkit made for a client."""
        with _told():
            found = list(self._api.networks(filters=_filter(client)))
        return [entry for entry in found if _named_for(client, entry["Name"])]

    def volumes(self, client: str) -> list[str]:
        """Return the names of the volumes that hostkit made for a client."""
        with _told():
            found = [entry["Name"] for entry in self._api.volumes(filters=_filter(client))["Volumes"] or []]
        return [name for name in found if _named_for(client, name)]

    def make_network(self, plan: Any, client: str) -> str:
        """Make one network of a plan and return its id; any warning of the engine is a refusal."""
        with _told():
            made = self._api.create_network(
                plan.name,
                driver="bridge",
                options=plan.options,
                internal=plan.internal,
                enable_ipv6=bool(plan.ipv6),
                check_duplicate=True,
                labels={_LABEL: client, "hostkit.part": "net"},
                ipam={"Driver": "default", "Config": [{"Subnet": net} for net in (plan.subnet, plan.ipv6) if net]},
            )
        _refuse_warning(plan.name, made.get("Warning"))
        return str(made["Id"])

    def make_volume(self, name: str, client: str, options: dict[str, str] | None = None) -> None:
        """Make a volume; one of that name with the client's label is kept, any other is refused.

        Refused too: options other than these, for they can make a volume of a folder of the host. A sized tmpfs in a
        plain volume's place is the owner's to choose.
        """
        with _told():
            labels = {_LABEL: client, "hostkit.part": "volume"}
            made = self._api.create_volume(name, driver="local", driver_opts=options or {}, labels=labels)
        found, wanted = made.get("Options") or {}, options or {}
        in_memory = not wanted and (found.get("type"), found.get("device")) == ("tmpfs", "tmpfs")
        if (made.get("Labels") or {}).get(_LABEL) != client or not (found == wanted or in_memory):
            raise HostkitError(f"volume {name} was not made by hostkit for {client}", "rename or remove that volume")

    def make_container(self, plan: Any, *, stdin: bool = False) -> str:
        """Make a container exactly as planned and return its id; any warning of the engine is a refusal."""
        with _told():
            made = self._api.create_container_from_config(_config(self._api, plan, stdin=stdin), plan.name)
        if made.get("Warnings"):
            self.remove_container(made["Id"])
            _refuse_warning(plan.name, " ".join(made["Warnings"]))
        return str(made["Id"])

    def join(self, network: str, container: str, address: str) -> None:
        """Give a container a second leg."""
        with _told():
            self._api.connect_container_to_network(container, network, ipv4_address=address)

    def leave(self, network: str, container: str) -> None:
        """Take a container's leg on a network away; one that is not there is no failure."""
        from docker.errors import APIError  # noqa: PLC0415 - lazy as above

        with _told():
            try:
                self._api.disconnect_container_from_network(container, network, force=True)
            except APIError as why:
                if "is not connected" not in str(why):
                    raise

    def start(self, container: str) -> None:
        """Start a container that was made."""
        with _told():
            self._api.start(container)

    def stop_container(self, container: str, grace: int = 2) -> None:
        """Stop a container; it has `grace` seconds to end by itself."""
        with _told():
            self._api.stop(container, timeout=grace)

    def remove_container(self, container: str) -> None:
        """Remove a container whatever it does; one that is gone already is no failure."""
        from docker.errors import APIError, NotFound  # noqa: PLC0415 - lazy as above

        with _told():
            try:
                self._api.remove_container(container, force=True, v=False)
            except NotFound:
                return
            except APIError as why:
                if "already in progress" not in str(why):
                    raise

    def remove_network(self, network: str) -> None:
        """Remove a network; one that is gone already is no failure."""
        from docker.errors import NotFound  # noqa: PLC0415 - lazy as above

        with _told():
            try:
                self._api.remove_network(network)
            except NotFound:
                return

    def remove_volume(self, volume: str) -> None:
        """Remove a volume; one that is gone already is no failure."""
        from docker.errors import NotFound  # noqa: PLC0415 - lazy as above

        with _told():
            try:
                self._api.remove_volume(volume, force=True)
            except NotFound:
                return

    def put(self, container: str, directory: str, entries: Sequence["Entry"]) -> None:
        """Lay files and directories down in a container, each with its owner and mode."""
        with _told():
            self._api.put_archive(container, directory, _archive(entries))

    def fetch(self, container: str, path: str, limit: int = 64 * 1024 * 1024) -> bytes:
        """Return a regular file's content out of a container, its last `limit` bytes at most."""
        with _told():
            chunks, _ = self._api.get_archive(container, path)
            with tarfile.open(fileobj=io.BufferedReader(_Chunks(chunks), _PIECE), mode="r|") as archive:
                member = archive.next()
                if member is None or not member.isreg() or member.size > _LARGEST:
                    raise CannotTell(f"{path} in {container} is not a regular file of a size to be read")
                opened = archive.extractfile(member)
                return _tail(opened, limit) if opened else b""

    def attach(self, container: str) -> Any:
        """Return a raw socket to a container's stdin and stdout; attach before start, or output is lost."""
        with _told():
            params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            return self._api.attach_socket(container, params)

    def logs(self, container: str, lines: int = 200) -> str:
        """Return the last lines that a container wrote."""
        with _told():
            return bytes(self._api.logs(container, tail=lines)).decode(errors="replace")

    def exec(self, container: str, command: list[str]) -> tuple[int, bytes]:
        """Run a command in a container, nothing on its stdin; return its exit code and all it wrote."""
        pieces: list[bytes] = []
        code = self.stream(container, command, lambda _, piece: pieces.append(piece), silence=30)
        return code, b"".join(pieces)

    def stream(
        self, container: str, command: list[str], write: Callable[[int, bytes], None], silence: float | None = None
    ) -> int:
        """Run a command and hand on each piece as it comes (1 its stdout, 2 its stderr); return its exit code.

        A command that cannot be run is told on stderr and ends with 126 or 127, as in a shell. Raise CannotTell if it
        is silent for longer than `silence` seconds.
        """
        from docker.utils.socket import frames_iter  # noqa: PLC0415 - lazy as above

        with _told():
            made = self._api.exec_create(container, command)
            with contextlib.closing(self._api.exec_start(made["Id"], socket=True)) as stream:
                getattr(stream, "_sock", stream).settimeout(silence)
                frames: Iterator[tuple[int, bytes]] = frames_iter(stream, tty=False)  # type: ignore[no-untyped-call]
                refused = b""
                for kind, piece in frames:
                    refused = piece if piece.startswith(_CANNOT_RUN) else refused
                    write(2 if refused else kind, piece)
            code = self._exit_code(made["Id"])
        return 127 if code == 126 and any(words in refused for words in _NOT_THERE) else code

    def _exit_code(self, execution: str) -> int:
        """Return the code of a command whose output has ended; the engine may notice its end a little later."""
        end = time.monotonic() + 5
        while True:
            said = self._api.exec_inspect(execution)
            if not said["Running"] and said["ExitCode"] is not None:
                return int(said["ExitCode"])
            if time.monotonic() > end:
                raise CannotTell("the command closed its output but goes on", "see hostkit exec CLIENT -- ps")
            time.sleep(0.01)

    def gateway_status(self, client: str) -> dict[str, Any] | None:
        """Return what a client's gateway last said of itself, None if there is no gateway container."""
        name = f"hostkit-{client}-gateway"
        document = self.inspect(name)
        if document is None:
            return None
        try:
            said = dict(json.loads(self.fetch(name, "/records/status.json", 4096)))
        except (HostkitError, ValueError, TypeError):
            said = {"state": "unknown", "why": "its status cannot be read"}
        # What the engine says is not the gateway's to overrule.
        return {**said, "container": document["State"], "restarts": document.get("RestartCount", 0)}


class _Chunks(io.RawIOBase):
    """What comes in chunks, as a file: a container's file is never held whole."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and (piece := next(self._chunks, None)) is not None:
            self._rest = piece
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _tail(file: Any, limit: int) -> bytes:
    pieces: deque[bytes] = deque()
    size = 0
    while piece := file.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        while size - len(pieces[0]) >= limit:
            size -= len(pieces.popleft())
    return b"".join(pieces)[-limit:]


def _filter(client: str | None) -> dict[str, Any]:
    return {} if client is None else {"label": f"{_LABEL}={client}"}


def _named_for(client: str, name: str) -> bool:
    return bool(client) and name.lstrip("/").startswith(f"hostkit-{client}-")


def owner(document: dict[str, Any]) -> str:
    """Return whose sandbox a container belongs to, empty for a stranger's: anybody can set a label alone."""
    client = str((document.get("Config", {}).get("Labels") or {}).get(_LABEL, ""))
    return client if _named_for(client, str(document.get("Name", ""))) else ""


def _refuse_warning(what: str, warning: str | None) -> None:
    if warning:
        do = "the wall it names would be missing; fix the engine or the host"
        raise HostkitError(f"{what}: the engine warns: {warning}", do)


def _archive(entries: Sequence[Entry]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type = tarfile.DIRTYPE if entry.content is None else tarfile.REGTYPE
            info.size, info.mode, info.uid, info.gid = len(entry.content or b""), entry.mode, entry.uid, entry.uid
            archive.addfile(info, io.BytesIO(entry.content or b""))
    return buffer.getvalue()


def _security(plan: Any) -> list[str]:
    profile = _SECCOMP.read_text() if plan.seccomp == "hostkit" else plan.seccomp
    options = [f"seccomp={profile}"]
    return [*options, "no-new-privileges:true"] if plan.no_new_privileges else options


def _config(api: Any, plan: Any, *, stdin: bool) -> Any:
    """Return the engine's own document for a container: pure but for the seccomp file."""
    return api.create_container_config(
        plan.image,
        list(plan.command),
        entrypoint=[],
        user=plan.user,
        environment=dict(plan.environment),
        labels=dict(plan.labels),
        stdin_open=stdin,
        host_config=_host_config(api, plan),
        networking_config=_networking(api, plan),
    )


def _networking(api: Any, plan: Any) -> Any:
    """Return the container's first leg; a gateway's address is of its inner leg, which it joins later."""
    if plan.network == "none":
        return None
    fixed = plan.address if plan.network.endswith("-in") else None
    return api.create_networking_config({plan.network: api.create_endpoint_config(ipv4_address=fixed)})


def _ulimits(plan: Any) -> list[tuple[str, int]]:
    return [("core", 0), *([("nofile", plan.nofile)] if plan.nofile else [])]


def _host_config(api: Any, plan: Any) -> Any:
    from docker.types import LogConfig, Mount, Ulimit  # noqa: PLC0415 - lazy as above

    log = {"max-size": plan.log_size, "max-file": str(plan.log_files)}
    return api.create_host_config(
        network_mode=plan.network,
        read_only=plan.read_only,
        cap_drop=list(plan.cap_drop),
        cap_add=list(plan.cap_add),
        security_opt=_security(plan),
        pids_limit=plan.pids or None,
        mem_limit=plan.memory or None,
        memswap_limit=plan.memory or None,
        nano_cpus=int(plan.cpus * 1e9) or None,
        ulimits=[Ulimit(name=name, soft=size, hard=size) for name, size in _ulimits(plan)],
        tmpfs=dict(plan.tmpfs),
        mounts=[Mount(m.target, m.volume, type="volume", read_only=m.read_only, no_copy=True) for m in plan.mounts],
        sysctls=dict(plan.sysctls),
        dns=list(plan.dns) or None,
        restart_policy={"Name": plan.restart, **({"MaximumRetryCount": 10} if plan.restart == "on-failure" else {})},
        log_config=LogConfig(type="json-file", config=log),
        init=plan.restart == "no",
    )
