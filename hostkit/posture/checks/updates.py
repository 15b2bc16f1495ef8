"""Whether this machine mends itself."""

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, fail, ok


@check(
    "updates-automatic",
    severity="medium",
    why="An always-on machine that nobody looks at is patched by itself or not at all.",
    fix="apt install unattended-upgrades, then dpkg-reconfigure -plow unattended-upgrades.",
)
def security_updates_install_themselves(host: Host, policy: Policy) -> Verdict:
    """Security updates are installed without anybody asking."""
    said = host.run("apt-config", "dump", "--format", "%f %v%n", "APT::Periodic::Unattended-Upgrade")
    wanted = dict(line.partition(" ")[::2] for line in said.splitlines()).get("APT::Periodic::Unattended-Upgrade", "0")
    if host.stat("/usr/bin/unattended-upgrade") is None:
        return fail("unattended-upgrades is not installed")
    return ok(f"every {wanted} days") if wanted not in {"", "0"} else fail("installed, but switched off")


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
