from hostkit.posture.checks import apparmor as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
KERNEL, PROFILES = "/sys/module/apparmor/parameters/enabled", "/sys/kernel/security/apparmor/profiles"
CHECK = subject.agents_have_a_profile
OTHERS = "/usr/bin/man (enforce)\ndocker-default (enforce)\n"


def host(profiles=None, enabled="Y\n", files=(), **more):
    told = {} if profiles is None else {PROFILES: profiles}
    return FakeHost(files={KERNEL: enabled, **told, **dict.fromkeys(files, "1")}, **more)


CASES = [
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
