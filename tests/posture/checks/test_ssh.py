from hostkit.posture.checks import ssh as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
SOLO = make_policy({"profile": "solo"})
GOOD = """\
passwordauthentication no
kbdinteractiveauthentication no
permitemptypasswords no
permitrootlogin without-password
permituserenvironment no
allowagentforwarding no
x11forwarding no
permittunnel no
allowtcpforwarding yes
"""
SERVER = {"/usr/sbin/sshd": ""}


def sshd(said=GOOD, **more):
    return FakeHost({("/usr/sbin/sshd", "-T"): said}, files=SERVER, **more)


PASSWORDS = GOOD.replace("passwordauthentication no", "passwordauthentication yes")
CASES = [
    (subject.ssh_wants_keys, sshd(), P, "ok", "permitrootlogin without-password"),
    (subject.ssh_wants_keys, sshd(PASSWORDS), P, "fail", "passwordauthentication yes"),
    (subject.ssh_wants_keys, sshd(GOOD.replace("without-password", "yes")), P, "fail", "permitrootlogin yes"),
    (subject.ssh_wants_keys, FakeHost(), P, "ok", "no SSH server"),
    (subject.ssh_wants_keys, sshd(""), P, "fail", "passwordauthentication is not said"),
    (subject.ssh_wants_keys, sshd(root=False), P, "unknown", "to root only"),
    (subject.ssh_wants_keys, FakeHost(files=SERVER), P, "unknown", "not taught"),
    (subject.ssh_forwards_nothing_of_the_administrators, sshd(), SOLO, "ok", "allowagentforwarding no"),
    (subject.ssh_forwards_nothing_of_the_administrators, sshd(), P, "fail", "allowtcpforwarding yes"),
    (subject.ssh_forwards_nothing_of_the_administrators, sshd(root=False), P, "unknown", "to root only"),
]
