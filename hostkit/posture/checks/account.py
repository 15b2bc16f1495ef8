"""The account that owns the agent's side of this host."""

from hostkit.host import NO_SHELLS, Host, accounts
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail
from hostkit.posture.readings import groups

_POWERFUL = (
    "adm",
    "admin",
    "disk",
    "docker",
    "incus",
    "kvm",
    "libvirt",
    "lxd",
    "podman",
    "root",
    "shadow",
    "sudo",
    "wheel",
)


@check(
    "account-dedicated",
    severity="high",
    unhardened="fail",
    why="An agent under a person's account is that person.",
    fix="hostkit bootstrap (play 10-account).",
)
def agent_has_an_account_of_its_own(host: Host, policy: Policy) -> Verdict:
    """The agent's account exists, is nobody's, and nobody can log in to it."""
    entry = next((line for line in accounts(host) if line[0] == policy.host.account), None)
    if entry is None:
        return fail(f"there is no account {policy.host.account}")
    faults = [] if entry[6] in NO_SHELLS else [f"it has a shell, {entry[6]}"]
    faults += ["its uid is 0"] if entry[2] == "0" else []
    faults += [] if entry[2].isdigit() and int(entry[2]) < 1000 else [f"uid {entry[2]} is a person's"]
    return every(faults, f"uid {entry[2]}, {entry[6]}")


@check(
    "account-powerless",
    severity="high",
    unhardened="fail",
    why="A group can be a way to root that no list of users shows.",
    fix="hostkit bootstrap (play 10-account), or gpasswd -d it from the named groups and remove its sudoers line.",
)
def account_has_no_power(host: Host, policy: Policy) -> Verdict:
    """The agent's account is in no group that leads to root, and in no sudoers file."""
    name = policy.host.account
    if all(line[0] != name for line in accounts(host)):
        return fail(f"there is no account {name}")
    members = groups(host)
    faults = [f"group {group}" for group in _POWERFUL if name in members.get(group, ())]
    files = [path for path in ("/etc/sudoers", *host.glob("/etc/sudoers.d/*")) if host.stat(path) is not None]
    faults += [path for path in files if any(line.split()[:1] == [name] for line in host.read(path).splitlines())]
    return every(faults, "no powerful group, no sudo")
