from hostkit.host import Clock
from hostkit.posture.checks import clock as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
ASKED = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
NAMES = ("systemd-timesyncd", "chrony", "ntpsec", "ntp", "openntpd")
STATES = ("systemctl", "show", "-P", "ActiveState", *(f"{name}.service" for name in NAMES))


def running(*names, **more):
    said = "\n\n".join("active" if name in names else "inactive" for name in NAMES)
    return FakeHost({STATES: f"{said}\n"}, **more)


INSIDE = {"/run/systemd/container": "lxc"}
OFFSET, SYNCHRONISED = subject.the_clock_is_right, subject.clock_is_synchronised


def told(*clock, **more):
    return FakeHost(clock=Clock(*clock), **more)


CASES = [
    (OFFSET, told(True, 0.004, 0.03), P, "ok", "+4.0 ms off, 30 ms in doubt"),
    (OFFSET, told(True, -1.2, 0.03), P, "fail", "-1.2 s off"),
    (OFFSET, told(True, 0.0, 9.0), P, "fail", "no server was heard for long"),
    (OFFSET, told(False, 0.0, 16.0), P, "fail", "nobody sets the kernel's clock"),
    (OFFSET, told(False, 0.0, 16.0, files=INSIDE), P, "skip", "around this container"),
    (OFFSET, FakeHost(), P, "unknown", "not taught"),
    (subject.one_service_keeps_the_time, running("chrony"), P, "ok", "chrony"),
    (subject.one_service_keeps_the_time, running(), P, "fail", "running: none"),
    (subject.one_service_keeps_the_time, running("chrony", "ntp"), P, "fail", "running: chrony, ntp"),
    (subject.one_service_keeps_the_time, running(files=INSIDE), P, "skip", "around this container"),
    (subject.one_service_keeps_the_time, FakeHost(), P, "unknown", "not taught"),
    (SYNCHRONISED, FakeHost({ASKED: "yes\n"}), P, "ok", ""),
    (SYNCHRONISED, FakeHost({ASKED: "no\n"}), P, "fail", "NTPSynchronized is no"),
    (SYNCHRONISED, FakeHost(), P, "unknown", "not taught"),
    (SYNCHRONISED, FakeHost(platform="darwin"), P, "skip", "darwin"),
]

# struct timex by hand: modes ADJ_STATUS | ADJ_MAXERROR, maxerror in microseconds, status STA_PLL.
SET = "python3 -c 'import ctypes; t = (ctypes.c_long * 64)(0x14, 0, 0, {}, 0, 1); ctypes.CDLL(None).adjtimex(t)'"
BROKEN = [
    Broken(OFFSET, SET.format(1000), SET.format(12_000_000), "no server was heard for long", "vm"),
    Broken(SYNCHRONISED, SET.format(1000), SET.format(16_000_000), "NTPSynchronized is no", "vm"),
]
