"""The Mac's application firewall: who may be called from outside, program by program."""

from hostkit.bootstrap.mac.stand import let_in, programs
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, heard, printed
from hostkit.posture.model import Command, Verdict, every, fail, ok

_TOOL = "/usr/libexec/ApplicationFirewall/socketfilterfw"
_STATES = {"0": "off", "1": "on", "2": "on, and blocks all that is not essential"}


@check(
    "alf-on",
    severity="high",
    why="It is the one wall that knows which program listens, and the only one on a Mac before pf is set up.",
    fix="hostkit bootstrap (play 25-firewall); by hand: "
    "sudo /usr/libexec/ApplicationFirewall/socketfilterfw --setglobalstate on.",
    play="25-firewall",
    references=("mSCP system_settings_firewall_enable", "NIST SP 800-53 SC-7"),
)
def application_firewall_is_on(host: Host, policy: Policy) -> Verdict:
    """The application firewall is on."""
    # Only the number is the same in all releases: that of state 2 says neither enabled nor disabled on macOS 15.
    state = heard(host, _TOOL, "--getglobalstate", form=r"\(State = (\d)\)$")
    if state not in _STATES:
        raise CannotTell(f"the application firewall is in a state that is not known: {state}")
    return fail("off") if state == "0" else ok(_STATES[state])


def _hide(host: Host, policy: Policy) -> tuple[Command, ...]:
    return ((_TOOL, "--setstealthmode", "on"),)


@check(
    "alf-stealth",
    severity="medium",
    why="A Mac that answers pings and closed ports tells a stranger on the network that it is worth a second look.",
    fix="hostkit bootstrap (play 25-firewall); by hand: "
    "sudo /usr/libexec/ApplicationFirewall/socketfilterfw --setstealthmode on.",
    play="25-firewall",
    mend=_hide,
    references=("mSCP system_settings_firewall_stealth_mode_enable", "NIST SP 800-53 SC-7"),
)
def closed_ports_are_silent(host: Host, policy: Policy) -> Verdict:
    """The application firewall is on and lets closed ports answer nothing."""
    word = heard(host, _TOOL, "--getstealthmode", form=r"^(?:Firewall stealth mode is|Stealth mode) (\w+)\s*$")
    if word not in {"on", "enabled", "off", "disabled"}:
        raise CannotTell(f"stealth mode is said to be {brief(word)}")
    if heard(host, _TOOL, "--getglobalstate", form=r"\(State = (\d)\)$") not in {"1", "2"}:
        return fail("the firewall is off, and stealth mode with it")
    return ok(f"stealth mode is {word}") if word in {"on", "enabled"} else fail(f"stealth mode is {word}")


@check(
    "alf-incoming",
    severity="medium",
    why="Whatever somebody installs is let in without a question as long as it is signed, an agent's helper too.",
    fix="hostkit bootstrap (play 25-firewall); by hand: "
    "sudo /usr/libexec/ApplicationFirewall/socketfilterfw --setallowsigned off --setallowsignedapp off, and "
    "--blockapp each named program; at the console, or where nobody comes in over the network: --setblockall on.",
    play="25-firewall",
    references=("NIST SP 800-53 SC-7(5)",),
)
def no_program_is_let_in(host: Host, policy: Policy) -> Verdict:
    """The application firewall lets nobody call a program, but sshd where the policy names how this Mac is managed."""
    if (
        heard(host, _TOOL, "--getblockall", form=r"^Firewall has block all state set to (enabled|disabled)\.$")
        == "enabled"
    ):
        return ok("blocks all incoming connections")
    faults = [f"{kind} programs are let in" for kind in ("built-in", "downloaded") if _signed(host, kind)]
    faults += [f"{path} is let in" for path in let_in(policy, programs(printed(host, _TOOL, "--listapps")))]
    return every(faults, "no program is let in")


def _signed(host: Host, kind: str) -> bool:
    form = rf"^Automatically allow {kind} signed software (ENABLED|DISABLED)\.\s*$"
    return heard(host, _TOOL, "--getallowsigned", form=form) == "ENABLED"
