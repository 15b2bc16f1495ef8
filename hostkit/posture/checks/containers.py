"""Every container on this host, ours and strangers', that runs or that the engine starts again."""

from collections.abc import Callable

from hostkit import engine
from hostkit.bootstrap.apparmor import KERNEL
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture import grants as of
from hostkit.posture.boxes import Box, boxes, told
from hostkit.posture.model import Verdict, check, every, skip
from hostkit.posture.readings import containers, in_container, named, survey

_BOTH = ("linux", "darwin")


def _judged(host: Host, faults: Callable[[Box], list[str]]) -> Verdict:
    seen = boxes(host)
    return every(told(seen, faults), f"{len(seen)} containers")


def _security() -> tuple[str, ...]:
    """Return what the engine holds containers with, in its own words."""
    return tuple(map(str, survey()["info"].get("SecurityOptions") or ()))


def _mapped() -> bool:
    """Return whether root in a container is not the host's: a map of user ids, or an engine without root."""
    return any(option.startswith(("name=userns", "name=rootless")) for option in _security())


@check(
    "containers-privileged",
    severity="critical",
    unhardened="ok fail",
    why="A privileged container is root on this machine: every device, every kernel file, every other sandbox.",
    fix="Run it without --privileged and without systempaths=unconfined; give it the one thing that it needs.",
    platforms=_BOTH,
    references=("CIS Docker 5.5", "NIST SP 800-53 AC-6"),
)
def no_container_is_privileged(host: Host, policy: Policy) -> Verdict:
    """No container is privileged, and in none are the kernel's own files unmasked."""
    return _judged(host, of.unlocked)


@check(
    "containers-capabilities",
    severity="high",
    unhardened="ok fail",
    why="Capabilities beyond the engine's own are pieces of root: with some of them a container takes the machine.",
    fix="Run it without --cap-add for the listed ones.",
    platforms=_BOTH,
    references=("CIS Docker 5.4", "NIST SP 800-53 AC-6"),
)
def no_container_has_more_capabilities(host: Host, policy: Policy) -> Verdict:
    """No container can come by a capability beyond those that the engine gives by default."""
    return _judged(host, of.capabilities)


@check(
    "containers-dropped",
    severity="low",
    unhardened="ok fail",
    why="The engine's own set still lets a neighbour forge packets and make devices; few programs need any of it.",
    fix="Run it with --cap-drop ALL and add back by name what it needs.",
    platforms=_BOTH,
    references=("CIS Docker 5.4", "NIST SP 800-53 AC-6"),
)
def every_container_drops_capabilities(host: Host, policy: Policy) -> Verdict:
    """Every container has dropped all capabilities but those it was given by name."""
    return _judged(host, of.undropped)


@check(
    "containers-namespaces",
    severity="critical",
    unhardened="ok fail",
    why="In the host's namespaces a container sees its sockets and processes; in a sandbox's, it is that client.",
    fix="Run it without --network, --pid, --ipc, --uts or --userns host, and in no sandbox's namespaces.",
    platforms=_BOTH,
    references=("CIS Docker 5.10", "CIS Docker 5.16", "CIS Docker 5.17", "CIS Docker 5.21", "CIS Docker 5.31"),
)
def no_container_shares_a_namespace(host: Host, policy: Policy) -> Verdict:
    """No container is in a namespace of the host, or in one of a sandbox that is not its own."""
    seen, mapped = boxes(host), _mapped()
    return _judged(host, lambda box: of.namespaces(box, seen, mapped=mapped))


@check(
    "containers-mounts",
    severity="critical",
    unhardened="ok fail",
    why="Who writes the host's files is root there; who reads them has its keys; what is mounted shared, spreads.",
    fix="Mount the one file or folder that it needs, read-only, and nothing of the system or of a home.",
    platforms=_BOTH,
    references=("CIS Docker 5.6", "NIST SP 800-53 AC-3"),
)
def no_container_sees_the_host(host: Host, policy: Policy) -> Verdict:
    """No container sees a system folder or a home of the host, and no mount of one spreads back to it."""
    volumes, engines = survey()["volumes"], str(survey()["info"].get("DockerRootDir") or "/var/lib/docker")

    def faults(box: Box) -> list[str]:
        found = of.binds(box, volumes)
        spread = [f"{of.worded(bind)}, shared" for bind in found if bind.shared]
        return [of.worded(bind) for bind in found if of.sensitive(bind, (engines,))] + spread

    return _judged(host, faults)


@check(
    "containers-binds",
    severity="medium",
    unhardened="ok fail",
    why="A folder of the host that a container writes is a way for it to hand files to people and programs there.",
    fix="Use a volume of the engine, or mount it read-only.",
    platforms=_BOTH,
    references=("NIST SP 800-53 AC-3",),
)
def no_container_writes_the_host(host: Host, policy: Policy) -> Verdict:
    """No container can write a folder of the host."""
    volumes = survey()["volumes"]
    return _judged(host, lambda box: [of.worded(bind) for bind in of.binds(box, volumes) if bind.writable])


@check(
    "containers-socket",
    severity="critical",
    unhardened="ok fail",
    why="Who reaches the engine's socket starts a privileged container: it is root on this machine, and outside.",
    fix="Remove the mount; a program that must see containers gets a proxy that only reads.",
    platforms=_BOTH,
    references=("CIS Docker 5.32", "NIST SP 800-53 AC-6"),
)
def no_container_reaches_the_engine(host: Host, policy: Policy) -> Verdict:
    """No container sees an engine's socket, or a folder that one is in."""
    volumes, own = survey()["volumes"], engine.socket_path()
    return _judged(host, lambda box: [of.worded(bind) for bind in of.binds(box, volumes) if of.is_engine(bind, own)])


@check(
    "containers-devices",
    severity="high",
    unhardened="ok fail",
    why="A device is a way round every wall above it: a disk is all its files, a GPU's driver is the kernel.",
    fix="Run it without --device, --device-cgroup-rule and --gpus.",
    platforms=_BOTH,
    references=("CIS Docker 5.18",),
)
def no_container_has_a_device(host: Host, policy: Policy) -> Verdict:
    """No container was given a device of the host."""
    return _judged(host, of.devices)


@check(
    "containers-users",
    severity="medium",
    unhardened="ok fail",
    why="A hole in any other wall is worth more to the host's root than to nobody.",
    fix="Run it with --user and a number above 0, or an image that says USER.",
    platforms=_BOTH,
    references=("CIS Docker 4.1", "NIST SP 800-53 AC-6"),
)
def no_container_runs_as_root(host: Host, policy: Policy) -> Verdict:
    """No container's first process is the host's root, user namespaces counted."""
    mapped = _mapped()
    return _judged(host, lambda box: of.root(box, mapped=mapped))


@check(
    "containers-seccomp",
    severity="medium",
    unhardened="ok fail",
    why="Most ways out of a container that ever were went through a system call that no program there needs.",
    fix="Run it without seccomp=unconfined.",
    platforms=_BOTH,
    references=("CIS Docker 5.22",),
)
def every_container_is_filtered(host: Host, policy: Policy) -> Verdict:
    """A filter of system calls holds every container."""
    options = _security()
    return _judged(host, lambda box: of.unfiltered(box, options))


@check(
    "containers-apparmor",
    severity="medium",
    unhardened="ok fail skip",
    why="Where another wall has a hole, the profile still keeps a container from the kernel's files and mounts.",
    fix="Run it without apparmor=unconfined or label=disable.",
    references=("CIS Docker 5.2",),
)
def every_container_has_a_profile(host: Host, policy: Policy) -> Verdict:
    """A profile of AppArmor or a label of SELinux holds every container, where the kernel has one."""
    if in_container(host):
        return skip("AppArmor belongs to the machine around this container")
    has_apparmor = host.stat(KERNEL) is not None and host.read(KERNEL).strip() == "Y"
    if not has_apparmor and host.stat("/sys/fs/selinux/enforce") is None:
        return skip("this kernel has neither AppArmor nor SELinux")
    return _judged(host, of.unlabelled)


@check(
    "containers-escalation",
    severity="low",
    unhardened="ok fail",
    why="A set-uid program in an image makes whoever runs it root there.",
    fix="Run it with --security-opt no-new-privileges, or make that the engine's default (play 60-engine).",
    platforms=_BOTH,
    references=("CIS Docker 5.26",),
)
def no_container_gains_privileges(host: Host, policy: Policy) -> Verdict:
    """No program in a container can gain privileges that it was not started with."""
    options = _security()
    return _judged(host, lambda box: of.gaining(box, options))


@check(
    "containers-readonly",
    severity="low",
    unhardened="ok fail",
    why="Who breaks into a container that can be written leaves something behind for its next start.",
    fix="Run it with --read-only and --tmpfs for what it must write.",
    platforms=_BOTH,
    references=("CIS Docker 5.13",),
)
def no_container_changes_itself(host: Host, policy: Policy) -> Verdict:
    """No container can change its own system."""
    return _judged(host, of.writable)


@check(
    "containers-limits",
    severity="medium",
    unhardened="ok fail",
    why="A container without limits takes all there is, and the gateways and their records stop with the machine.",
    fix="Run it with --memory, --pids-limit and --cpus.",
    platforms=_BOTH,
    references=("CIS Docker 5.11", "CIS Docker 5.12", "CIS Docker 5.29"),
)
def every_container_has_limits(host: Host, policy: Policy) -> Verdict:
    """Every container's memory, processes and processor are limited, and the engine can hold it to that."""
    info = survey()["info"]
    keys = {"memory": "MemoryLimit", "processes": "PidsLimit", "processor": "CpuCfsQuota"}
    deaf = [f"this kernel limits no {word}" for word, key in keys.items() if info.get(key) is False]
    seen = boxes(host)
    return every([*(deaf if seen else ()), *told(seen, of.unlimited)], f"{len(seen)} containers")


@check(
    "containers-ports",
    severity="high",
    unhardened="ok fail",
    why="A published port walks past most host firewalls: the engine writes its own rules.",
    fix="Publish on 127.0.0.1, or not at all.",
    platforms=("linux", "darwin"),
)
def no_container_publishes_a_port(host: Host, policy: Policy) -> Verdict:
    """No container publishes a port beyond loopback."""
    faults = []
    for document in containers():
        published = document.get("NetworkSettings", {}).get("Ports") or {}
        open_to = [(port, bind.get("HostIp", "")) for port, binds in published.items() for bind in binds or ()]
        faults += [
            f"{named(document)}: {port} on {ip or '*'}" for port, ip in open_to if not ip.startswith(("127.", "::1"))
        ]
    return every(faults, "nothing published")
