"""Whether this machine mends itself."""

import re

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, ok

_TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")


@check(
    "updates-automatic",
    severity="medium",
    why="An always-on machine that nobody looks at is patched by itself or not at all.",
    fix="hostkit bootstrap (play 40-updates).",
)
def security_updates_install_themselves(host: Host, policy: Policy) -> Verdict:
    """Security updates are installed without anybody asking."""
    said = host.run("apt-config", "dump", "--format", "%f %v%n", "APT::Periodic::Unattended-Upgrade")
    wanted = dict(line.partition(" ")[::2] for line in said.splitlines()).get("APT::Periodic::Unattended-Upgrade", "0")
    if host.stat("/usr/bin/unattended-upgrade") is None:
        return fail("unattended-upgrades is not installed")
    if wanted in {"", "0"}:
        return fail("installed, but switched off")
    states = dict(zip(_TIMERS, host.run("systemctl", "show", "-P", "ActiveState", *_TIMERS).split(), strict=False))
    stopped = [f"{name} is {states.get(name, 'not there')}" for name in _TIMERS if states.get(name) != "active"]
    return every(stopped, f"every {wanted} days")


_ENGINE = ("docker", "containerd")


@check(
    "updates-engine",
    severity="medium",
    unhardened="ok fail unknown",
    why="An update that restarts the engine at night stops every sandbox, and nobody launches them again.",
    fix="hostkit bootstrap (play 40-updates).",
)
def updates_leave_the_engine_alone(host: Host, policy: Policy) -> Verdict:
    """Unattended updates leave the container engine's packages to their owner."""
    said = host.run("apt-config", "dump", "--format", "%v%n", "Unattended-Upgrade::Package-Blacklist")
    listed = said.split()
    return every(
        [f"{name} is not held back" for name in _ENGINE if not any(re.match(line, name) for line in listed)],
        ", ".join(listed),
    )


@check(
    "updates-restart",
    severity="low",
    unhardened="ok fail",
    why="A patched kernel that never started protects nobody.",
    fix="Reboot; the sandboxes come back through their whole launch.",
)
def no_restart_is_due(host: Host, policy: Policy) -> Verdict:
    """No installed update waits for a restart."""
    return fail("a restart is due") if host.stat("/run/reboot-required") else ok("none due")
