"""Which machine this is: its name, and a word that stays when the name changes."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from hostkit.errors import CannotTell
from hostkit.host import Host

_PLATFORM_UUID = re.compile(r'"IOPlatformUUID" = "([0-9A-F-]{36})"')


@dataclass(frozen=True)
class Identity:
    """A machine: what cannot be read of it is empty."""

    name: str
    machine: str
    platform: str


def identify(host: Host) -> Identity:
    """Return which machine this is."""
    return Identity(_seen(_name, host)[:255], _seen(_machine, host), host.platform)


def _seen(reading: Callable[[Host], str], host: Host) -> str:
    try:
        return reading(host)
    except CannotTell:
        return ""


def _name(host: Host) -> str:
    return (host.read("/proc/sys/kernel/hostname") if host.platform == "linux" else host.run("hostname")).strip()


def _machine(host: Host) -> str:
    """Return a keyed digest: machine-id(5) asks not to show the number itself, which other programs trust."""
    if host.platform == "linux":
        number = host.read("/etc/machine-id").strip()
    else:
        found = _PLATFORM_UUID.search(host.run("ioreg", "-rd1", "-c", "IOPlatformExpertDevice"))
        number = found[1] if found else ""
    return hmac.new(number.encode(errors="replace"), b"hostkit", hashlib.sha256).hexdigest()[:32] if number else ""
