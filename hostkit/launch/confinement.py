"""Whether hostkit's AppArmor profile can hold an agent here, and whether it does."""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

from hostkit.bootstrap.apparmor import NAME, PROFILES, mode
from hostkit.engine import Engine
from hostkit.errors import CannotTell
from hostkit.host import Host


@dataclass(frozen=True)
class Confinement:
    """The AppArmor profile that agents get; where there is none, `note` says what holds them instead."""

    profile: str | None = None
    note: str = "no AppArmor profile holds the agent: this host or its engine has no AppArmor"


NONE = Confinement()
_ENGINES_OWN = "the engine's own AppArmor profile holds the agent, not hostkit's"


def judge(options: Iterable[str], profiles: str | None) -> Confinement:
    """Return what can hold an agent, from the engine's security options and the kernel's profiles (None: not seen)."""
    if "name=apparmor" not in options:
        return NONE
    if profiles is None:
        return Confinement(note=f"{_ENGINES_OWN}: only root sees whether the kernel has that one")
    if (found := mode(profiles)) != "enforce":
        why = f"the kernel only has that one to {found}" if found else "the kernel does not have that one"
        return Confinement(note=f"{_ENGINES_OWN}: {why}; hostkit bootstrap --only apparmor")
    return Confinement(NAME, "")


def other_profile(planned: str | None, label: str) -> str:
    """Return what holds a process if it is not the planned profile, enforced; empty if it is, or none is planned."""
    wanted = f"{planned} (enforce)"
    return "" if planned is None or label.strip() == wanted else f"AppArmor says {label.strip()!r}, not {wanted!r}"


def confinement(engine: Engine, host: Host) -> Confinement:
    """Return what can hold an agent; an engine on a kernel without AppArmor is not asked."""
    if host.stat(PROFILES) is None:
        return NONE
    profiles = None
    with contextlib.suppress(CannotTell):
        profiles = host.read(PROFILES)
    return judge(engine.security_options(), profiles)


def wrong_profile(host: Host, planned: str | None, pid: int, patience: float = 5.0) -> str:
    """Return what holds a process instead of the planned profile, empty if nothing does.

    A profile comes with the program, shortly after the container has started: it is awaited for `patience` seconds.
    """
    end = time.monotonic() + patience
    while planned and (wrong := other_profile(planned, host.read(f"/proc/{pid}/attr/apparmor/current"))):
        if time.monotonic() > end:
            return wrong
        time.sleep(0.01)
    return ""
