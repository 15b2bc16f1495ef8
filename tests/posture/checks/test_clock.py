from hostkit.posture.checks import clock as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
ASKED = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
NAMES = ("systemd-timesyncd", "chrony", "ntpsec", "ntp", "openntpd")
STATES = ("systemctl", "show", "-P", "ActiveState", *(f"{name}.service" for name in NAMES))


def running(*names, **more):
    said = "\n\n".join("active" if name in names else "inactive" for name in NAMES)
    return FakeHost({STATES: f"{said}\n"}, **more)


INSIDE = {"/run/systemd/container": "lxc"}
CASES = [
    (subject.one_service_keeps_the_time, running("chrony"), P, "ok", "chrony"),
    (subject.one_service_keeps_the_time, running(), P, "fail", "running: none"),
    (subject.one_service_keeps_the_time, running("chrony", "ntp"), P, "fail", "running: chrony, ntp"),
    (subject.one_service_keeps_the_time, running(files=INSIDE), P, "skip", "around this container"),
    (subject.one_service_keeps_the_time, FakeHost(), P, "unknown", "not taught"),
    (subject.clock_is_synchronised, FakeHost({ASKED: "yes\n"}), P, "ok", ""),
    (subject.clock_is_synchronised, FakeHost({ASKED: "no\n"}), P, "fail", "NTPSynchronized is no"),
    (subject.clock_is_synchronised, FakeHost(), P, "unknown", "not taught"),
    (subject.clock_is_synchronised, FakeHost(platform="darwin"), P, "skip", "darwin"),
]
