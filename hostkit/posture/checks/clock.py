"""Time: records, certificates and agreements all lean on it."""

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, fail, ok


@check(
    "clock-synchronised",
    severity="medium",
    why="Records with a wrong time prove nothing, and expired certificates look fine.",
    fix="Install systemd-timesyncd or chrony and let it reach its server.",
)
def clock_is_synchronised(host: Host, policy: Policy) -> Verdict:
    """The kernel's clock is kept in step with a time server."""
    said = host.run("timedatectl", "show", "--property=NTPSynchronized", "--value").strip()
    return ok("synchronised") if said == "yes" else fail(f"NTPSynchronized is {said or 'not said'}")
