"""FileVault: what somebody reads who carries this Mac away."""

from hostkit.bootstrap.mac import choice
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, printed, switch
from hostkit.posture.model import Verdict, every, fail, ok

_TOOL = "/usr/bin/fdesetup"
_WINDOW = "/Library/Preferences/com.apple.loginwindow"
_PASSWORD = "/etc/kcpassword"  # noqa: S105 - a path


def _state(host: Host) -> str:
    """Return `on`, or what FileVault is instead; raise CannotTell for words that are not known."""
    lines = [line.strip() for line in printed(host, _TOOL, "status").splitlines() if line.strip()]
    if lines == ["FileVault is On."]:
        return "on"
    if lines[:1] in (["FileVault is On."], ["FileVault is Off."]):
        return brief(" ".join(lines))
    raise CannotTell(f"fdesetup said nothing that is known: {brief(' '.join(lines))}")


@check(
    "filevault-on",
    severity="high",
    why="A Mini is carried away in a bag.",
    fix="System Settings > Privacy & Security > FileVault, or sudo fdesetup enable. After a power cut the disk stays "
    "locked until somebody unlocks it, and no client runs; plan a restart with sudo fdesetup authrestart. Where it "
    "is to return by itself, waive this check in the policy.",
    references=("mSCP system_settings_filevault_enforce", "NIST SP 800-53 SC-28"),
)
def the_disk_is_encrypted(host: Host, policy: Policy) -> Verdict:
    """FileVault is on, and all of the disk is encrypted."""
    state, chosen = _state(host), choice.chosen(host, policy)
    if state == "on":
        return ok("on, though `return` was chosen: after a power cut it waits" if chosen == "return" else "on")
    said = {"return": "as was chosen for a power cut", "wait": "though `wait` was chosen for a power cut"}
    return fail(f"{state} {said[chosen]}" if chosen else state)


@check(
    "filevault-login",
    severity="medium",
    why="Whoever unlocks the disk after a restart is logged in too, keychain open, on a host that nobody sits at.",
    fix="hostkit bootstrap (play 50-login); by hand: "
    "sudo sysadminctl -autologin off; sudo rm -f /etc/kcpassword; sudo defaults write "
    "/Library/Preferences/com.apple.loginwindow DisableFDEAutoLogin -bool true.",
    play="50-login",
    references=("mSCP os_filevault_autologin_disable", "NIST SP 800-53 AC-3"),
)
def unlocking_logs_nobody_in(host: Host, policy: Policy) -> Verdict:
    """FileVault asks at every start, its answer opens no session, and no password for one lies on the disk."""
    faults = [] if (state := _state(host)) == "on" else [f"a start asks for nothing: {state}"]
    faults += [f"{_PASSWORD} holds a login password"] if host.stat(_PASSWORD) else []
    if not faults and not switch(host, _WINDOW, "DisableFDEAutoLogin"):
        faults.append("who unlocks the disk is logged in")
    return every(faults, "unlocking opens the disk only")
