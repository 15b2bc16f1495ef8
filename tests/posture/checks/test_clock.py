from hostkit.posture.checks import clock as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
ASKED = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
CASES = [
    (subject.clock_is_synchronised, FakeHost({ASKED: "yes\n"}), P, "ok", ""),
    (subject.clock_is_synchronised, FakeHost({ASKED: "no\n"}), P, "fail", "NTPSynchronized is no"),
    (subject.clock_is_synchronised, FakeHost(), P, "unknown", "not taught"),
    (subject.clock_is_synchronised, FakeHost(platform="darwin"), P, "skip", "darwin"),
]
