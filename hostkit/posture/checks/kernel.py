"""The kernel's own settings, by what it says of itself."""

from hostkit.bootstrap import kernel
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail
from hostkit.posture.readings import in_container


@check(
    "kernel-settings",
    severity="medium",
    why="Kernel addresses, stray routes and another program's memory are the first steps of most ways to root.",
    fix="hostkit bootstrap (play 45-kernel); a later file in /etc/sysctl.d may undo it.",
)
def settings_are_in_force(host: Host, policy: Policy) -> Verdict:
    """The live kernel has each setting that keeps its secrets, and takes no routes from strangers."""
    wanted = kernel.settings(in_container=in_container(host))
    there = {name: kernel.path(name) for name in wanted if host.stat(kernel.path(name))}
    live = {name: host.read(path).strip() for name, path in there.items()}
    faults = [f"{name} is {value}" for name, value in live.items() if value not in kernel.good(name)]
    if not live:
        return fail("/proc/sys shows none of them")
    rest = ", of which the kernel's own belong to the machine around this container" if in_container(host) else ""
    return every(faults, f"{len(live)} settings{rest}")


@check(
    "kernel-core",
    severity="medium",
    why="A core dump is a copy of every secret its program held, on disk.",
    fix="hostkit bootstrap (play 45-kernel).",
)
def nothing_dumps_core(host: Host, policy: Policy) -> Verdict:
    """No program's memory is written to disk when it dies: not by the kernel, not for a service."""
    limit = host.run("systemctl", "show", "--property=DefaultLimitCORE", "--value").strip()
    faults = [] if limit == "0" else [f"services may dump core (DefaultLimitCORE is {limit or 'not said'})"]
    if in_container(host):
        return every(faults, "services dump none; the kernel's pattern is the machine's around this container")
    pattern = host.read("/proc/sys/kernel/core_pattern").strip()
    faults += [] if pattern == kernel.SETTINGS["kernel.core_pattern"] else [f"core_pattern is {pattern}"]
    return every(faults, "core dumps go nowhere")
