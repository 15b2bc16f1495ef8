from hostkit.host import FileFacts
from hostkit.posture.checks import credentials as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
PASSWD = """\
root:x:0:0::/root:/bin/bash
ann:x:1000:1000::/home/ann:/bin/bash
hostkit-agent:x:990:990::/var/lib/hostkit/agent:/usr/sbin/nologin
"""


def seen(path, mode, home_mode, uid=1000, root=True, home="/home/ann"):
    facts = {path: FileFacts(mode, uid, uid, "file"), home: FileFacts(home_mode, uid, uid, "directory")}
    return FakeHost(files={"/etc/passwd": PASSWD}, facts=facts, root=root)


AWS = "/home/ann/.aws/credentials"
CASES = [
    (subject.no_personal_credential_is_in_reach, seen(AWS, 0o600, 0o755), P, "ok", "none in reach"),
    (subject.no_personal_credential_is_in_reach, seen(AWS, 0o644, 0o700), P, "ok", "none in reach"),
    (subject.no_personal_credential_is_in_reach, seen(AWS, 0o644, 0o755), P, "fail", AWS),
    (subject.no_personal_credential_is_in_reach, seen("/home/ann/.ssh/id_ed25519.pub", 0o644, 0o755), P, "ok", ""),
    (
        subject.no_personal_credential_is_in_reach,
        seen("/var/lib/hostkit/agent/.netrc", 0o600, 0o700, 990, home="/var/lib/hostkit/agent"),
        P,
        "fail",
        ".netrc",
    ),
    (subject.no_personal_credential_is_in_reach, seen(AWS, 0o600, 0o755, root=False), P, "unknown", "without root"),
]
