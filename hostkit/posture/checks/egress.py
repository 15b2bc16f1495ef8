"""This host's own way out: its gateway, and whether what needs a way out asks it."""

import ipaddress
import json
import re
import time
from typing import Any

from hostkit.errors import CannotTell
from hostkit.health import STALE
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail

_STATUS = "/var/lib/hostkit/host-gateway/status.json"
_PORT = 3128
_PROXY = f"http://127.0.0.1:{_PORT}"
_UNIT = "/etc/systemd/system/hostkit-gateway.service"
_WANTS = "/etc/systemd/system/multi-user.target.wants/hostkit-gateway.service"


@check(
    "egress-gateway",
    severity="high",
    unhardened="fail",
    why="Without it this host gets no updates, and every other way out would be one that nobody judges by name.",
    fix="hostkit bootstrap (play 70-gateway); journalctl -u hostkit-gateway says why it ended.",
)
def the_hosts_gateway_stands(host: Host, policy: Policy) -> Verdict:
    """The host's own gateway runs, returns at boot, holds usable rules, and listens on loopback only."""
    if host.stat(_UNIT) is None:
        return fail("hostkit-gateway.service is not there")
    faults = [] if host.stat(_WANTS) else ["hostkit-gateway.service is not enabled"]
    places = [entry.address for entry in host.listeners() if (entry.protocol, entry.port) == ("tcp", _PORT)]
    faults += [] if places else [f"nobody listens on port {_PORT}"]
    faults += [f"port {_PORT} is open on {place}" for place in places if not ipaddress.ip_address(place).is_loopback]
    status = _status(host)
    faults += [fault] if (fault := _fault(status, time.time())) else []
    return every(faults, f"open, generation {status.get('generation')}, {status.get('denied')} denied")


def _status(host: Host) -> dict[str, Any]:
    """Return the gateway's own words; raise CannotTell if this user may not read them."""
    if not host.is_root:
        raise CannotTell("what the gateway says of itself cannot be read without root", "sudo hostkit check")
    if host.stat(_STATUS) is None:
        return {}
    try:
        plain = json.loads(host.read(_STATUS))
    except ValueError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _fault(status: dict[str, Any], now: float) -> str:
    at = status.get("at")
    if not isinstance(at, int | float):
        return "it has said nothing of itself"
    if now - at > STALE:
        return f"it has said nothing for {now - at:.0f} s"
    return "" if status.get("state") == "open" else f"it is closed: {status.get('why') or 'no reason given'}"


_SETTING = re.compile(r'Acquire::(https?)::Proxy(::\S*)? "(.*)";')


@check(
    "egress-apt",
    severity="high",
    unhardened="fail",
    why="An apt that does not ask the gateway gets no security updates, for the fence lets it out by no other way.",
    fix="hostkit bootstrap (play 70-gateway); take other Acquire::http::Proxy lines out of /etc/apt/apt.conf.d.",
)
def apt_asks_the_gateway(host: Host, policy: Policy) -> Verdict:
    """Every request of apt goes through the host's gateway, by apt's own account of its settings."""
    told = [match.groups() for match in map(_SETTING.fullmatch, host.run("apt-config", "dump").splitlines()) if match]
    general = {scheme: proxy for scheme, name, proxy in told if not name}
    faults = [
        f"Acquire::{scheme}::Proxy is {general.get(scheme) or 'not set'}"
        for scheme in ("http", "https")
        if general.get(scheme) != _PROXY
    ]
    faults += [f"{name.strip(':')} goes by {proxy}" for _, name, proxy in told if name and proxy != _PROXY]
    return every(faults, f"by {_PROXY}")
