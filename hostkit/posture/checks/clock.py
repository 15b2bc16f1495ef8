"""Time: records, certificates and agreements all lean on it."""

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, fail, ok, skip
from hostkit.posture.readings import in_container

_SERVICES = ("systemd-timesyncd", "chrony", "ntpsec", "ntp", "openntpd")


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


@check(
    "clock-service",
    severity="medium",
    unhardened="ok fail skip",
    why="Two services pull the clock two ways, and without one it drifts until certificates fail.",
    fix="hostkit bootstrap (play 35-time); where there are two, systemctl disable --now one of them.",
)
def one_service_keeps_the_time(host: Host, policy: Policy) -> Verdict:
    """Exactly one service keeps this machine's time."""
    if in_container(host):
        return skip("the clock is the machine's around this container")
    said = host.run("systemctl", "show", "-P", "ActiveState", *(f"{name}.service" for name in _SERVICES))
    running = [name for name, state in zip(_SERVICES, said.split(), strict=False) if state == "active"]
    return ok(running[0]) if len(running) == 1 else fail(f"running: {', '.join(running) or 'none'}")
