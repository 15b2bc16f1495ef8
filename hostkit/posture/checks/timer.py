"""Whether this machine goes on being checked."""

import json
import time
from typing import Any

from hostkit.bootstrap.mac.jobs import CHECK
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import job, overrides
from hostkit.posture.model import Verdict, check, collect, every, fail

_RESULT = "/var/lib/hostkit/check.json"
_TIMER = "hostkit-check.timer"
_OLD = 26 * 3600.0


def _started(host: Host, policy: Policy) -> tuple[tuple[str, ...], ...]:
    return (("systemctl", "enable", "--now", _TIMER),) if host.stat(f"/etc/systemd/system/{_TIMER}") else ()


@check(
    "timer-check",
    severity="medium",
    unhardened="fail unknown",
    why="A wall that fell on Tuesday is found on Wednesday, not at the next visit.",
    fix="hostkit bootstrap (play 75-timer); journalctl -u hostkit-check says why it ended.",
    play="75-timer",
    mend=_started,
    references=("NIST SP 800-53 CA-7",),
)
def this_machine_checks_itself(host: Host, policy: Policy) -> Verdict:
    """A timer runs hostkit check every day, and the last result is no older than that."""
    state = _state(host)
    faults = [] if state.get("UnitFileState") == "enabled" else ["hostkit-check.timer is not enabled"]
    faults += [] if state.get("ActiveState") == "active" else ["hostkit-check.timer is not active"]
    age, of = _age(host, state.get("ActiveEnterTimestampMonotonic", "0"))
    faults += [f"{of} is {age / 3600:.0f} h old"] if age > _OLD else []
    return every(faults, f"{of} is {age / 3600:.1f} h old")


def _state(host: Host) -> dict[str, str]:
    wanted = ("--property=ActiveState", "--property=UnitFileState", "--property=ActiveEnterTimestampMonotonic")
    said = host.run("systemctl", "show", "hostkit-check.timer", *wanted)
    return dict(line.partition("=")[::2] for line in said.splitlines())


def _age(host: Host, since_boot: str) -> tuple[float, str]:
    """Return the age of the last result, or of the timer where it has had no time to run yet."""
    try:
        if facts := host.stat(_RESULT):
            return time.time() - facts.modified, "the last result"
        uptime = float(host.read("/proc/uptime").split()[0])
        return uptime - int(since_boot or 0) / 1e6, "the timer"
    except (ValueError, IndexError):
        raise CannotTell("the age of the last result is not told", f"stat {_RESULT}") from None


_WHOLE = 0.9


@check(
    "timer-fresh",
    severity="medium",
    unhardened="fail unknown",
    why="A check that sees only half of the machine, or ends half way, looks from afar like one that found nothing.",
    fix="hostkit bootstrap (play 75-timer); journalctl -u hostkit-check and hostkit check say what cannot be told.",
    platforms=("linux", "darwin"),
    play="75-timer",
    references=("NIST SP 800-53 CA-7",),
)
def the_last_check_was_whole(host: Host, policy: Policy) -> Verdict:
    """The last timed check ended within a day, and could tell at least nine of ten of what there is to check."""
    if host.stat(_RESULT) is None:
        return _first_of_a_job(host) if host.platform == "darwin" else _first(host)
    age, _ = _age(host, "0")
    faults = [f"it is {age / 3600:.0f} h old"] if age > _OLD else []
    told = _told(host.read(_RESULT))
    if told is None:
        return fail(", ".join([*faults, "it is no whole JSON: it was cut short"]))
    known = {one.id for one in collect() if one.kind == "reading"}
    share = len(known & told) / len(known)
    faults += [f"it told {len(known & told)} of {len(known)} readings"] if share < _WHOLE else []
    return every(faults, f"{share:.0%} told, {age / 3600:.1f} h ago")


@check(
    "timer-job",
    severity="medium",
    platforms=("darwin",),
    unhardened="fail skip unknown",
    why="A wall that fell on Tuesday is found on Wednesday, not at the next visit.",
    fix="hostkit bootstrap (play 75-timer); by hand: sudo launchctl kickstart system/org.hostkit.check.",
    play="75-timer",
    references=("NIST SP 800-53 CA-7",),
)
def launchd_checks_this_mac(host: Host, policy: Policy) -> Verdict:
    """The job of the daily check is launchd's: it is held, may start, and the last result is no older than a day."""
    faults = [] if overrides(host).get(CHECK, True) else [f"{CHECK} is disabled"]
    faults += [] if job(host, CHECK) else [f"{CHECK} is not loaded"]
    facts = host.stat(_RESULT)
    age = time.time() - facts.modified if facts else 0.0
    faults += [f"the last result is {age / 3600:.0f} h old"] if age > _OLD else []
    return every(faults, f"the last result is {age / 3600:.1f} h old" if facts else "the first one is still to come")


def _first_of_a_job(host: Host) -> Verdict:
    faults = [] if job(host, CHECK) else [f"none ever ended, and {CHECK} is not loaded"]
    return every(faults, "the first one is still to come")


def _first(host: Host) -> Verdict:
    """Return what to say before the first result: that it may still come, or that it should have."""
    state = _state(host)
    age, of = _age(host, state.get("ActiveEnterTimestampMonotonic", "0"))
    faults = [] if state.get("ActiveState") == "active" else ["none ever ended, and hostkit-check.timer is not active"]
    faults += [f"none ever ended, though {of} is {age / 3600:.0f} h old"] if age > _OLD else []
    return every(faults, "the first one is still to come")


def _told(text: str) -> set[str] | None:
    """Return which checks a result says something of, None if it is not whole; unknown says nothing."""
    try:
        plain: Any = json.loads(text)
        return {str(one["id"]) for one in plain["results"] if one["status"] in {"ok", "fail", "skip"}}
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
