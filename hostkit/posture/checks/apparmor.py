"""AppArmor: whether the kernel holds the profile that agents are to run under, now and after the next boot."""

import re

from hostkit.bootstrap.apparmor import KERNEL, NAME, PROFILES, mode
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, ok, skip
from hostkit.posture.readings import containers, in_container, named

_SELINUX = "/sys/fs/selinux/enforce"


@check(
    "apparmor-agent",
    severity="medium",
    unhardened="fail skip unknown",
    why="A hole in another wall of a sandbox is then still no way to the kernel's files, mounts and capabilities.",
    fix="hostkit bootstrap (play 57-apparmor); agents take it at their next start: hostkit stop, then launch.",
    play="57-apparmor",
    references=("CIS Debian 12 1.3.1.1", "CIS Docker 5.1", "NIST SP 800-53 AC-3"),
)
def agents_have_a_profile(host: Host, policy: Policy) -> Verdict:
    """The kernel holds hostkit's AppArmor profile for agents, and enforces it."""
    if instead := _elsewhere(host):
        return instead
    found = mode(_profiles(host))
    return ok(f"{NAME} is enforced") if found == "enforce" else fail(f"{NAME} is {found or 'not loaded'}")


def _elsewhere(host: Host) -> Verdict | None:
    """Return what to say where AppArmor does not confine, None where it does."""
    if in_container(host):
        return skip("AppArmor belongs to the machine around this container")
    if host.stat(KERNEL) is None:
        return skip("this kernel has no AppArmor")
    if host.read(KERNEL).strip() != "Y":
        return skip("SELinux confines here") if host.stat(_SELINUX) else fail("AppArmor is off: see /proc/cmdline")
    return None


def _profiles(host: Host) -> str:
    if not host.is_root:
        raise CannotTell("the kernel tells its profiles to root only", "sudo hostkit check")
    return host.read(PROFILES)


_OURS = f"/etc/apparmor.d/{NAME}"


@check(
    "apparmor-boot",
    severity="medium",
    unhardened="fail skip unknown",
    why="A profile that the next start does not load is a wall that falls with the first power cut.",
    fix="hostkit bootstrap (play 57-apparmor); rm what lies in /etc/apparmor.d/disable; a container that runs"
    " unconfined is started anew without --security-opt apparmor=unconfined.",
    play="57-apparmor",
    references=("CIS Debian 12 1.3.1.2", "CIS Debian 12 1.3.1.3", "CIS Docker 5.1"),
)
def every_boot_confines(host: Host, policy: Policy) -> Verdict:
    """Every boot loads AppArmor's profiles, the agents' among them, and every running container is under one."""
    if instead := _elsewhere(host):
        return instead
    held = re.findall(r"^(.+) \((\w+)\)$", _profiles(host), re.MULTILINE)
    state = host.run("systemctl", "show", "-P", "UnitFileState", "apparmor.service").strip()
    faults = [] if state == "enabled" else [f"apparmor.service is {state or 'not there'}"]
    faults += [] if host.stat(_OURS) else [f"{_OURS} is not there"]
    faults += [f"{path} keeps it from being loaded" for path in host.glob(f"/etc/apparmor.d/disable/{NAME}")]
    faults += [f"{name} runs unconfined" for name in _unconfined()]
    told = [name for name, how in held if how == "complain"]
    rest = f", {len(told)} others only complain" if told else ""
    return every(faults, f"{sum(how == 'enforce' for _, how in held)} profiles enforced{rest}")


def _unconfined() -> list[str]:
    """Return the running containers that no profile holds; a privileged one is another check's."""
    running = [one for one in containers() if (one.get("State") or {}).get("Running")]
    return [named(one) for one in running if one.get("AppArmorProfile", "") in {"", "unconfined"}]
