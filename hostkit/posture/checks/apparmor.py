"""AppArmor: whether the kernel holds the profile that agents are to run under."""

from hostkit.bootstrap.apparmor import KERNEL, NAME, PROFILES, mode
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, fail, ok, skip
from hostkit.posture.readings import in_container

_SELINUX = "/sys/fs/selinux/enforce"


@check(
    "apparmor-agent",
    severity="medium",
    unhardened="fail skip unknown",
    why="A hole in another wall of a sandbox is then still no way to the kernel's files, mounts and capabilities.",
    fix="hostkit bootstrap (play 57-apparmor); agents take it at their next start: hostkit stop, then launch.",
)
def agents_have_a_profile(host: Host, policy: Policy) -> Verdict:
    """The kernel holds hostkit's AppArmor profile for agents, and enforces it."""
    if in_container(host):
        return skip("AppArmor belongs to the machine around this container")
    if host.stat(KERNEL) is None:
        return skip("this kernel has no AppArmor")
    if host.read(KERNEL).strip() != "Y":
        return skip("SELinux confines here") if host.stat(_SELINUX) else fail("AppArmor is off: see /proc/cmdline")
    if not host.is_root:
        raise CannotTell("the kernel tells its profiles to root only", "sudo hostkit check")
    found = mode(host.read(PROFILES))
    return ok(f"{NAME} is enforced") if found == "enforce" else fail(f"{NAME} is {found or 'not loaded'}")
