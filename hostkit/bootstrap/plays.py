"""The plays of a platform: their files, the checks that each proves, and the variables they take."""

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hostkit import __version__
from hostkit.bootstrap import apparmor, engine, gateway, kernel
from hostkit.bootstrap.fence import draft
from hostkit.errors import HostkitError
from hostkit.host import SHARED_FILE_SYSTEMS
from hostkit.policy import GATEWAY_ACCOUNT, Policy
from hostkit.policy.uids import UIDS
from hostkit.shipped import shipped

FOLDER = shipped("playbooks")
_FOLDERS = {"linux": "linux", "darwin": "mac"}


@dataclass(frozen=True)
class Play:
    """One subject's play: its name states what it makes true, `why` what that is good for.

    `proves` are the checks that must pass afterwards; `touches` is all that it may change, by kind (files, units,
    packages, sysctls, accounts), from which --undo is made. `solo_leaves_out` says what it does not do at `solo`.
    """

    file: Path
    name: str
    why: str
    proves: tuple[str, ...]
    touches: Mapping[str, tuple[str, ...]]
    tasks: int
    solo_leaves_out: str = ""

    @property
    def stem(self) -> str:
        """Return the file's name without its end: `30-ssh`."""
        return self.file.stem

    @property
    def subject(self) -> str:
        """Return the word that --only and --skip know it by: `ssh`."""
        return self.file.stem.partition("-")[2]


@dataclass(frozen=True)
class Machine:
    """What the plays must know of this machine: its distribution's names, and whether its kernel is another's.

    `addresses` are its own, `bridges` those of them that the container engine gave; `interfaces` are all but the
    engine's and loopback; `rules` and `status` are those of its own gateway as they lie there, empty if none does;
    `daemon` is the container engine's daemon.json.
    """

    distribution: Mapping[str, Any]
    in_container: bool = False
    addresses: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    rules: str = ""
    status: str = ""
    daemon: str = ""


KINDS = frozenset({"files", "units", "packages", "sysctls", "accounts", "settings", "jobs"})
"""The kinds of things a play may touch."""


def plays(platform: str = "linux") -> tuple[Play, ...]:
    """Return the platform's plays in the order of their numbers; raise TypeError for a file that is not one play.

    Raise HostkitError where there are none for it.
    """
    if platform not in _FOLDERS:
        raise HostkitError(f"there are no plays for {platform}", "run it on a Linux box or a Mac")
    return tuple(_play(file) for file in sorted((FOLDER / _FOLDERS[platform]).glob("[0-9][0-9]-*.yml")))


def _play(file: Path) -> Play:
    documents = yaml.safe_load(file.read_text(encoding="utf-8"))
    if len(documents) != 1:
        raise TypeError(f"{file.name}: a file holds one play")
    play = documents[0]
    own, tasks = play["vars"], len(play["tasks"]) + len(play.get("handlers", ()))
    touches = {kind: tuple(names) for kind, names in own["touches"].items()}
    return Play(file, play["name"], own["why"], tuple(own["proves"]), touches, tasks, own.get("solo_leaves_out", ""))


def stamps(platform: str = "linux") -> dict[str, str]:
    """Return, by each play's stem, what tells it from an older or newer one: hostkit's version and a digest of it all.

    With a play goes what lies beside all of them; no play is parsed for it.
    """
    made = (
        path for path in sorted((FOLDER / _FOLDERS[platform]).rglob("*")) if path.suffix in _MADE_OF and path.is_file()
    )
    content = {path: path.read_bytes() for path in made}
    own = {path for path in content if re.match(r"[0-9][0-9]-.*\.yml$", path.name)}
    shared = hashlib.sha256(b"".join(text for path, text in content.items() if path not in own))
    return {path.stem: f"{__version__} {_digest(shared.digest() + content[path])}" for path in sorted(own)}


_MADE_OF = {".yml", ".py", ""}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def distribution(os_release: str) -> Mapping[str, Any] | None:
    """Return what the plays know of the distribution that /etc/os-release names, None if they know it not."""
    told = dict(line.partition("=")[::2] for line in os_release.splitlines())
    key = "-".join(told.get(name, "").strip("\"'") for name in ("ID", "VERSION_ID"))
    known: dict[str, Mapping[str, Any]] = yaml.safe_load((FOLDER / "linux/distributions.yml").read_text("utf-8"))
    return known.get(key)


def variables(policy: Policy, over: str, machine: Machine, far: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what the plays take from the policy.

    `over` is `ssh`, `console` or `unattended`: how the fence is applied; `far` are the addresses that may confirm it.
    """
    settings = engine.daemon(machine.daemon, policy, machine.addresses)
    return {
        "profile": policy.host.profile,
        "distribution": machine.distribution,
        "in_container": machine.in_container,
        "account": policy.host.account,
        "policy_file": policy.path,
        "hostkit_program": str(Path(sys.executable).parent / "hostkit"),
        "shared_kinds": [re.escape(kind) for kind in sorted(SHARED_FILE_SYSTEMS)],
        "fence_draft": draft(policy),
        "fence_over": over,
        "fence_from": " ".join(far),
        "gateway_account": GATEWAY_ACCOUNT,
        "gateway_file": gateway.RULES,
        "gateway_rules": _gateway(policy, machine, settings),
        "gateway_records": gateway.RECORDS,
        "gateway_proxy": f"http://{gateway.ADDRESS}:{gateway.PORT}",
        "pool": policy.host.pool,
        "engine_settings": settings,
        "uids": {"first": UIDS.start, "last": UIDS.stop - 1},
        "audit_immutable": policy.host.audit_immutable,
        "apparmor_rules": apparmor.rules(),
        **_kernel(machine),
    }


def _gateway(policy: Policy, machine: Machine, settings: str) -> str:
    """Return the rules of the host's gateway, the same ones before and after this run starts the engine anew."""
    own = [address for address in machine.addresses if address not in machine.bridges]
    return gateway.rules(policy, own, machine.rules, machine.status, engine.pools(settings)).to_json()


def _kernel(machine: Machine) -> dict[str, Any]:
    """Return the kernel's settings, and the lines in which grep tells those that need no change."""
    wanted = kernel.settings(in_container=machine.in_container) | kernel.own_settings(machine.interfaces)
    return {
        "kernel_settings": wanted,
        "kernel_names": list(wanted),
        "kernel_paths": [kernel.path(name) for name in wanted],
        "kernel_lines": [f"{kernel.path(name)}:{value}" for name in wanted for value in kernel.good(name)],
    }
