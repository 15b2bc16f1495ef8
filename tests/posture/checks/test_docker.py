import json

from hostkit.bootstrap.engine import WANTED
from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Process
from hostkit.posture.checks import docker as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

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


DEAF = {"containers": CannotTell("the engine does not answer")}
INIT = Process(1, 0, "init", ("init",), 0)
DOCKERD = Process(5, 1, "dockerd", ("/usr/bin/dockerd", "-H", "fd://"), 0)
CLEAR = {"exists": False}


def running(*more, **changed):
    return FakeHost(processes=(INIT, *more), **changed)


def engine(version="", runc="", **info):
    parts = [{"Name": "containerd", "Version": "1.7.1"}, *([{"Name": "runc", "Version": runc}] if runc else [])]
    return {"survey": {"info": info, "version": {"Version": version, "Components": parts}}}


def registries(insecure=("127.0.0.0/8", "::1/128"), mirrors=None, **index):
    named = {name.replace("_", "."): {"Secure": secure} for name, secure in index.items()}
    return engine(RegistryConfig={"InsecureRegistryCIDRs": list(insecure), "Mirrors": mirrors, "IndexConfigs": named})


def listed(package, *lines):
    return FakeHost(files={f"/var/lib/dpkg/info/{package}.list": "\n".join(lines)})


def file(path, mode=0o644, uid=0, kind="file"):
    return FakeHost(facts={path: FileFacts(mode, uid, 0, kind)})


def box(**changed):
    user = changed.pop("user", "")
    return [{"Name": "/box", "State": {"Running": True}, "Config": {"User": user}, "HostConfig": changed}]


VERSION, RUNC, FILES = (
    subject.the_engine_is_looked_after,
    subject.runc_has_no_known_way_out,
    subject.the_engines_files_are_roots,
)
REGISTRIES, IPTABLES, OTHERS, USERNS = (
    subject.every_registry_is_asked_over_tls,
    subject.the_engine_keeps_its_networks_apart,
    subject.there_is_no_other_engine,
    subject.root_in_a_container_is_not_the_hosts,
)
DAEMON = "/etc/docker/daemon.json"
TASKS = "/run/containerd/io.containerd.runtime.v2.task/"
ENGINES = [
    (USERNS, FakeHost(), P, "ok", "says name=userns", engine(SecurityOptions=["name=userns"])),
    (USERNS, FakeHost(), P, "ok", "says name=rootless", engine(SecurityOptions=["name=rootless"])),
    (USERNS, FakeHost(), P, "ok", "none of 1 runs as root", {"containers": box(user="1000")}),
    (USERNS, FakeHost(), P, "fail", "box: runs as root", {"containers": box()}),
    (USERNS, FakeHost(), P, "unknown", "does not answer", DEAF),
    (VERSION, FakeHost(), P, "ok", "29.10.1, a line that gets fixes", engine("29.10.1")),
    (VERSION, FakeHost(), P, "ok", "the distribution's own", engine("20.10.24+dfsg1")),
    (VERSION, listed("docker.io", "/.", "/usr/bin/dockerd"), P, "ok", "the distribution's own", engine("24.0.7")),
    (VERSION, listed("docker.io", "/etc/default/docker"), P, "fail", "ended on 2024-06-08", engine("24.0.7")),
    (VERSION, FakeHost(), P, "fail", "20.10.27: its line ended on 2023-12-10", engine("20.10.27")),
    (VERSION, FakeHost(), P, "unknown", "99.1.0", engine("99.1.0")),
    (VERSION, FakeHost(), P, "unknown", "without a version", engine("")),
    (VERSION, FakeHost(), P, "unknown", "does not answer", DEAF),
    (VERSION, FakeHost(), P, "ok", "no engine", CLEAR),
    (RUNC, FakeHost(), P, "ok", "1.2.8", engine(runc="1.2.8")),
    (RUNC, FakeHost(), P, "ok", "1.5.0", engine(runc="1.5.0")),
    (RUNC, FakeHost(), P, "ok", "the distribution's own", engine(runc="1.1.5+ds1")),
    (RUNC, listed("runc", "/usr/sbin/runc"), P, "ok", "the distribution's own", engine(runc="1.1.12")),
    (RUNC, FakeHost(), P, "fail", "1.1.12 has CVE-2025-31133", engine(runc="1.1.12")),
    (RUNC, FakeHost(), P, "fail", "1.3.2 has CVE-2025-31133", engine(runc="1.3.2")),
    (RUNC, FakeHost(), P, "unknown", "does not tell", engine()),
    (RUNC, FakeHost(), P, "unknown", "does not answer", DEAF),
    (RUNC, FakeHost(), P, "ok", "no engine", CLEAR),
    (FILES, file(DAEMON), P, "ok", "root's alone"),
    (FILES, file(DAEMON, 0o664), P, "fail", "daemon.json: owner 0, mode 0664"),
    (FILES, file("/usr/lib/systemd/system/docker.service", uid=7), P, "fail", "docker.service: owner 7"),
    (FILES, file("/usr/lib/systemd/system/docker.service", 0o777, kind="link"), P, "ok", "root's alone"),
    (FILES, file("/var/lib/docker", 0o710, kind="directory"), P, "ok", "root's alone"),
    (FILES, file("/var/lib/docker", 0o755, kind="directory"), P, "fail", "/var/lib/docker: owner 0, mode 0755"),
    (FILES, file("/data", 0o777, kind="directory"), P, "fail", "/data", engine(DockerRootDir="/data")),
    (FILES, Blind(), P, "unknown", "not taught"),
    (REGISTRIES, FakeHost(), P, "ok", "TLS for all", registries(docker_io=True)),
    (REGISTRIES, FakeHost(), P, "ok", "no engine", CLEAR),
    (REGISTRIES, FakeHost(), P, "fail", "10.0.0.0/8", registries(insecure=["10.0.0.0/8"])),
    (REGISTRIES, FakeHost(), P, "fail", "reg.example", registries(reg_example=False)),
    (REGISTRIES, FakeHost(), P, "fail", "http://m.example", registries(mirrors=["https://a", "http://m.example"])),
    (REGISTRIES, written(insecure_registries=["r.example:5000"]), P, "fail", "r.example:5000", registries()),
    (REGISTRIES, FakeHost(), P, "unknown", "does not tell", engine()),
    (REGISTRIES, FakeHost(), P, "unknown", "does not answer", DEAF),
    (IPTABLES, running(DOCKERD), P, "ok", "writes its rules"),
    (IPTABLES, running(Process(5, 1, "dockerd", ("dockerd", "--iptables=false"), 0)), P, "fail", "--iptables=false"),
    (IPTABLES, running(DOCKERD, files={DAEMON: '{"ip6tables": false}'}), P, "fail", "ip6tables is false"),
    (IPTABLES, running(), P, "unknown", "no dockerd is to be seen"),
    (IPTABLES, FakeHost(processes=(DOCKERD,)), P, "unknown", "hidden"),
    (IPTABLES, FakeHost(), P, "ok", "no engine", CLEAR),
    (OTHERS, running(DOCKERD), P, "ok", "no other engine"),
    (OTHERS, running(files={"/run/podman/podman.sock": ""}), P, "fail", "/run/podman/podman.sock"),
    (OTHERS, running(files={"/run/user/1000/docker.sock": ""}), P, "fail", "/run/user/1000/docker.sock"),
    (OTHERS, running(files={TASKS + "k8s.io/aa": "", TASKS + "moby/bb": ""}), P, "fail", "containerd's k8s.io"),
    (OTHERS, running(files={TASKS + "moby/bb": ""}), P, "ok", "no other engine"),
    (OTHERS, running(DOCKERD, Process(8, 1, "dockerd", ("dockerd",), 0)), P, "fail", "another dockerd (pid 8)"),
    (OTHERS, running(Process(8, 1, "conmon", ("conmon",), 1000)), P, "fail", "conmon runs"),
    (OTHERS, FakeHost(processes=(DOCKERD,)), P, "unknown", "hidden"),
]
FEIGNED = """
cat >/run/feigned-engine.py <<'END'
import http.server, json, socketserver, sys
ENGINE, RUNC = sys.argv[1:]
SAID = {{"version": {{"Version": ENGINE, "Components": [{{"Name": "runc", "Version": RUNC}}]}}, "info": {{}},
        "volumes": {{"Volumes": []}}, "_ping": "OK"}}
class Engine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(SAID.get(self.path.partition("?")[0].rpartition("/")[2], [])).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.41")
        self.send_header("Server", f"Docker/{{ENGINE}} (linux)")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def address_string(self):
        return "a socket"
socketserver.ThreadingUnixStreamServer("/run/docker.sock", Engine).serve_forever()
END
systemctl stop feigned-engine 2>/dev/null || :
rm -f /run/docker.sock
systemd-run --quiet --collect --unit=feigned-engine python3 /run/feigned-engine.py {engine} {runc}
until test -S /run/docker.sock; do sleep 0.1; done
chmod 0660 /run/docker.sock
"""
"""An engine that tells of itself what it is told to: of engines that are out of date there is none to install here."""
CURRENT = FEIGNED.format(engine="29.1.0", runc="1.3.3")
SETTINGS = "mv /root/daemon.json.kept /etc/docker/daemon.json 2>/dev/null || :"
WITH = "cp /etc/docker/daemon.json /root/daemon.json.kept; sed -i '1s|{{|{{{},|' /etc/docker/daemon.json"
BROKEN = [
    Broken(subject.the_engine_is_looked_after, CURRENT,
           FEIGNED.format(engine="24.0.9", runc="1.3.3"), "24.0.9: its line ended on 2024-06-08"),
    Broken(subject.runc_has_no_known_way_out, CURRENT,
           FEIGNED.format(engine="29.1.0", runc="1.1.12"), "1.1.12 has CVE-2025-31133"),
    Broken(subject.engine_socket_is_roots, "rm -f /run/docker.sock",
           "touch /run/docker.sock; chmod 0666 /run/docker.sock", "docker.sock: owner 0, mode 0666"),
    Broken(subject.docker_group_is_empty, "groupadd -f docker; gpasswd -d admin docker || :",
           "usermod -a -G docker admin", "admin"),
    Broken(subject.the_engine_keeps_its_networks_apart, SETTINGS, WITH.format('"iptables": false'), "iptables is false",
           where="engine"),
    Broken(subject.every_registry_is_asked_over_tls, SETTINGS, WITH.format('"insecure-registries": ["192.0.2.0/24"]'),
           "192.0.2.0/24", where="engine"),
    Broken(subject.root_in_a_container_is_not_the_hosts,
           "docker update --restart no stranger; docker stop -t 1 stranger",
           "docker update --restart always stranger; docker start stranger", "stranger", where="engine"),
    Broken(FILES, "install -d /etc/docker && echo {} > /etc/docker/daemon.json && chmod 644 /etc/docker/daemon.json",
           "chmod 666 /etc/docker/daemon.json", "daemon.json: owner 0, mode 0666"),
    Broken(FILES, "install -d -m 711 /var/lib/docker", "chmod 777 /var/lib/docker", "/var/lib/docker: owner 0"),
    Broken(OTHERS, "rm -rf /run/podman /run/containerd/io.containerd.runtime.v2.task",
           "install -d /run/podman; cd /run/podman; "
           "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"podman.sock\")'",
           "/run/podman/podman.sock"),
    Broken(OTHERS, "rm -rf /run/podman /run/containerd/io.containerd.runtime.v2.task",
           "install -d /run/containerd/io.containerd.runtime.v2.task/k8s.io/aa", "containerd's k8s.io"),
]  # fmt: skip


def test_what_mends_an_open_file_closes_that_file_and_no_other():
    host = FakeHost(facts={DAEMON: FileFacts(0o666, 7, 0, "file"), "/etc/docker": FileFacts(0o755, 0, 0, "directory")})
    assert FILES.mend(host, P) == (("chown", "root", DAEMON), ("chmod", "go-w", DAEMON))


CASES = [
    *ENGINES,
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
