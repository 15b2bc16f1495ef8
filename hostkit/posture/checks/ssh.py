"""SSH, by the values that sshd itself says it goes by."""

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, ok

_SERVER = "/usr/sbin/sshd"
_KEYS = {
    "passwordauthentication": {"no"},
    "kbdinteractiveauthentication": {"no"},
    "permitemptypasswords": {"no"},
    "permitrootlogin": {"no", "prohibit-password", "without-password", "forced-commands-only"},
    "permituserenvironment": {"no"},
}
_QUIET = {"allowagentforwarding": {"no"}, "x11forwarding": {"no"}, "permittunnel": {"no"}}


def _effective(host: Host) -> dict[str, str]:
    if not host.is_root:
        raise CannotTell("sshd shows its settings to root only", "sudo hostkit check")
    pairs = [line.partition(" ") for line in host.run(_SERVER, "-T").splitlines()]
    return {key: value for key, _, value in pairs}


def _judged(host: Host, wanted: dict[str, set[str]]) -> Verdict:
    if host.stat(_SERVER) is None:
        return ok("no SSH server")
    found = _effective(host)
    faults = [f"{key} {found.get(key, 'is not said')}" for key, good in wanted.items() if found.get(key) not in good]
    return every(faults, ", ".join(f"{key} {found[key]}" for key in wanted if key in found))


@check(
    "ssh-keys",
    severity="high",
    unhardened="ok fail",
    why="A password can be guessed, told, or read from a ticket; a key has to be stolen.",
    fix="hostkit bootstrap (play 30-ssh).",
)
def ssh_wants_keys(host: Host, policy: Policy) -> Verdict:
    """Whoever comes in over SSH shows a key: no passwords, for root least of all."""
    return _judged(host, _KEYS)


@check(
    "ssh-forwarding",
    severity="medium",
    unhardened="ok fail",
    why="A forwarded agent lends an administrator's keys to whoever is root here.",
    fix="hostkit bootstrap (play 30-ssh).",
)
def ssh_forwards_nothing_of_the_administrators(host: Host, policy: Policy) -> Verdict:
    """SSH forwards no agent, no display and no network; at strict no TCP either."""
    strict = {"allowtcpforwarding": {"no"}} if policy.host.profile == "strict" else {}
    return _judged(host, _QUIET | strict)
