"""Reading what the plays of a Mac may touch, as it is now, from the tools that know it."""

from collections.abc import Callable, Mapping

from hostkit.bootstrap.mac.known import named
from hostkit.bootstrap.mac.settings import value
from hostkit.bootstrap.mac.stand import entry
from hostkit.bootstrap.record import State
from hostkit.errors import CannotTell
from hostkit.host import Host, Said
from hostkit.host.apple import job

_PFCTL = "/sbin/pfctl"


def _settings(host: Host, names: list[str]) -> Mapping[str, State]:
    """Return each setting's value, or why it is not known; one question answers for all that ask it.

    What is not known no play changes, and --undo leaves: an application may be gone, or a person.
    """
    said: dict[tuple[str, ...], Said] = {}
    found: dict[str, State] = {}
    for name in names:
        setting = named(name)
        if setting.read not in said:
            said[setting.read] = host.ask(*setting.read)
        try:
            found[name] = {"value": value(setting, said[setting.read])}
        except CannotTell as why:
            found[name] = {"unknown": str(why)}
    return found


def _jobs(host: Host, names: list[str]) -> Mapping[str, State]:
    return {name: {"loaded": bool(job(host, name))} for name in names}


def _accounts(host: Host, names: list[str]) -> Mapping[str, State]:
    return {name: {"entry": entry(host, name)} for name in names}


def _anchors(host: Host, names: list[str]) -> Mapping[str, State]:
    # Of an anchor that is not there pfctl says that its rules cannot be read.
    return {name: {"there": bool(host.ask(_PFCTL, "-a", name, "-sr").out.strip())} for name in names}


READERS: Mapping[str, Callable[[Host, list[str]], Mapping[str, State]]] = {
    "setting": _settings,
    "job": _jobs,
    "account": _accounts,
    "table": _anchors,
}
