"""Keychains: that the agent's account sees its own and nobody else's."""

import glob
import re

from hostkit.errors import CannotTell
from hostkit.host import Host, globbed
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, heard, homes, need_root, printed
from hostkit.posture.model import Verdict, every, ok

_SYSTEM = "/Library/Keychains/System.keychain"
_MANY = 40


def _as_agent(policy: Policy) -> tuple[str, ...]:
    return ("/usr/bin/sudo", "-n", "-u", policy.host.account)


@check(
    "keychain-agent",
    severity="high",
    why="A keychain on the agent's list is one whose passwords its programs ask for without anybody's word.",
    fix="As the agent's account: security list-keychains -d user -s its own keychain only.",
    references=("NIST SP 800-53 SC-28",),
)
def the_agent_searches_its_own_keychain(host: Host, policy: Policy) -> Verdict:
    """The agent's account searches no keychain but its own and the system's."""
    need_root(host, "the agent's list of keychains")
    said = printed(host, *_as_agent(policy), "/usr/bin/security", "list-keychains", "-d", "user")
    lines = [line for line in said.splitlines() if line.strip()]
    found = [match.group(1) for line in lines if (match := re.fullmatch(r'\s*"(/[^"]+)"\s*', line))]
    if not found or len(found) != len(lines) or any("/../" in path for path in found):
        raise CannotTell(f"security said nothing that is known: {brief(said)}")
    path = f"/Users/{policy.host.account}"
    home = heard(host, "/usr/bin/dscl", ".", "-read", path, "NFSHomeDirectory", form=r"^NFSHomeDirectory: (/\S*)$")
    own = f"{home.rstrip('/')}/Library/Keychains/"
    return every(
        [brief(path) for path in found if path != _SYSTEM and not path.startswith(own)], f"{len(found)} listed"
    )


@check(
    "keychain-closed",
    severity="high",
    why="Whoever can read a keychain's file can try passwords on it for as long as it takes, elsewhere.",
    fix="chmod 700 the person's home, and chmod 600 the named file.",
    references=("NIST SP 800-53 SC-28",),
)
def the_agent_reads_no_keychain_of_a_person(host: Host, policy: Policy) -> Verdict:
    """The agent's account cannot open the keychain of any other account: it was tried."""
    need_root(host, "what the agent's account can read")
    others = [home for home, name in homes(host).items() if name != policy.host.account]
    patterns = [f"{glob.escape(home)}/Library/Keychains/*.keychain*" for home in others]
    paths = globbed(host, patterns)
    if len(paths) > _MANY:
        raise CannotTell(f"there are {len(paths)} keychains, more than can be tried")
    if not paths:
        return ok(f"no keychain in {len(patterns)} homes")
    return every([brief(path) for path in paths if _opens(host, policy, path)], f"{len(paths)} keychains, all closed")


def _opens(host: Host, policy: Policy, path: str) -> bool:
    said = host.ask(*_as_agent(policy), "/bin/test", "-r", path)
    if said.code not in {0, 1} or said.both.strip():  # sudo's own refusals have words
        raise CannotTell(f"{path} could not be tried as {policy.host.account}: {brief(said.both)}")
    return said.code == 0
