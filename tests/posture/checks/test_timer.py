import json
import time

from hostkit.host import FileFacts
from hostkit.posture.checks import timer as subject
from hostkit.posture.model import collect
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken
from tests.posture.checks.recorded import DISABLED, gone, held, mac, recorded

P = make_policy()
WANTED = ("--property=ActiveState", "--property=UnitFileState", "--property=ActiveEnterTimestampMonotonic")
ASKED = ("systemctl", "show", "hostkit-check.timer", *WANTED)
LAST = "/var/lib/hostkit/check.json"


def timer(active="active", unit="enabled", *, result=None, uptime=7200.0):
    said = f"ActiveState={active}\nUnitFileState={unit}\nActiveEnterTimestampMonotonic=3600000000\n"
    files = {"/proc/uptime": f"{uptime} 1.0\n", **({} if result is None else {LAST: "{}"})}
    return FakeHost({ASKED: said}, files, {} if result is None else written(result))


def written(age):
    return {LAST: lambda: FileFacts(0o600, 0, 0, "file", 2, time.time() - age)}


FRESH = subject.the_last_check_was_whole
IDS = [one.id for one in collect() if one.kind == "reading"]


def result(*, age=3600.0, status="ok", share=1.0, text=None, **more):
    kept = [{"id": name, "status": status} for name in IDS[: round(len(IDS) * share)]]
    files = {LAST: json.dumps({"results": kept}) if text is None else text}
    return FakeHost({}, files, written(age), **more)


JOB = "org.hostkit.check"
PRINT = ("/bin/launchctl", "print", f"system/{JOB}")
OVERRIDES = recorded("launchctl-print-disabled-hardened.txt")


def launched(told=None, overrides=OVERRIDES, facts=None):
    return mac({DISABLED: overrides, PRINT: told or held(JOB)}, facts=facts)


CASES = [
    (FRESH, result(), P, "ok", "100% told, 1.0 h ago"),
    (FRESH, result(status="fail"), P, "ok", "100% told"),
    (FRESH, result(share=0.95), P, "ok", "told"),
    (FRESH, result(share=0.8), P, "fail", "of"),
    (FRESH, result(status="unknown"), P, "fail", "it told 0 of"),
    (FRESH, result(age=27 * 3600.0), P, "fail", "it is 27 h old"),
    (FRESH, result(text=""), P, "fail", "cut short"),
    (FRESH, result(text='{"results": [{"id": "a", "sta'), P, "fail", "cut short"),
    (FRESH, result(text='{"results": 7}'), P, "fail", "cut short"),
    (FRESH, result(text="[" * 100_000), P, "fail", "cut short"),
    (FRESH, timer(uptime="?"), P, "unknown", "is not told"),
    (FRESH, timer(), P, "ok", "still to come"),
    (FRESH, timer(uptime=31 * 3600.0), P, "fail", "though the timer is 30 h old"),
    (FRESH, timer(active="inactive"), P, "fail", "is not active"),
    (FRESH, FakeHost(), P, "unknown", "not taught"),
    (FRESH, result(platform="darwin"), P, "ok", "100% told"),
    (FRESH, launched(), P, "ok", "still to come"),
    (FRESH, launched(gone(JOB)), P, "fail", "org.hostkit.check is not loaded"),
    (subject.launchd_checks_this_mac, launched(), P, "ok", "still to come"),
    (subject.launchd_checks_this_mac, launched(facts=written(7200)), P, "ok", "the last result is 2.0 h old"),
    (subject.launchd_checks_this_mac, launched(facts=written(30 * 3600)), P, "fail", "the last result is 30 h old"),
    (subject.launchd_checks_this_mac, launched(gone(JOB)), P, "fail", "is not loaded"),
    (
        subject.launchd_checks_this_mac,
        launched(overrides=OVERRIDES.replace("com.apple.ftpd", JOB)),
        P,
        "fail",
        "is disabled",
    ),
    (subject.launchd_checks_this_mac, mac(), P, "unknown", "not taught"),
    (subject.this_machine_checks_itself, timer(), P, "ok", "the timer is 1.0 h old"),
    (subject.this_machine_checks_itself, timer(result=7200), P, "ok", "the last result is 2.0 h old"),
    (subject.this_machine_checks_itself, timer(result=30 * 3600), P, "fail", "the last result is 30 h old"),
    (subject.this_machine_checks_itself, timer(uptime=31 * 3600.0), P, "fail", "the timer is 30 h old"),
    (subject.this_machine_checks_itself, timer(active="inactive"), P, "fail", "is not active"),
    (subject.this_machine_checks_itself, timer(unit="disabled"), P, "fail", "is not enabled"),
    (subject.this_machine_checks_itself, FakeHost(), P, "unknown", "not taught"),
]

WHOLE = f"""
install -d -m 0700 /var/lib/hostkit
hostkit check --list --json | python3 -c 'import json, sys
print(json.dumps({{"results": [{{"id": one["id"], "status": "ok"}} for one in json.load(sys.stdin)]}}))' >{LAST}
"""
BROKEN = [
    Broken(FRESH, WHOLE, f"truncate -s 900 {LAST}", "cut short"),
    Broken(FRESH, WHOLE, f"sed -i s/ok/unknown/g {LAST}", "it told 0 of"),
    Broken(FRESH, WHOLE, f"touch -d '2 days ago' {LAST}", "it is 48 h old"),
]
