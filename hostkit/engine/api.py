"""One engine's API, in the words of a launch plan."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from hostkit.engine.asking import tries
from hostkit.engine.document import config
from hostkit.engine.files import Entry, archive, last_of
from hostkit.engine.frames import frames, let_go, reading
from hostkit.engine.told import told
from hostkit.errors import CannotTell, HostkitError

_LABEL = "hostkit.client"
_CANNOT_RUN = b"OCI runtime exec failed"
"""The engine's own first words, on the command's stdout, when there is no such command."""
_NOT_THERE = (b"executable file not found", b"no such file or directory")


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
            with told():
                found = version_numbers("Docker/" + self._api.version()["Version"])
        if found is None:
            raise CannotTell("the engine does not tell its version", "hostkit needs Docker 20.10 or later")
        return found

    def settings(self) -> dict[str, Any]:
        """Return what the engine says it gives every container: its log driver, and whether neighbours may talk."""
        with told():
            info, bridge = self._api.info(), self._api.inspect_network("bridge")
        options = bridge.get("Options") or {}
        return {
            "live-restore": info.get("LiveRestoreEnabled"),
            "log-driver": info.get("LoggingDriver"),
            "icc": options.get("com.docker.network.bridge.enable_icc") != "false",
        }

    def survey(self) -> dict[str, Any]:
        """Return what the engine says of itself, and all its networks and volumes, in its own words."""
        with told():
            return {
                "info": self._api.info(),
                "version": self._api.version(api_version=False),
                "networks": self._api.networks(),
                "volumes": self._api.volumes().get("Volumes") or [],
            }

    def security_options(self) -> tuple[str, ...]:
        """Return what the engine holds containers with, in its own words, such as `name=apparmor`."""
        with told():
            return tuple(map(str, self._api.info().get("SecurityOptions") or ()))

    def image_id(self, image: str) -> str | None:
        """Return the repository digest of a pulled image, else its id, None if the engine has no such image."""
        from docker.errors import ImageNotFound  # noqa: PLC0415 - lazy as above

        with told():
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
        with told():
            for entry in self._api.containers(all=all, filters=_filter(client)):
                try:
                    found.append(self._api.inspect_container(entry["Id"]))
                except NotFound:
                    continue
        return [document for document in found if client is None or owner(document) == client]

    def inspect(self, name: str) -> dict[str, Any] | None:
        """Return a container's inspect document, None if it is not there."""
        from docker.errors import NotFound  # noqa: PLC0415 - lazy as above

        with told():
            try:
                document: dict[str, Any] = self._api.inspect_container(name)
            except NotFound:
                return None
        return document

    def networks(self, client: str) -> list[dict[str, Any]]:
        """Return the networks that hostkit made for a client."""
        with told():
            found = list(self._api.networks(filters=_filter(client)))
        return [entry for entry in found if _named_for(client, entry["Name"])]

    def volumes(self, client: str) -> list[str]:
        """Return the names of the volumes that hostkit made for a client."""
        with told():
            found = [entry["Name"] for entry in self._api.volumes(filters=_filter(client))["Volumes"] or []]
        return [name for name in found if _named_for(client, name)]

    def make_network(self, plan: Any, client: str) -> str:
        """Make one network of a plan and return its id; any warning of the engine is a refusal."""
        with told():
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
        with told():
            labels = {_LABEL: client, "hostkit.part": "volume"}
            self._api.create_volume(name, driver="local", driver_opts=options or {}, labels=labels)
            # An engine that was started anew answers a creation without what it kept of the volume: seen on 20.10.
            made = self._api.inspect_volume(name)
        found, wanted = made.get("Options") or {}, options or {}
        in_memory = not wanted and (found.get("type"), found.get("device")) == ("tmpfs", "tmpfs")
        if (made.get("Labels") or {}).get(_LABEL) != client or not (found == wanted or in_memory):
            raise HostkitError(f"volume {name} was not made by hostkit for {client}", "rename or remove that volume")

    def make_container(self, plan: Any, *, stdin: bool = False) -> str:
        """Make a container exactly as planned and return its id; any warning of the engine is a refusal."""
        with told():
            made = self._api.create_container_from_config(config(self._api, plan, stdin=stdin), plan.name)
        if made.get("Warnings"):
            self.remove_container(made["Id"])
            _refuse_warning(plan.name, " ".join(made["Warnings"]))
        return str(made["Id"])

    def join(self, network: str, container: str, address: str) -> None:
        """Give a container a second leg."""
        with told():
            self._api.connect_container_to_network(container, network, ipv4_address=address)

    def leave(self, network: str, container: str) -> None:
        """Take a container's leg on a network away; one that is not there is no failure."""
        from docker.errors import APIError  # noqa: PLC0415 - lazy as above

        with told():
            try:
                self._api.disconnect_container_from_network(container, network, force=True)
            except APIError as why:
                if "is not connected" not in str(why):
                    raise

    def start(self, container: str) -> None:
        """Start a container that was made."""
        with told():
            self._api.start(container)

    def remove_container(self, container: str) -> None:
        """Remove a container whatever it does; one that is gone already is no failure."""
        from docker.errors import APIError, NotFound  # noqa: PLC0415 - lazy as above

        with told():
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

        with told():
            try:
                self._api.remove_network(network)
            except NotFound:
                return

    def remove_volume(self, volume: str) -> None:
        """Remove a volume; one that is gone already is no failure."""
        from docker.errors import NotFound  # noqa: PLC0415 - lazy as above

        with told():
            try:
                self._api.remove_volume(volume, force=True)
            except NotFound:
                return

    def put(self, container: str, directory: str, entries: Sequence["Entry"]) -> None:
        """Lay files and directories down in a container, each with its owner and mode."""
        with told():
            self._api.put_archive(container, directory, archive(entries))

    def fetch(self, container: str, path: str, limit: int = 64 * 1024 * 1024) -> bytes:
        """Return a regular file's content out of a container, its last `limit` bytes at most."""
        with told():
            chunks, _ = self._api.get_archive(container, path)
            return last_of(f"{path} in {container}", chunks, limit)

    def attach(self, container: str) -> Any:
        """Return a raw socket to a container's stdin and stdout; attach before start, or output is lost."""
        with told():
            params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            return self._api.attach_socket(container, params)

    def logs(self, container: str, lines: int = 200) -> str:
        """Return the last lines that a container wrote."""
        with told():
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
        with told():
            made = self._api.exec_create(container, command)
            stream = self._api.exec_start(made["Id"], socket=True)
            try:
                refused = b""
                for kind, piece in frames(reading(stream, silence)):
                    refused = piece if piece.startswith(_CANNOT_RUN) else refused
                    write(2 if refused else kind, piece)
            finally:
                let_go(stream)
            code = self._exit_code(made["Id"])
        return 127 if code == 126 and any(words in refused for words in _NOT_THERE) else code

    def _exit_code(self, execution: str) -> int:
        """Return the code of a command whose output has ended; the engine may notice its end a little later."""
        for _ in tries(5, pause=0.01):
            said = self._api.exec_inspect(execution)
            if not said["Running"] and said["ExitCode"] is not None:
                return int(said["ExitCode"])
        raise CannotTell("the command closed its output but goes on", "see hostkit exec CLIENT -- ps")

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
