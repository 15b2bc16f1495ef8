"""The Mac's fence: hostkit's anchor in pf, that it is asked, and that it comes back."""

import re

from hostkit.bootstrap.mac.grammar import parse
from hostkit.bootstrap.mac.jobs import PF, PROGRAM
from hostkit.bootstrap.mac.pf import ANCHOR, anchor
from hostkit.bootstrap.mac.samples import differing
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, heard, job, need_root, overrides, printed
from hostkit.posture.model import Verdict, every, fail

_PF = "/sbin/pfctl"
_SHOWN = 4
_PARENT = 'anchor "com.apple/*" all'
_APPLES = ("com.apple/200.AirDrop", "com.apple/250.ApplicationFirewall")
_HARMLESS = ("scrub-anchor ", "scrub ", 'anchor "com.apple.internet-sharing" all')
"""What may stand before the anchor's parent: neither lets a packet pass."""
_CONFIRMED = "/etc/hostkit/pf.anchor"
_FILES = (f"/Library/LaunchDaemons/{PF}.plist", PROGRAM, _CONFIRMED)
_LISTS = 10_000


def _lines(host: Host, *words: str) -> list[str]:
    need_root(host, "what pf does")
    found = [line.strip() for line in printed(host, _PF, *words).splitlines() if line.strip()]
    if len(found) > _LISTS:
        raise CannotTell(f"pf has more than {_LISTS} lines to show")
    return found


@check(
    "pf-anchor",
    severity="high",
    why="Anchors that nobody asks are still listed: pfctl -F all leaves the rules in place and the Mac open.",
    fix="sudo pfctl -f /etc/pf.conf, restart the VM's runtime, take out what is named, then hostkit bootstrap (play "
    "90-fence): it never loads the main ruleset itself.",
    play="90-fence",
    references=("NIST SP 800-53 SC-7",),
)
def the_anchor_is_asked(host: Host, policy: Policy) -> Verdict:
    """The packet filter is on, its main ruleset asks hostkit's anchor, and nothing else decides before that."""
    need_root(host, "what pf does")
    state = heard(host, _PF, "-s", "info", form=r"^Status: (Enabled|Disabled)\b")
    faults = [] if state == "Enabled" else ["pf is disabled"]
    return every(
        faults + _unasked(_lines(host, "-sr")) + _overtaken(_lines(host, "-v", "-s", "Anchors")), "enabled, asked"
    )


def _unasked(rules: list[str]) -> list[str]:
    # With the slash: "com.apple.internet-sharing" is a near miss.
    if _PARENT not in rules:
        return ['the main ruleset does not ask "com.apple/*"']
    before = [line for line in rules[: rules.index(_PARENT)] if not line.startswith(_HARMLESS)]
    return [f"decides before the anchor: {brief(line)}" for line in before]


def _overtaken(anchors: list[str]) -> list[str]:
    """Return what is wrong with the list of anchors: they are asked in the order of the alphabet."""
    if odd := next((name for name in anchors if not re.fullmatch(r"\w[\w.-]*(?:/\w[\w.-]*)*", name)), ""):
        raise CannotTell(f"pfctl lists an anchor in a form that is not known: {brief(odd)}")
    faults = [] if ANCHOR in anchors else [f"there is no anchor {ANCHOR}"]
    others = [name for name in anchors if name.startswith("com.apple/") and name < ANCHOR]
    return faults + [f"{brief(name)} is asked before it" for name in others if not _apples(name)]


def _apples(name: str) -> bool:
    return any(name == own or name.startswith(f"{own}/") for own in _APPLES)


@check(
    "pf-rules",
    severity="high",
    why="A rule for IPv4 says nothing of IPv6: guests of vmnet get a v6 route of their own and leave by it.",
    fix="hostkit bootstrap (play 90-fence); at once: sudo pfctl -a com.apple/org.hostkit -f /etc/hostkit/pf.anchor.",
    play="90-fence",
    references=("NIST SP 800-53 SC-7(5)",),
)
def the_anchor_decides_as_the_policy_says(host: Host, policy: Policy) -> Verdict:
    """The live rules decide of some hundred packets as the policy's do: TCP and UDP, v4 and v6, in and out."""
    lines = _lines(host, "-a", ANCHOR, "-sr")
    if not lines:
        return fail("the anchor holds no rule")
    uid = _uid(host, policy)
    try:
        live = parse("\n".join(lines))
    except ValueError as why:
        raise CannotTell(f"a rule of the anchor is in a form that is not known: {brief(str(why))}") from None
    wanted, kept = anchor(policy, uid), host.read(_CONFIRMED) if host.stat(_CONFIRMED) else ""
    stale = [] if kept == wanted else [f"{_CONFIRMED} is not what the policy asks for now"]
    faults = stale + differing(parse(wanted), live, uid)
    more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    return every(faults[:_SHOWN] + more, f"{len(lines)} rules, as the policy says")


def _uid(host: Host, policy: Policy) -> int:
    path = f"/Users/{policy.host.account}"
    return int(heard(host, "/usr/bin/dscl", ".", "-read", path, "UniqueID", form=r"^UniqueID: (\d+)$"))


@check(
    "pf-reference",
    severity="medium",
    why="pf ends with the last that asked for it; Apple's own daemon lets go when a VM or a VPN ends.",
    fix="hostkit bootstrap (play 90-fence); by hand: sudo pfctl -E, and keep the token that it prints.",
    play="90-fence",
)
def pf_is_held(host: Host, policy: Policy) -> Verdict:
    """Somebody other than Apple's own daemon holds pf enabled."""
    lines = _lines(host, "-s", "References")
    if lines == ["No pf starter references held"]:
        return fail("nobody holds pf enabled")
    rows = [re.fullmatch(r"\d+\s+([\w.-]+(?: [\w.-]+)*)\s{2,}\d+\s+\d+ days [\d:]+", line) for line in lines[2:]]
    if lines[:1] != ["TOKENS:"] or not rows or not all(rows):
        raise CannotTell(f"pfctl said nothing that is known: {brief(' '.join(lines))}")
    holders = sorted({row.group(1) for row in rows if row} - {"pfd"})
    return every([] if holders else ["only Apple's pfd holds it"], f"held by {', '.join(map(brief, holders))}")


@check(
    "pf-boot",
    severity="high",
    why="A start of the machine drops every anchor that is not Apple's, and may leave pf disabled.",
    fix="hostkit bootstrap (play 90-fence); by hand: sudo launchctl bootstrap system the job's file.",
    play="90-fence",
)
def the_anchor_returns_at_boot(host: Host, policy: Policy) -> Verdict:
    """The next boot loads hostkit's anchor, from files that only root may change, below a main ruleset that asks it."""
    faults = [] if _asks(host) else ['/etc/pf.conf does not ask "com.apple/*"']
    faults += [fault for path in _FILES if (fault := _not_roots(host, path))]
    faults += [] if overrides(host).get(PF, True) else [f"{PF} is disabled"]
    told = job(host, PF)
    faults += [] if told else [f"{PF} is not loaded"]
    code = re.search(r"code\W+([1-9]\d*)", told)  # nothing else there is called a code
    return every(faults + ([f"{PF} ended with {code.group(1)}"] if code else []), f"{PF} is loaded")


def _asks(host: Host) -> bool:
    """Return whether the main ruleset of the next boot asks the anchors below com.apple."""
    return host.stat("/etc/pf.conf") is not None and 'anchor "com.apple/*"' in map(
        str.strip, host.read("/etc/pf.conf").splitlines()
    )


def _not_roots(host: Host, path: str) -> str:
    facts = host.stat(path)
    if facts is None:
        return f"{path} is not there"
    return "" if facts.kind == "file" and not facts.uid and not facts.mode & 0o022 else f"{path} is not root's alone"
