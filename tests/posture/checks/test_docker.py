from hostkit.host import FileFacts
from hostkit.posture.checks import docker as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
SOCKET = "/var/run/docker.sock"


def socket(mode, uid=0):
    return FakeHost(facts={SOCKET: FileFacts(mode, uid, 0, "socket")})


class Blind(FakeHost):
    def stat(self, path):
        return self._told({}, path, path)


def group(line, passwd="root:x:0:0::/root:/bin/bash\n"):
    return FakeHost(files={"/etc/group": line, "/etc/passwd": passwd})


CASES = [
    (subject.engine_socket_is_roots, socket(0o660), P, "ok", "0660"),
    (subject.engine_socket_is_roots, FakeHost(), P, "ok", "no engine socket"),
    (subject.engine_socket_is_roots, socket(0o666), P, "fail", "mode 0666"),
    (subject.engine_socket_is_roots, socket(0o660, uid=1000), P, "fail", "owner 1000"),
    (subject.engine_socket_is_roots, Blind(), P, "unknown", "not taught"),
    (subject.docker_group_is_empty, group("docker:x:998:\n"), P, "ok", "no member"),
    (subject.docker_group_is_empty, group("docker:x:998:ann,bob\n"), P, "fail", "ann, bob"),
    (subject.docker_group_is_empty, group("docker:x:998:\n", "eve:x:5:998::/:/bin/sh\n"), P, "fail", "eve"),
    (subject.docker_group_is_empty, FakeHost(), P, "unknown", "not taught"),
]
