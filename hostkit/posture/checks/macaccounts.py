"""Who may be whom on a Mac: guests, root, the agent's account, and what an unwatched screen gives."""

import re

from hostkit.errors import CannotTell
from hostkit.host import NO_SHELLS, Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, heard, known, need_root, persons, printed, setting, switch
from hostkit.posture.model import Command, Verdict, every, fail, ok

_DSCL = "/usr/bin/dscl"
_SYSADMIN = "/usr/sbin/sysadminctl"
_WINDOW = "/Library/Preferences/com.apple.loginwindow"


def _no_guest(host: Host, policy: Policy) -> tuple[Command, ...]:
    return ((_SYSADMIN, "-guestAccount", "off"),)


@check(
    "macaccounts-guest",
    severity="medium",
    why="A guest needs no password to sit down at this Mac.",
    fix="hostkit bootstrap (play 50-login); by hand: sudo sysadminctl -guestAccount off.",
    play="50-login",
    mend=_no_guest,
    references=("mSCP system_settings_guest_account_disable", "NIST SP 800-53 AC-2"),
)
def no_guests(host: Host, policy: Policy) -> Verdict:
    """Nobody logs in as guest."""
    told = switch(host, _WINDOW, "GuestEnabled")
    return fail("guests may log in") if told else ok("never allowed" if told is None else "not allowed")


@check(
    "macaccounts-autologin",
    severity="high",
    why="Whoever plugs this Mac in elsewhere is logged in, and the password lies on the disk in a known cipher.",
    fix="hostkit bootstrap (play 50-login); by hand: "
    "sudo sysadminctl -autologin off; sudo rm -f /etc/kcpassword. Run the VM from a launch daemon instead.",
    play="50-login",
    references=("mSCP system_settings_automatic_login_disable", "NIST SP 800-53 IA-2"),
)
def nobody_is_logged_in_by_a_start(host: Host, policy: Policy) -> Verdict:
    """A start of the machine logs nobody in: the system says so, no account is set, no password lies there."""
    said = host.ask(_SYSADMIN, "-autologin", "status").both
    form = r"(Automatic login user:? +\S+|Automatic login is OFF\b|[Aa]utomatic login (?:is )?disabled because\b)"
    word = known("sysadminctl", said, form).group(1)
    name = setting(host, _WINDOW, "autoLoginUser")
    faults = ["an account is logged in at start"] if " login user" in word else []
    faults += [f"autoLoginUser is {brief(name)}"] if name else []
    return every(faults + (["/etc/kcpassword is there"] if host.stat("/etc/kcpassword") else []), "off")


@check(
    "macaccounts-lock",
    severity="medium",
    why="A session that stays open on a host that nobody sits at is anybody's who walks by.",
    fix="As that person: sysadminctl -screenLock immediate -password -.",
    references=("mSCP system_settings_screensaver_ask_for_password_delay_enforce", "NIST SP 800-53 AC-11"),
)
def screens_lock_at_once(host: Host, policy: Policy) -> Verdict:
    """Every person's screen asks for the password within five seconds."""
    need_root(host, "each person's own settings")
    names = persons(host)
    return every([f"{name}: {fault}" for name in names if (fault := _unlocked(host, name))], f"{len(names)} persons")


def _unlocked(host: Host, person: str) -> str:
    said = host.ask("/usr/bin/sudo", "-n", "-u", person, _SYSADMIN, "-screenLock", "status").both
    form = r"screenLock (is off|delay is immediate|delay is (-?\d+)(?:\.\d+)? seconds)$"
    match = known("sysadminctl", said, form)
    if match.group(2) is None:
        return "" if match.group(1) == "delay is immediate" else "the screen does not lock"
    seconds = int(match.group(2))
    return "" if 0 <= seconds <= 5 else f"the screen lock's {match.group(1)}"


@check(
    "macaccounts-root",
    severity="medium",
    why="Who logs in as root is nobody: no record tells which of the administrators it was.",
    fix="sudo dsenableroot -d; or sudo dscl . -delete /Users/root AuthenticationAuthority.",
    references=("mSCP os_root_disable", "NIST SP 800-53 IA-2(5)"),
)
def root_cannot_log_in(host: Host, policy: Policy) -> Verdict:
    """Root has nothing to log in with."""
    need_root(host, "what root logs in with")
    said = host.ask(_DSCL, ".", "-read", "/Users/root", "AuthenticationAuthority").both.strip()
    if said == "No such key: AuthenticationAuthority":
        return ok("root has no password")
    if re.match(r"AuthenticationAuthority:\s*;", said):
        return fail("root has a way to log in")
    raise CannotTell(f"dscl said nothing that is known: {brief(said)}")


@check(
    "macaccounts-agent",
    severity="high",
    why="An agent under a person's or an administrator's account is that person.",
    fix="hostkit bootstrap (play 10-account); by hand: "
    "Create the account with dscl: UniqueID below 500, UserShell /usr/bin/false, IsHidden 1; take it out of admin: "
    "sudo dseditgroup -o edit -d ACCOUNT -t user admin.",
    play="10-account",
    references=("NIST SP 800-53 AC-6",),
)
def agents_account_is_nobodys(host: Host, policy: Policy) -> Verdict:
    """The agent's account exists, is no administrator's, and nobody can log in to it."""
    account = policy.host.account
    said = host.ask(_DSCL, ".", "-read", f"/Users/{account}", "UniqueID", "UserShell")
    if "(eDSRecordNotFound)" in said.both:
        return fail(f"there is no account {account}")
    uid, shell = (known("dscl", said.out, rf"^{key}: (\S+)$").group(1) for key in ("UniqueID", "UserShell"))
    members = known(
        "dscl", printed(host, _DSCL, ".", "-read", "/Groups/admin", "GroupMembership"), r"^GroupMembership: (.+)$"
    )
    form = r"^user (is(?: not)?) a member of the group$"
    member = heard(host, "/usr/bin/dsmemberutil", "checkmembership", "-U", account, "-G", "admin", form=form)
    faults = [f"{account} is an administrator"] if account in members.group(1).split() or member == "is" else []
    faults += ["its uid is root's"] if uid == "0" else []
    return every(faults + ([] if shell in NO_SHELLS else [f"its shell is {brief(shell)}"]), f"uid {uid}, {shell}")


@check(
    "macaccounts-apple",
    severity="high",
    why="An Apple Account brings a person's mail, photos, passwords and other machines within the agent's reach.",
    fix="As that person: System Settings > Apple Account > Sign Out.",
    references=("NIST SP 800-53 AC-20",),
)
def nobody_is_signed_in_to_apple(host: Host, policy: Policy) -> Verdict:
    """No account here is signed in to an Apple Account."""
    need_root(host, "each person's own accounts")
    names = persons(host)
    return every([f"{name} is signed in" for name in names if _signed_in(host, name)], f"{len(names)} persons, none")


def _signed_in(host: Host, person: str) -> bool:
    told = setting(host, "MobileMeAccounts", "Accounts", person)
    if told is None or re.fullmatch(r"\(\s*\)", told.strip()):
        return False
    if "AccountID" in told:
        return True
    raise CannotTell(f"the Apple accounts of {person} are told in a form that is not known")
