"""Personal credentials of people, where the agent's account or a client could read them: one check for each family."""

import re

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.access import READ, WRITE, Reader, paths, untrusted
from hostkit.posture.homes import lying
from hostkit.posture.model import Verdict, check, every
from hostkit.posture.personal import Form
from hostkit.posture.readings import all_processes, once

_CLOSE = "Remove the file from this machine, or close it: chmod 600 the file, chmod 700 the home."
_REFERENCES = ("NIST SP 800-53 AC-6", "NIST SP 800-53 IA-5")
_LARGEST = 1024 * 1024
_MOST_PROCESSES = 5000


def _judged(host: Host, policy: Policy, family: str, more: list[str] | None = None) -> Verdict:
    """Return whether anything of a family is in the reach of those who are not trusted."""
    if not host.is_root:
        raise CannotTell("homes of others cannot be read without root", "sudo hostkit check")
    there, readers = lying(host), untrusted(host, policy)
    unseen, faults = list(there.unseen), list(more or [])
    for path, form in there.found[family]:
        try:
            faults += [path] if _reached(host, readers, path, form) else []
        except CannotTell as why:
            unseen.append(str(why))
    if unseen and not faults:
        raise CannotTell(f"not all could be looked at: {', '.join(unseen[:3])}", "look there by hand")
    return every(sorted(set(faults)), f"none in reach: {len(there.found[family])} in {there.homes} homes")


def _reached(host: Host, readers: tuple[Reader, ...], path: str, form: Form) -> bool:
    seen, bit = paths(host), WRITE if form.kind == "socket" else READ
    way = seen.way(path)
    facts = seen.facts(way[-1]) if way else None
    if facts is None or facts.kind != form.kind or not any(seen.may(reader, path, bit) for reader in readers):
        return False
    return not form.holds or facts.size > _LARGEST or re.search(form.holds, host.read(path)) is not None


@check(
    "credentials-cloud",
    severity="critical",
    unhardened="ok fail",
    why="With a person's cloud login the agent acts as that person, on everything that person may touch there.",
    fix=_CLOSE,
    references=_REFERENCES,
)
def no_cloud_login_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No person's login to a cloud or to a hosted model lies where the agent's account or a client could read it."""
    return _judged(host, policy, "cloud")


@check(
    "credentials-keys",
    severity="critical",
    unhardened="ok fail",
    why="A private key opens every machine that knows its other half, and nobody sees that it was copied.",
    fix=_CLOSE,
    references=_REFERENCES,
)
def no_private_key_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No private SSH, GPG, TLS or VPN key lies where the agent's account or a client could read it."""
    return _judged(host, policy, "keys")


@check(
    "credentials-sockets",
    severity="critical",
    unhardened="ok fail",
    why="Who may write to an ssh-agent's socket signs with every key that it holds, without ever reading one.",
    fix="Stop the forwarded agent, chmod 700 the folder of its socket, and start the agent without SSH_AUTH_SOCK.",
    references=_REFERENCES,
)
def no_key_agent_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No socket of a person's ssh-agent, gpg-agent or keyring is in reach, nor given to an agent's process."""
    return _judged(host, policy, "sockets", _lent(host, policy))


_SOCKETS, _SESSIONS = ("SSH_AUTH_SOCK", "GPG_AGENT_INFO"), ("OP_SESSION", "BW_SESSION")


def _lent(host: Host, policy: Policy) -> list[str]:
    """Return the sockets in agents' environments that are somebody else's."""
    readers = untrusted(host, policy)
    found = []
    for pid, name, place in _held(host, readers, _SOCKETS):
        facts = host.stat(f"/proc/{pid}/root{place}") if place.startswith("/") else None
        if facts and not any(facts.uid in reader.uids for reader in readers):
            found.append(f"process {pid} has {name} of uid {facts.uid}")
    return found


def _held(host: Host, readers: tuple[Reader, ...], names: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """Return (pid, name, socket's path) of the variables of these names that the readers' processes have."""
    told = _variables(host) if host.is_root else []
    return [
        (pid, name, place)
        for pid, uid, name, place in told
        if name.startswith(names) and any(uid in reader.uids for reader in readers)
    ]


@once
def _variables(host: Host) -> list[tuple[int, int, str, str]]:
    """Return (pid, uid, name, path) of each such variable of all but root's processes; a session's value is dropped."""
    running = [entry for entry in all_processes(host) if entry.uid]
    if len(running) > _MOST_PROCESSES:
        raise CannotTell(f"there are {len(running)} processes besides root's, too many to look at")
    return [
        (entry.pid, entry.uid, name, value.partition(":")[0][:4096] if name in _SOCKETS else "")
        for entry in running
        for name, _, value in (line.partition("=") for line in _environ(host, entry.pid).split("\0"))
        if name.startswith((*_SOCKETS, *_SESSIONS))
    ]


def _environ(host: Host, pid: int) -> str:
    try:
        return host.read(f"/proc/{pid}/environ")
    except CannotTell:
        if host.stat(f"/proc/{pid}") is None:  # it ended since it was listed
            return ""
        raise


@check(
    "credentials-git",
    severity="critical",
    unhardened="ok fail",
    why="A person's token pushes to every repository of that person, and what is pushed runs elsewhere.",
    fix=_CLOSE,
    references=_REFERENCES,
)
def no_git_login_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No person's git, GitHub or GitLab login, stored or cached by a helper, is in reach."""
    return _judged(host, policy, "git")


@check(
    "credentials-packages",
    severity="high",
    unhardened="ok fail",
    why="A token that publishes packages runs the agent's code on every machine that installs them.",
    fix=_CLOSE,
    references=_REFERENCES,
)
def no_registry_token_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No person's token for a registry of packages or models is in reach."""
    return _judged(host, policy, "packages")


@check(
    "credentials-warehouses",
    severity="critical",
    unhardened="ok fail",
    why="A person's warehouse login reads every client's data, past the role and the gateway made for one.",
    fix=_CLOSE,
    references=_REFERENCES,
)
def no_database_login_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No person's login to a database or warehouse, dbt's profiles included, is in reach."""
    return _judged(host, policy, "warehouses")


@check(
    "credentials-browsers",
    severity="critical",
    unhardened="ok fail",
    why="A browser's cookies are its person's open sessions, second factor passed.",
    fix="Remove the profile: nobody browses on an agent's host. At least chmod 700 the home.",
    references=_REFERENCES,
)
def no_browser_profile_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No person's browser profile, with its cookies and saved passwords, is in reach."""
    return _judged(host, policy, "browsers")


@check(
    "credentials-keyrings",
    severity="critical",
    unhardened="ok fail",
    why="A keyring holds all the other credentials; a session of a password manager opens it without the password.",
    fix=f"{_CLOSE} Start agents without a session of a password manager; give them a service account's token.",
    references=_REFERENCES,
)
def no_keyring_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No person's keyring or password store is in reach, and no agent's process holds a session of one."""
    held = _held(host, untrusted(host, policy), _SESSIONS)
    return _judged(host, policy, "keyrings", [f"process {pid} has a session in its environment" for pid, *_ in held])


@check(
    "credentials-clusters",
    severity="critical",
    unhardened="ok fail",
    why="A kubeconfig is often a cluster's administrator, and a registry's login replaces the images that others run.",
    fix=_CLOSE,
    references=_REFERENCES,
)
def no_cluster_login_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No person's login to a cluster or to a registry of images is in reach."""
    return _judged(host, policy, "clusters")


@check(
    "credentials-passwords",
    severity="high",
    unhardened="ok fail",
    why="Tools take passwords from such files unasked, so whoever reads them logs in as that person.",
    fix=f"{_CLOSE} A share's password in /etc/fstab belongs in a file of root's, by credentials=.",
    references=_REFERENCES,
)
def no_stored_password_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No file of stored passwords (netrc, rclone, shares, VPN, Wi-Fi, mail) is in reach."""
    return _judged(host, policy, "passwords")


@check(
    "credentials-history",
    severity="medium",
    unhardened="ok fail",
    why="People type passwords and tokens, and a shell's history keeps them along with the names of other machines.",
    fix=_CLOSE,
    references=_REFERENCES,
)
def no_history_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No person's history of a shell, an interpreter or a database client is in reach."""
    return _judged(host, policy, "history")
