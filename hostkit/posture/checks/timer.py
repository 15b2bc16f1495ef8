"""Whether this machine goes on being checked."""

import time

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every

_RESULT = "/var/lib/hostkit/check.json"
_OLD = 26 * 3600.0


@check(
    "timer-check",
    severity="medium",
    unhardened="fail",
    why="A wall that fell on Tuesday is found on Wednesday, not at the next visit.",
    fix="hostkit bootstrap (play 75-timer); journalctl -u hostkit-check says why it ended.",
)
def this_machine_checks_itself(host: Host, policy: Policy) -> Verdict:
    """A timer runs hostkit check every day, and the last result is no older than that."""
    wanted = ("--property=ActiveState", "--property=UnitFileState", "--property=ActiveEnterTimestampMonotonic")
    said = host.run("systemctl", "show", "hostkit-check.timer", *wanted)
    state = dict(line.partition("=")[::2] for line in said.splitlines())
    faults = [] if state.get("UnitFileState") == "enabled" else ["hostkit-check.timer is not enabled"]
    faults += [] if state.get("ActiveState") == "active" else ["hostkit-check.timer is not active"]
    age, of = _age(host, state.get("ActiveEnterTimestampMonotonic", "0"))
    faults += [f"{of} is {age / 3600:.0f} h old"] if age > _OLD else []
    return every(faults, f"{of} is {age / 3600:.1f} h old")


def _age(host: Host, since_boot: str) -> tuple[float, str]:
    """Return the age of the last result, or of the timer where it has had no time to run yet."""
    if host.stat(_RESULT) is not None:
        return time.time() - float(host.run("stat", "--format=%Y", _RESULT)), "the last result"
    uptime = float(host.read("/proc/uptime").split()[0])
    return uptime - int(since_boot or 0) / 1e6, "the timer"
