from hostkit.errors import CannotTell
from hostkit.posture.checks import apparmor as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
KERNEL, PROFILES = "/sys/module/apparmor/parameters/enabled", "/sys/kernel/security/apparmor/profiles"
CHECK = subject.agents_have_a_profile
OTHERS = "/usr/bin/man (enforce)\ndocker-default (enforce)\n"


def host(profiles=None, enabled="Y\n", files=(), **more):
    told = {} if profiles is None else {PROFILES: profiles}
    return FakeHost(files={KERNEL: enabled, **told, **dict.fromkeys(files, "1")}, **more)


BOOT, FILE = subject.every_boot_confines, "/etc/apparmor.d/hostkit-agent"
ASKED = ("systemctl", "show", "-P", "UnitFileState", "apparmor.service")
ALL = f"{OTHERS}hostkit-agent (enforce)\n"


def boot(state="enabled", files=(FILE,), profiles=ALL, **more):
    made = host(profiles, files=files, **more)
    made.commands = {ASKED: f"{state}\n"}
    return made


def engine(profile, *, running=True):
    return {"containers": [{"Name": "/web", "State": {"Running": running}, "AppArmorProfile": profile}]}


BOOT_CASES = [
    (BOOT, boot(), P, "ok", "3 profiles enforced"),
    (BOOT, boot(profiles=f"{ALL}ping (complain)\n"), P, "ok", "1 others only complain"),
    (BOOT, boot(), P, "ok", "3 profiles", engine("docker-default")),
    (BOOT, boot(), P, "ok", "3 profiles", engine("", running=False)),
    (BOOT, boot(), P, "fail", "web runs unconfined", engine("unconfined")),
    (BOOT, boot(), P, "fail", "web runs unconfined", engine("")),
    (BOOT, boot("disabled"), P, "fail", "apparmor.service is disabled"),
    (BOOT, boot(files=()), P, "fail", "hostkit-agent is not there"),
    (BOOT, boot(files=(FILE, "/etc/apparmor.d/disable/hostkit-agent")), P, "fail", "keeps it from being loaded"),
    (BOOT, boot(), P, "unknown", "does not answer", {"containers": CannotTell("the engine does not answer")}),
    (BOOT, boot(root=False), P, "unknown", "to root only"),
    (BOOT, host(enabled="N\n"), P, "fail", "AppArmor is off"),
    (BOOT, FakeHost(), P, "skip", "no AppArmor"),
]
CASES = [
    *BOOT_CASES,
    (CHECK, host(f"{OTHERS}hostkit-agent (enforce)\n"), P, "ok", "hostkit-agent is enforced"),
    (CHECK, host(f"{OTHERS}hostkit-agent (complain)\n"), P, "fail", "hostkit-agent is complain"),
    (CHECK, host(OTHERS), P, "fail", "hostkit-agent is not loaded"),
    (CHECK, host(enabled="N\n"), P, "fail", "AppArmor is off"),
    (CHECK, host(enabled="N\n", files=["/sys/fs/selinux/enforce"]), P, "skip", "SELinux confines here"),
    (CHECK, FakeHost(), P, "skip", "this kernel has no AppArmor"),
    (CHECK, host(OTHERS, files=["/run/systemd/container"]), P, "skip", "around this container"),
    (CHECK, host(OTHERS, root=False), P, "unknown", "to root only"),
    (CHECK, host(), P, "unknown", "not taught"),
]

LOADED = """
{ echo 'abi <abi/3.0>,'; cat /opt/hostkit/sandbox/hostkit-agent.apparmor; } >/etc/apparmor.d/hostkit-agent
rm -f /etc/apparmor.d/disable/hostkit-agent
apparmor_parser --replace --skip-cache /etc/apparmor.d/hostkit-agent
systemctl enable apparmor
"""
BROKEN = [
    Broken(CHECK, LOADED, "apparmor_parser --remove /etc/apparmor.d/hostkit-agent", "is not loaded", "vm"),
    Broken(BOOT, LOADED, "systemctl disable apparmor", "apparmor.service is disabled", "vm"),
    Broken(
        BOOT, LOADED, "install -D /dev/null /etc/apparmor.d/disable/hostkit-agent", "keeps it from being loaded", "vm"
    ),
]  # fmt: skip
