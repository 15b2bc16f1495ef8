"""FileVault against always-on: explained and asked, put on record, and never decided by hostkit."""

from hostkit.host import Host
from hostkit.policy import Policy

FILE = "/etc/hostkit/power-cut"
"""Where the answer lies: one of WORDS."""
WORDS = ("wait", "return")
QUESTION = """\
After a power cut this Mac can do one of two things, and only its owner can say which:
  wait    with FileVault: whoever carries it away reads nothing. It waits, and no client runs, until somebody unlocks
          its disk: at its own keyboard, or from macOS 26 on over SSH with a password, if Remote Login is on.
          A restart that you plan needs nobody: sudo fdesetup authrestart.
  return  without FileVault: it comes back by itself. Whoever carries it away reads all of it, the clients' keys too.
FileVault itself is turned on or off in System Settings > Privacy & Security; hostkit only checks it."""


def chosen(host: Host, policy: Policy) -> str:
    """Return what was said about a power cut, in the policy or to bootstrap; empty if nothing was."""
    if policy.host.power_cut:
        return policy.host.power_cut
    word = host.read(FILE).strip() if host.stat(FILE) else ""
    return word if word in WORDS else ""
