import time

from hostkit.posture.checks import timer as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
WANTED = ("--property=ActiveState", "--property=UnitFileState", "--property=ActiveEnterTimestampMonotonic")
ASKED = ("systemctl", "show", "hostkit-check.timer", *WANTED)
WHEN = ("stat", "--format=%Y", "/var/lib/hostkit/check.json")


def timer(active="active", unit="enabled", *, result=None, uptime=7200.0):
    said = f"ActiveState={active}\nUnitFileState={unit}\nActiveEnterTimestampMonotonic=3600000000\n"
    files = {"/proc/uptime": f"{uptime} 1.0\n", **({} if result is None else {"/var/lib/hostkit/check.json": "{}"})}
    return FakeHost({ASKED: said, WHEN: lambda: f"{time.time() - (result or 0):.0f}\n"}, files=files)


CASES = [
    (subject.this_machine_checks_itself, timer(), P, "ok", "the timer is 1.0 h old"),
    (subject.this_machine_checks_itself, timer(result=7200), P, "ok", "the last result is 2.0 h old"),
    (subject.this_machine_checks_itself, timer(result=30 * 3600), P, "fail", "the last result is 30 h old"),
    (subject.this_machine_checks_itself, timer(uptime=31 * 3600.0), P, "fail", "the timer is 30 h old"),
    (subject.this_machine_checks_itself, timer(active="inactive"), P, "fail", "is not active"),
    (subject.this_machine_checks_itself, timer(unit="disabled"), P, "fail", "is not enabled"),
    (subject.this_machine_checks_itself, FakeHost(), P, "unknown", "not taught"),
]
