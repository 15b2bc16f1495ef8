from hostkit.posture.checks import updates as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
ASKED = ("apt-config", "dump", "--format", "%f %v%n", "APT::Periodic::Unattended-Upgrade")
TOOL = {"/usr/bin/unattended-upgrade": ""}


class Blind(FakeHost):
    def stat(self, path):
        return self._told({}, path, path)


TIMERS = ("systemctl", "show", "-P", "ActiveState", "apt-daily.timer", "apt-daily-upgrade.timer")
HELD = ("apt-config", "dump", "--format", "%v%n", "Unattended-Upgrade::Package-Blacklist")


def said(value, files=TOOL, timers="active\n\nactive\n"):
    line = f"APT::Periodic::Unattended-Upgrade {value}\n" if value else "\n"
    return FakeHost({ASKED: line, TIMERS: timers}, files=files)


CASES = [
    (subject.security_updates_install_themselves, said("1"), P, "ok", "every 1 days"),
    (subject.security_updates_install_themselves, said("0"), P, "fail", "switched off"),
    (subject.security_updates_install_themselves, said(""), P, "fail", "switched off"),
    (subject.security_updates_install_themselves, said("1", files={}), P, "fail", "is not installed"),
    (subject.security_updates_install_themselves, FakeHost(), P, "unknown", "not taught"),
    (
        subject.security_updates_install_themselves,
        said("1", timers="active\n\ninactive\n"),
        P,
        "fail",
        "upgrade.timer is",
    ),
    (subject.updates_leave_the_engine_alone, FakeHost({HELD: "^docker\n^containerd\n"}), P, "ok", "^docker, ^con"),
    (subject.updates_leave_the_engine_alone, FakeHost({HELD: "\n"}), P, "fail", "docker is not held back"),
    (subject.updates_leave_the_engine_alone, FakeHost(), P, "unknown", "not taught"),
    (subject.no_restart_is_due, FakeHost(), P, "ok", "none due"),
    (subject.no_restart_is_due, FakeHost(files={"/run/reboot-required": ""}), P, "fail", "a restart is due"),
    (subject.no_restart_is_due, Blind(), P, "unknown", "not taught"),
]
