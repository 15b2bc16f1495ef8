"""Time: records, certificates and agreements all lean on it."""

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, ok, skip
from hostkit.posture.readings import in_container

_SERVICES = ("systemd-timesyncd", "chrony", "ntpsec", "ntp", "openntpd")


@check(
    "clock-synchronised",
    severity="medium",
    why="Records with a wrong time prove nothing, and expired certificates look fine.",
    fix="Install systemd-timesyncd or chrony and let it reach its server.",
    references=("CIS Debian 12 2.3.1.1", "NIST SP 800-53 AU-8"),
)
def clock_is_synchronised(host: Host, policy: Policy) -> Verdict:
    """The kernel's clock is kept in step with a time server."""
    said = host.run("timedatectl", "show", "--property=NTPSynchronized", "--value").strip()
    return ok("synchronised") if said == "yes" else fail(f"NTPSynchronized is {said or 'not said'}")


@check(
    "clock-service",
    severity="medium",
    unhardened="ok fail skip unknown",
    why="Two services pull the clock two ways, and without one it drifts until certificates fail.",
    fix="hostkit bootstrap (play 35-time); where there are two, systemctl disable --now one of them.",
    play="35-time",
    references=("CIS Debian 12 2.3.1.1", "NIST SP 800-53 AU-8"),
)
def one_service_keeps_the_time(host: Host, policy: Policy) -> Verdict:
    """Exactly one service keeps this machine's time."""
    if in_container(host):
        return skip("the clock is the machine's around this container")
    said = host.run("systemctl", "show", "-P", "ActiveState", *(f"{name}.service" for name in _SERVICES))
    running = [name for name, state in zip(_SERVICES, said.split(), strict=False) if state == "active"]
    return ok(running[0]) if len(running) == 1 else fail(f"running: {', '.join(running) or 'none'}")


_FAR, _STALE = 1.0, 8.0
"""Seconds. The kernel adds half a millisecond of doubt a second: eight are four and a half hours without a server."""


@check(
    "clock-offset",
    severity="medium",
    unhardened="ok fail skip unknown",
    why="Records of two machines are put side by side by the second, and a token ends on the minute.",
    fix="Let the time service reach its server (timedatectl timesync-status, chronyc tracking).",
    references=("NIST SP 800-53 AU-8",),
)
def the_clock_is_right(host: Host, policy: Policy) -> Verdict:
    """The kernel's clock is within a second of its server's, and heard of it in the last hours."""
    if in_container(host):
        return skip("the clock is the machine's around this container")
    clock = host.clock()
    faults = [] if clock.kept else ["nobody sets the kernel's clock"]
    faults += [f"it is {clock.offset:+.1f} s off"] if abs(clock.offset) >= _FAR else []
    faults += [f"no server was heard for long: it may be {clock.error:.1f} s off"] if clock.error >= _STALE else []
    return every(faults, f"{clock.offset * 1000:+.1f} ms off, {clock.error * 1000:.0f} ms in doubt")
