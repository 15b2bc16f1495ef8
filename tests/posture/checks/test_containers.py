from hostkit.bootstrap.apparmor import KERNEL
from hostkit.host import Process
from hostkit.posture.checks import containers as subject
from hostkit.posture.model import Check
from tests.conftest import FakeHost
from tests.machines.broken import Broken
from tests.posture.engines import DEAF, P, asked, box, case, hard, ours, seeing


def is_of_all(check):
    """Return whether a check is one of those that look at every container in the same way."""
    return isinstance(check, Check) and check.id.removeprefix("containers-") in OF_ALL


OF_ALL = {
    *("privileged", "capabilities", "dropped", "namespaces", "mounts", "binds", "socket", "devices", "users"),
    *("seccomp", "apparmor", "escalation", "readonly", "limits"),
}
STOPPED = {"State": {"Running": False, "Status": "exited"}}
SHIM = Process(9, 1, "containerd-shim-runc-v2", ("containerd-shim-runc-v2",), 0)
INIT = Process(1, 0, "init", ("init",), 0)


def published(ip):
    return box(ports={"80/tcp": [{"HostIp": ip, "HostPort": "8080"}], "9/tcp": None})


MAPS, GAINS, FILTERS = ["name=userns"], ["name=no-new-privileges"], ["name=seccomp,profile=default"]
FAULTS = [
    (subject.no_container_is_privileged, [hard(Privileged=True)], "box: privileged"),
    (subject.no_container_is_privileged, [hard(MaskedPaths=[])], "box: the kernel's files"),
    (subject.no_container_is_privileged, [hard(SecurityOpt=["unmask=ALL"])], "are not masked"),
    (
        subject.no_container_is_privileged,
        [{**hard(Privileged=True, RestartPolicy={"Name": "always"}), **STOPPED}],
        "box",
    ),
    (subject.no_container_has_more_capabilities, [hard(CapAdd=["CAP_SYS_ADMIN"])], "capability SYS_ADMIN"),
    (subject.no_container_has_more_capabilities, [hard(CapAdd=["all"])], "every capability"),
    (subject.no_container_has_more_capabilities, [hard(Privileged=True)], "every capability"),
    (subject.every_container_drops_capabilities, [hard(CapDrop=None)], "keeps 14"),
    (subject.every_container_drops_capabilities, [hard(CapDrop=["NET_RAW"])], "keeps 13"),
    (subject.no_container_shares_a_namespace, [hard(NetworkMode="host")], "the host's network"),
    (subject.no_container_shares_a_namespace, [hard(PidMode="host", IpcMode="host")], "the host's pid, the host's ipc"),
    (subject.no_container_shares_a_namespace, [hard(UTSMode="host")], "the host's uts"),
    (
        subject.no_container_shares_a_namespace,
        [ours(), hard("spy", NetworkMode="container:" + "hostkit-acme-agent" * 8)],
        "spy: hostkit-acme-agent's network",
    ),
    (subject.no_container_shares_a_namespace, [ours(PidMode="container:spy"), hard("spy")], "agent: spy's pid"),
    (subject.no_container_sees_the_host, seeing("/"), "box: / of the host"),
    (subject.no_container_sees_the_host, seeing("/etc/../etc/shadow", RW=False), "/etc/shadow of the host, to read"),
    (subject.no_container_sees_the_host, seeing("/var/lib"), "/var/lib of the host"),
    (subject.no_container_sees_the_host, seeing("/home/ann", RW=False), "/home/ann"),
    (subject.no_container_sees_the_host, seeing("/home/ann/work/.ssh", RW=False), ".ssh"),
    (subject.no_container_sees_the_host, seeing("/etc/ssl/certs"), "/etc/ssl/certs of the host"),
    (subject.no_container_sees_the_host, seeing("/host_mnt/Users/ann"), "/Users/ann"),
    (subject.no_container_sees_the_host, seeing("/srv/data", Propagation="rshared"), "/srv/data of the host, shared"),
    (subject.no_container_writes_the_host, seeing("/srv/data"), "/srv/data of the host"),
    (subject.no_container_writes_the_host, seeing("/srv/a\x1b[31m\n"), "/srv/a?[31m?"),
    (subject.no_container_reaches_the_engine, seeing("/var/run/docker.sock", RW=False), "/run/docker.sock of the host"),
    (subject.no_container_reaches_the_engine, seeing("/var/run"), "/run of the host"),
    (subject.no_container_reaches_the_engine, seeing("/"), "/ of the host"),
    (subject.no_container_reaches_the_engine, seeing("/run/user/1000"), "/run/user/1000"),
    (subject.no_container_reaches_the_engine, seeing("/opt/colima/docker.sock"), "/opt/colima/docker.sock"),
    (subject.no_container_has_a_device, [hard(Devices=[{"PathOnHost": "/dev/sda"}])], "box: /dev/sda"),
    (subject.no_container_has_a_device, [hard(DeviceCgroupRules=["c 42:* rmw"])], "devices c 42:* rmw"),
    (subject.no_container_has_a_device, [hard(DeviceRequests=[{"Driver": ""}])], "a gpu device"),
    (subject.no_container_runs_as_root, [hard(user="")], "box: runs as root"),
    (subject.no_container_runs_as_root, [hard(user="0:1000")], "box: runs as root"),
    (subject.every_container_is_filtered, [hard(SecurityOpt=["seccomp:unconfined"])], "no filter"),
    (subject.every_container_is_filtered, [hard(SecurityOpt=None)], "no filter"),
    (subject.every_container_has_a_profile, [{**hard(), "AppArmorProfile": "unconfined"}], "unconfined holds it"),
    (subject.every_container_has_a_profile, [{**hard(), "AppArmorProfile": ""}], "nothing holds it"),
    (subject.no_container_gains_privileges, [hard(SecurityOpt=["no-new-privileges:false"])], "may gain"),
    (subject.no_container_gains_privileges, [hard(SecurityOpt=None)], "may gain"),
    (subject.no_container_changes_itself, [hard(ReadonlyRootfs=False)], "can be written"),
    (subject.every_container_has_limits, [hard(Memory=0, PidsLimit=-1)], "no limit of memory and processes"),
    (subject.every_container_has_limits, [hard(NanoCpus=0)], "no limit of processor"),
]
HARMLESS = [
    (subject.no_container_is_privileged, [{**hard(Privileged=True), **STOPPED}], "0 containers"),
    (subject.no_container_has_more_capabilities, [hard(CapAdd=["CAP_CHOWN", "NET_BIND_SERVICE"])], "1 containers"),
    (subject.no_container_sees_the_host, seeing("/etc/localtime", RW=False), "1 containers"),
    (subject.no_container_sees_the_host, seeing("/srv/data", "/home/ann/work"), "1 containers"),
    (subject.no_container_writes_the_host, seeing("/srv/data", RW=False), "1 containers"),
    (subject.no_container_reaches_the_engine, seeing("/var", "/run/lock", "/run/user/1000/pulse"), "1 containers"),
    (subject.no_container_has_a_device, [hard(Devices=[{"PathOnHost": "/dev/null"}])], "1 containers"),
    (subject.no_container_shares_a_namespace, [hard(NetworkMode="container:vpn"), hard("vpn")], "2 containers"),
    (subject.no_container_shares_a_namespace, [hard(UsernsMode="host")], "1 containers"),
]
LIVE = {"Uid": "1000\t1000\t1000\t1000", "CapBnd": "0", "NoNewPrivs": "1", "Seccomp": "2", "ns": "net:[7]"}
EFFECTS = [
    (subject.no_container_has_more_capabilities, {"CapBnd": "0000000000200000"}, "capability SYS_ADMIN"),
    (subject.no_container_runs_as_root, {"Uid": "0\t0\t0\t0"}, "runs as the host's root"),
    (subject.every_container_is_filtered, {"Seccomp": "0"}, "no filter"),
    (subject.no_container_gains_privileges, {"NoNewPrivs": "0"}, "may gain"),
    (subject.no_container_shares_a_namespace, {"ns": "net:[1]"}, "the host's network"),
    (subject.every_container_has_a_profile, {"label": "docker-default (complain)\n"}, "only reports"),
]


def at_work(label="docker-default (enforce)\n", ns="net:[7]", pid=77, cgroup="box" * 8, **status):
    """Return a host on which a container's first process is as told, whatever the engine says of it."""
    files = {
        f"/proc/{pid}/cgroup": f"0::/system.slice/docker-{cgroup}.scope\n",
        f"/proc/{pid}/status": "".join(f"{key}:\t{value}\n" for key, value in status.items()),
        f"/proc/{pid}/attr/current": label,
        KERNEL: "Y\n",
    }
    links = {f"/proc/{pid}/ns/net": ns, "/proc/1/ns/net": "net:[1]"}
    return FakeHost(files=files, links=links)


def running(**changed):
    return {**hard(**changed), "State": {"Running": True, "Pid": 77}}


def seen_by_the_kernel(check, changed, word):
    return case(check, [running()], "fail", word, host=at_work(**{**LIVE, **changed}))


ORPHANS = [
    (subject.no_container_is_privileged, FakeHost(processes=(INIT, SHIM)), P, "unknown", "pid 9", {"exists": False}),
    (subject.no_container_is_privileged, FakeHost(processes=(INIT,)), P, "ok", "0 containers", {"exists": False}),
    (subject.no_container_is_privileged, FakeHost(processes=(SHIM,)), P, "unknown", "hidden", {"exists": False}),
]
FOLDER = {"Name": "v", "Options": {"type": "none", "o": "bind", "device": "/etc"}}
SEEN = [hard(mounts=[{"Type": "volume", "Name": "v", "RW": True}])]
OTHERS = [
    case(subject.every_container_is_filtered, [running(SecurityOpt=None)], "ok", "1 containers", host=at_work(**LIVE)),
    case(subject.no_container_runs_as_root, [running(user="")], "ok", "1 containers", host=at_work(**LIVE)),
    case(
        subject.no_container_runs_as_root,
        [running(user="")],
        "fail",
        "runs as root",
        host=at_work(cgroup="an engine in another machine", **LIVE),
    ),
    asked(subject.no_container_runs_as_root, [hard(user="")], "ok", info={"SecurityOptions": ["name=rootless"]}),
    asked(subject.no_container_shares_a_namespace, [hard(UsernsMode="host")], "fail", info={"SecurityOptions": MAPS}),
    asked(subject.no_container_gains_privileges, [hard(SecurityOpt=[])], "ok", info={"SecurityOptions": GAINS}),
    asked(subject.every_container_is_filtered, [hard(SecurityOpt=[])], "ok", info={"SecurityOptions": FILTERS}),
    asked(subject.every_container_has_limits, [hard()], "fail", info={"PidsLimit": False}),
    asked(subject.no_container_sees_the_host, SEEN, "fail", volumes=[FOLDER]),
    asked(subject.no_container_sees_the_host, SEEN, "ok", volumes=[{"Name": "v", "Options": None}]),
    asked(
        subject.no_container_sees_the_host,
        seeing("/data/docker/volumes"),
        "fail",
        info={"DockerRootDir": "/data/docker"},
    ),
    case(subject.every_container_has_a_profile, [hard()], "skip", "neither", host=FakeHost()),
    case(subject.no_container_is_privileged, [hard(f"b{n}", Privileged=True) for n in range(9)], "fail", "and 4 more"),
]

CASES = [
    *(case(check, [hard()], "ok", "1 containers") for check in subject.__dict__.values() if is_of_all(check)),
    *(case(check, [], "ok", "0 containers") for check in subject.__dict__.values() if is_of_all(check)),
    *(case(check, DEAF, "unknown", "does not answer") for check in subject.__dict__.values() if is_of_all(check)),
    *(case(check, document, "fail", word) for check, document, word in FAULTS),
    *(case(check, document, "ok", word) for check, document, word in HARMLESS),
    *(seen_by_the_kernel(check, changed, word) for check, changed, word in EFFECTS),
    *ORPHANS,
    *OTHERS,
    case(subject.no_container_publishes_a_port, [published("127.0.0.1"), published("::1")], "ok", "nothing published"),
    case(subject.no_container_publishes_a_port, [published("0.0.0.0")], "fail", "box: 80/tcp on 0.0.0.0"),
    case(subject.no_container_publishes_a_port, [published("")], "fail", "80/tcp on *"),
    case(subject.no_container_publishes_a_port, DEAF, "unknown", "does not answer"),
]


RUN = "docker run -d --name {name} {flags} $(docker inspect -f '{{{{.Image}}}}' stranger) sleep inf"
BROKEN = [
    Broken(
        subject.every_container_has_a_profile,
        "docker rm -f loose || :",
        RUN.format(name="loose", flags="--security-opt apparmor=unconfined"),
        "loose: unconfined holds it",
        "engine",
    ),
    Broken(
        subject.no_container_publishes_a_port,
        "docker rm -f open || :; docker update --restart no stranger; docker stop -t 1 stranger",
        RUN.format(name="open", flags="-p 0.0.0.0:8099:80"),
        "open: 80/tcp on 0.0.0.0",
        "engine",
    ),
]
