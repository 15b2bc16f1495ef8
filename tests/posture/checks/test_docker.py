import json

from hostkit.bootstrap.engine import WANTED
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


LOGS = {"log-opts": {"max-size": "10m", "max-file": "3"}}
LIVE = {"live-restore": True, "icc": False, "log-driver": "json-file"}
OPTIONS = subject.engine_gives_containers_little


def written(**changed):
    plain = {**WANTED, **LOGS, **{key.replace("_", "-"): value for key, value in changed.items()}}
    return FakeHost(files={"/etc/docker/daemon.json": json.dumps(plain)})


CASES = [
    (OPTIONS, written(), P, "ok", "live-restore true", {"settings": LIVE}),
    (OPTIONS, written(icc=True), P, "fail", "icc is true", {"settings": LIVE}),
    (
        OPTIONS,
        written(),
        P,
        "fail",
        "has icc true until it starts while no container runs",
        {"settings": {**LIVE, "icc": True}},
    ),
    (OPTIONS, written(log_opts={}), P, "fail", "logs (json-file) have no bounds", {"settings": LIVE}),
    (OPTIONS, written(log_opts={}), P, "ok", "", {"settings": {**LIVE, "log-driver": "journald"}}),
    (OPTIONS, FakeHost(), P, "fail", "no-new-privileges is null", {"settings": LIVE}),
    (OPTIONS, FakeHost(), P, "fail", "no engine runs", {"exists": False}),
    (OPTIONS, FakeHost(files={"/run/systemd/container": ""}), P, "skip", "in this container", {"exists": False}),
    (OPTIONS, written(), P, "unknown", "does not answer"),
    (OPTIONS, FakeHost(files={"/etc/docker/daemon.json": "{"}), P, "unknown", "is not JSON", {"settings": LIVE}),
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
