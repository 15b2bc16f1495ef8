"""The way back on a Mac: what is done about settings and jobs, and what stays. Pure."""

from collections.abc import Iterable

from hostkit.bootstrap.mac.known import named
from hostkit.bootstrap.mac.pf import ANCHOR
from hostkit.bootstrap.mac.settings import Command, written
from hostkit.bootstrap.record import Thing
from hostkit.host.apple import LAUNCHCTL

TAKE_DOWN: Command = ("/sbin/pfctl", "-a", ANCHOR, "-F", "rules")
"""What takes the anchor's rules, and nothing else's, where the fence's own program is gone."""
_MAPS = ("/etc/auto_master", "/etc/fstab")


def ended(ours: Iterable[Thing]) -> list[tuple[str, tuple[Command, ...]]]:
    """Return the end of hostkit's own jobs, in words and commands, while their files still lie there."""
    jobs = [thing.name for thing in ours if thing.kind == "job" and not thing.was["loaded"]]
    return [(f"end the job {name}", ((LAUNCHCTL, "bootout", f"system/{name}"),)) for name in jobs]


def settings(ours: Iterable[Thing]) -> list[tuple[str, tuple[Command, ...], bool]]:
    """Return what puts each setting back: in words, in commands, and whether it is needed.

    Those that cannot be put back are left out; a service that does not start now does so at the next start.
    """
    settings = [thing for thing in ours if thing.kind == "setting" and "value" in thing.was]
    found = [(thing, written(named(thing.name), thing.was["value"])) for thing in settings]
    kept = [(thing.name, commands) for thing, commands in found if commands]
    return [(f"set {name} as it was", commands, not name.startswith("loaded@")) for name, commands in kept]


def stays(thing: Thing) -> str:
    """Return why a setting stays as hostkit made it, and what to do; empty if it can be put back."""
    setting = named(thing.name)
    if "value" not in thing.was:
        return f"{thing.name}: what it was is not known ({thing.was['unknown']})"
    if written(setting, thing.was["value"]):
        return ""
    return f"{thing.name}: {setting.stays or 'it was never set, and its tool cannot unset it'}"


def read_anew(files: Iterable[Thing]) -> list[tuple[str, tuple[Command, ...]]]:
    """Return what makes the automounter read the lists that were put back."""
    back = [thing for thing in files if thing.name in _MAPS]
    return [("let the automounter read its lists anew", (("/usr/sbin/automount", "-cv"),))] if back else []
