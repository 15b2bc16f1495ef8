from hostkit.posture.checks import account as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
GROUP = "root:x:0:\nsudo:x:27:ann\ndocker:x:998:\n"
GOOD = "hostkit-agent:x:990:990::/var/lib/hostkit-agent:/usr/sbin/nologin\n"


def seen(passwd=GOOD, group=GROUP, **more):
    files = {"/etc/sudoers." + name: text for name, text in more.items()}
    named = {path.replace("sudoers.d_", "sudoers.d/"): text for path, text in files.items()}
    return FakeHost(files={"/etc/passwd": passwd, "/etc/group": group, "/etc/sudoers": "root ALL=(ALL) ALL\n", **named})


CASES = [
    (subject.agent_has_an_account_of_its_own, seen(), P, "ok", "uid 990"),
    (
        subject.agent_has_an_account_of_its_own,
        seen("ann:x:1000:1000::/home/ann:/bin/bash\n"),
        P,
        "fail",
        "no account hostkit-agent",
    ),
    (
        subject.agent_has_an_account_of_its_own,
        seen(GOOD.replace("/usr/sbin/nologin", "/bin/bash")),
        P,
        "fail",
        "it has a shell, /bin/bash",
    ),
    (subject.agent_has_an_account_of_its_own, seen(GOOD.replace(":990:990:", ":0:0:")), P, "fail", "its uid is 0"),
    (
        subject.agent_has_an_account_of_its_own,
        seen(GOOD.replace(":990:990:", ":1000:1000:")),
        P,
        "fail",
        "uid 1000 is a person's",
    ),
    (subject.agent_has_an_account_of_its_own, FakeHost(), P, "unknown", "not taught"),
    (subject.account_has_no_power, seen(), P, "ok", "no powerful group"),
    (subject.account_has_no_power, seen(group="docker:x:998:hostkit-agent\n"), P, "fail", "group docker"),
    (subject.account_has_no_power, seen(GOOD.replace(":990:990:", ":990:998:")), P, "fail", "group docker"),
    (
        subject.account_has_no_power,
        seen(d_agent="hostkit-agent ALL=(ALL) NOPASSWD: ALL\n"),
        P,
        "fail",
        "/etc/sudoers.d/agent",
    ),
    (subject.account_has_no_power, seen("ann:x:1:1::/:/bin/sh\n"), P, "fail", "no account hostkit-agent"),
    (subject.account_has_no_power, FakeHost(), P, "unknown", "not taught"),
]
