"""This host's own way out: its gateway, and whether what needs a way out asks it."""

import ipaddress
import json
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

from hostkit.errors import CannotTell
from hostkit.health import STALE
from hostkit.host import Host
from hostkit.host.attempts import Outcome, Try
from hostkit.policy import Egress, Policy
from hostkit.posture import fence
from hostkit.posture.model import Verdict, check, every, fail, ok
from hostkit.posture.readings import listeners
from hostkit.posture.witness import agent, held

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
    play="70-gateway",
)
def the_hosts_gateway_stands(host: Host, policy: Policy) -> Verdict:
    """The host's own gateway runs, returns at boot, holds usable rules, and listens on loopback only."""
    if host.stat(_UNIT) is None:
        return fail("hostkit-gateway.service is not there")
    faults = [] if host.stat(_WANTS) else ["hostkit-gateway.service is not enabled"]
    places = [entry.address for entry in listeners(host) if (entry.protocol, entry.port) == ("tcp", _PORT)]
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
    play="70-gateway",
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


# Documentation addresses, where nobody lives: a packet that gets out harms nobody.
_STRANGERS = (
    Try("tcp", ("203.0.113.7", 80)),
    Try("tcp", ("203.0.113.7", 443)),
    Try("tcp", ("2001:db8::7", 443)),
    Try("udp", ("203.0.113.7", 443)),
    Try("udp", ("203.0.113.53", 53)),
    Try("udp", ("2001:db8::53", 53)),
)
_METADATA = ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")
_NO_FENCE = (
    "hostkit bootstrap (play 90-fence), then hostkit bootstrap --confirm; firewall-intact names rules added since."
)


@check(
    "egress-denied",
    severity="critical",
    unhardened="fail unknown",
    kind="probe",
    play="90-fence",
    why="An agent that sends by itself hands out what it reads, and no gateway judges or records it.",
    fix=_NO_FENCE,
    references=("NIST SP 800-53 SC-7", "NIST SP 800-53 SC-7(5)"),
)
def agent_sends_nothing_by_itself(host: Host, policy: Policy) -> Verdict:
    """What the agent's account sends past the gateway is dropped: TCP, UDP and DNS, v4 and v6, by address."""
    return held(host, policy, _STRANGERS)


@check(
    "egress-lan",
    severity="critical",
    unhardened="fail unknown",
    kind="probe",
    play="90-fence",
    why="The router, the printer and the workstations of the LAN trust whoever stands in it.",
    fix=_NO_FENCE,
    references=("NIST SP 800-53 AC-4",),
)
def agent_does_not_reach_the_lan(host: Host, policy: Policy) -> Verdict:
    """What the agent's account sends to the LAN, its router and its name server among them, is dropped."""
    places = dict.fromkeys([*(_place(*route) for route in host.default_routes()), *map(_first, policy.host.lan)])
    if not places:
        raise CannotTell("there is no default route, and host.lan names no network to try")
    return held(
        host, policy, [Try(kind, (place, port)) for place in places for kind, port in (("tcp", 80), ("udp", 53))]
    )


def _place(gateway: str, interface: str) -> str:
    """Return a router's address, with the card that a link-local one needs."""
    bare = gateway.partition("%")[0]
    return f"{bare}%{interface}" if ipaddress.ip_address(bare).is_link_local else bare


def _first(network: str) -> str:
    parsed = ipaddress.ip_network(network)
    return str(parsed[1] if parsed.num_addresses > 2 else parsed[0])


@check(
    "egress-metadata",
    severity="critical",
    unhardened="fail unknown",
    kind="probe",
    play="90-fence",
    why="A cloud's metadata address gives the machine's own credentials to whoever asks it.",
    fix=_NO_FENCE,
    references=("NIST SP 800-53 AC-4",),
)
def agent_does_not_reach_metadata(host: Host, policy: Policy) -> Verdict:
    """What the agent's account sends to a cloud's metadata addresses is dropped, v4 and v6."""
    return held(host, policy, [Try("tcp", (address, 80)) for address in _METADATA])


@check(
    "egress-counted",
    severity="medium",
    unhardened="fail unknown",
    play="90-fence",
    why="An attempt that nobody counts and nobody logs is one that nobody hears of.",
    fix=_NO_FENCE,
    references=("NIST SP 800-53 AU-12", "NIST SP 800-53 SI-4"),
)
def drops_are_counted_and_logged(host: Host, policy: Policy) -> Verdict:
    """The fence counts every packet that it drops, and logs those that no rule of it names."""
    found = fence.standing(host)
    if isinstance(found, str):
        return fail(found)
    faults = [fault for hook in ("input", "output", "forward") for fault in _unseen(hook, found.get(hook))]
    counted = sum(fence.dropped(found, hook) for hook in found)
    return every(faults, f"{counted} packets dropped since the fence came up")


def _unseen(hook: str, chain: fence.Chain | None) -> Iterator[str]:
    """Yield what a chain drops without a word: its rules', and what comes to its end."""
    if chain is None or chain.policy != "drop":
        yield f"{hook} does not drop"
        return
    silent = [rule for rule in chain.rules if rule.has("drop") and not rule.has("counter")]
    if silent:
        yield f"{len(silent)} rules of {hook} drop without counting"
    passed = [number for number, rule in enumerate(chain.rules) if rule.has("accept")]
    end = chain.rules[max(passed, default=-1) + 1 :]
    if not any(rule.has("log") for rule in end):
        yield f"{hook} logs nothing of what it drops"
    if not end or not end[-1].has("counter"):
        yield f"{hook} does not count what comes to its end"


_MOST = 96
"""Names that are asked: the child asks 32 at a time, each for three seconds at most, and a probe has ten."""


@check(
    "egress-listed",
    severity="high",
    unhardened="fail unknown",
    kind="probe",
    play="70-gateway",
    why="A name that is listed and does not answer makes somebody open the fence by hand, at two in the morning.",
    fix="hostkit bootstrap (play 70-gateway) starts the gateway; journalctl -u hostkit-gateway and its records name the"
    " reason; take names that are gone out of host.egress.",
    references=("NIST SP 800-53 SI-6",),
)
def every_listed_name_answers(host: Host, policy: Policy) -> Verdict:
    """Every name that the policy lists for this host answers the agent's account, by the host's gateway."""
    tries = [entry for way in policy.host.egress for entry in _asking(way)]
    account = agent(host, policy)
    if not tries:
        raise CannotTell("host.egress lists no name that could be asked (a wildcard is none)")
    told = list(zip(tries, host.attempts(*account, tuple(tries[:_MOST])), strict=False))
    unheard = [entry for entry, outcome in told if (entry.kind, outcome.word) == ("raw", "silent")]
    faults = [_said(*pair) for pair in told if pair[1].word != "answered" and pair[0] not in unheard]
    if not faults and (unheard or len(tries) > _MOST):
        quiet = "".join(f"; {entry.name}:{entry.port} takes a connection and is silent" for entry in unheard[:5])
        raise CannotTell(f"{len(told) - len(unheard)} of {len(tries)} answered, {_MOST} are asked at most{quiet}")
    wild = sum(way.name.startswith("*.") for way in policy.host.egress)
    return every(faults, f"{len(told)} answer" + (f"; {wild} wildcards were not asked" if wild else ""))


def _asking(way: Egress) -> list[Try]:
    """Return how a listed name is asked, on each of its ports; a wildcard names nobody who could answer."""
    if way.name.startswith("*."):
        return []
    if way.raw is not None:
        return [Try("raw", ("127.0.0.1", way.local_port or way.raw), way.name, way.raw)]
    return [Try("http" if port == 80 else "tls", ("127.0.0.1", _PORT), way.name, port) for port in way.ports]


def _said(entry: Try, outcome: Outcome) -> str:
    return f"{entry.name}:{entry.port} {outcome.word} ({outcome.detail})"


@check(
    "egress-unlisted",
    severity="critical",
    unhardened="fail unknown",
    kind="probe",
    play="70-gateway",
    why="A gateway that lets a name through that nobody listed is an open door with a sign on it.",
    fix="hostkit bootstrap (play 70-gateway); take wildcards out of host.egress that hold more than was meant.",
    references=("NIST SP 800-53 SC-7(5)", "NIST SP 800-53 SC-7(8)"),
)
def no_unlisted_name_is_let_through(host: Host, policy: Policy) -> Verdict:
    """The host's gateway refuses the agent's account a name that nobody listed, and says that this is why."""
    name = f"hostkit-{secrets.token_hex(8)}.invalid"
    tries = tuple(Try(kind, ("127.0.0.1", _PORT), name, port) for kind, port in (("tls", 443), ("http", 80)))
    told = list(zip(tries, host.attempts(*agent(host, policy), tries), strict=True))
    odd = [_said(entry, outcome) for entry, outcome in told if outcome != Outcome("denied", "403 not-listed")]
    return fail(", ".join(odd)) if odd else ok("403 not-listed, by CONNECT and by plain HTTP")
