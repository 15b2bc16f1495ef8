"""The account that owns the agent's side of this host."""

import re

from hostkit.errors import CannotTell
from hostkit.host import NO_SHELLS, FileFacts, Host, accounts
from hostkit.policy import Policy
from hostkit.posture.access import paths
from hostkit.posture.homes import people
from hostkit.posture.model import Verdict, check, every, fail, ok
from hostkit.posture.readings import groups, sshd, sshd_for

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
    play="10-account",
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


def _out(host: Host, policy: Policy) -> tuple[tuple[str, ...], ...]:
    name, members = policy.host.account, groups(host)
    return tuple(("gpasswd", "--delete", name, group) for group in _POWERFUL if name in members.get(group, ()))


@check(
    "account-powerless",
    severity="high",
    unhardened="fail",
    why="A group can be a way to root that no list of users shows.",
    fix="hostkit bootstrap (play 10-account), or gpasswd -d it from the named groups and remove its sudoers line.",
    play="10-account",
    mend=_out,
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


def _entry(host: Host, policy: Policy) -> list[str] | None:
    """Return the line of /etc/passwd that makes the agent's account."""
    return next((line for line in accounts(host) if line[0] == policy.host.account), None)


def _shadow(host: Host) -> dict[str, str]:
    """Return each account's password as it is kept, which is not told to anybody."""
    if not host.is_root:
        raise CannotTell("/etc/shadow is root's", "sudo hostkit check")
    lines = [line.split(":") for line in host.read("/etc/shadow").splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 9}


def _lock(host: Host, policy: Policy) -> tuple[tuple[str, ...], ...]:
    return (("usermod", "--lock", policy.host.account),) if _entry(host, policy) else ()


@check(
    "account-locked",
    severity="high",
    unhardened="fail",
    why="A password is a way to become the agent's account from any other, by su or by a service.",
    fix="hostkit bootstrap (play 10-account), or usermod --lock the account.",
    play="10-account",
    mend=_lock,
    references=("CIS Debian 12 5.4.2.8", "NIST SP 800-53 AC-2"),
)
def account_has_no_password(host: Host, policy: Policy) -> Verdict:
    """The agent's account has no password that anybody could give: it is locked."""
    entry = _entry(host, policy)
    if entry is None:
        return fail(f"there is no account {policy.host.account}")
    if entry[1] != "x":
        kept = entry[1]
    elif (found := _shadow(host).get(entry[0])) is not None:
        kept = found
    else:
        raise CannotTell(f"/etc/shadow says nothing of {entry[0]}", "pwck -r")
    if not kept:
        return fail("its password is empty")
    return ok("locked") if kept[0] in "!*" else fail("it has a password")


@check(
    "account-keys",
    severity="high",
    unhardened="ok fail unknown",
    why="A key in the agent's home is a way in that outlives every password, and the agent itself could put one there.",
    fix="Remove the named file, or name the account under DenyUsers in sshd's configuration.",
    references=("NIST SP 800-53 AC-2",),
)
def account_lets_no_key_in(host: Host, policy: Policy) -> Verdict:
    """No SSH key logs in as the agent's account, by what sshd says of where it looks for that account's."""
    entry = _entry(host, policy)
    if entry is None:
        return fail(f"there is no account {policy.host.account}")
    if sshd(host) is None:
        return ok("no SSH server")
    settings = sshd_for(host, entry[0])
    if entry[0] in settings.get("denyusers", ()):
        return ok("sshd denies it by name")
    forms = " ".join(settings.get("authorizedkeysfile", ())).split()
    if not forms:
        raise CannotTell("sshd does not say where it looks for keys")
    places = [_keys_file(form, entry) for form in forms if form != "none"]
    faults = [place for place in places if host.stat(place) is not None]
    asked = [key for key in _ELSEWHERE if settings.get(key, ("none",))[0] != "none"]
    if asked and not faults:
        raise CannotTell(f"sshd has {' and '.join(asked)}, and whom that lets in is not known", "DenyUsers tells")
    return every(faults, f"nothing at {', '.join(places) or 'any place'}")


_ELSEWHERE = ("authorizedkeyscommand", "trustedusercakeys")


def _keys_file(form: str, entry: list[str]) -> str:
    """Return the path that sshd makes of a form: %h is the home, %u the name, %U the uid."""
    told = {"%h": entry[5], "%u": entry[0], "%U": entry[2], "%%": "%"}
    path = re.sub("%[huU%]", lambda found: told[found[0]], form)
    return path if path.startswith("/") else f"{entry[5].rstrip('/')}/{path}"


_SUDO = ("/usr/bin/sudo", "/usr/local/bin/sudo")
_DOAS = ("/etc/doas.conf", "/etc/opendoas.conf", "/usr/local/etc/doas.conf")


@check(
    "account-sudo",
    severity="critical",
    unhardened="fail unknown",
    why="Any command that the agent's account may run as root is a way to be root, by its arguments or its pager.",
    fix="hostkit bootstrap (play 10-account); sudo -l -U the account names the rule, by a group or ALL too.",
    play="10-account",
    references=("NIST SP 800-53 AC-6",),
)
def account_may_run_nothing_as_another(host: Host, policy: Policy) -> Verdict:
    """Neither sudo nor doas lets the agent's account run anything, by sudo's own account of all its rules."""
    name = policy.host.account
    if _entry(host, policy) is None:
        return fail(f"there is no account {name}")
    if not host.is_root:
        raise CannotTell("sudo tells another account's rules to root only", "sudo hostkit check")
    faults = [f"{path}: {line}" for path in _DOAS if host.stat(path) for line in _doas(host, path, name)]
    if all(host.stat(path) is None for path in _SUDO):
        return every(faults, "no sudo here")
    said = host.run("sudo", "-n", "-l", "-U", name)
    if "may run the following" in said:
        faults += [line.strip() for line in said.partition("may run the following")[2].splitlines()[1:] if line.strip()]
    elif not re.search(rf"\b{re.escape(name)} is not allowed to run sudo", said):
        raise CannotTell("what sudo says is not understood", f"sudo -l -U {name}")
    return every(faults, "sudo allows it nothing")


def _doas(host: Host, path: str, name: str) -> list[str]:
    """Return the rules of doas that permit something to an account or to one of its groups."""
    who = {name, *(f":{group}" for group, members in groups(host).items() if name in members)}
    lines = [" ".join(line.partition("#")[0].split()) for line in host.read(path).splitlines()]
    return [line for line in lines if line.startswith("permit ") and who & set(line.split())]


@check(
    "account-root",
    severity="critical",
    unhardened="ok fail",
    why="A second name for uid 0 is root with a password and a shell of its own.",
    fix="Give the named account another uid with usermod, or remove it.",
    references=("CIS Debian 12 5.4.2.1", "NIST SP 800-53 AC-6"),
)
def only_root_is_root(host: Host, policy: Policy) -> Verdict:
    """The only account with uid 0 is root."""
    entries = [line.split(":") for line in host.read("/etc/passwd").splitlines()]
    names = [line[0] for line in entries if len(line) > 2 and re.fullmatch(r"\s*[+-]?0+\s*", line[2])]
    if not names:
        raise CannotTell("/etc/passwd shows no root")
    return every([name for name in names if name != "root"], "root")


def _people(host: Host) -> list[tuple[str, FileFacts]]:
    """Return the homes of people, where their paths end."""
    seen = paths(host)
    places = sorted({way[-1] for home in people(host) if (way := seen.way(home))} - {"/"})
    return [(place, facts) for place in places if (facts := seen.facts(place))]


def _closed(host: Host, policy: Policy) -> tuple[tuple[str, ...], ...]:
    open_to = [place for place, facts in _people(host) if facts.mode & 0o027]
    return (("chmod", "--", "g-w,o-rwx", *open_to),) if open_to else ()


@check(
    "account-homes",
    severity="high",
    unhardened="ok fail",
    why="Behind a closed home every file in it is out of the agent's reach, whatever its own mode.",
    fix="chmod g-w,o-rwx each named home.",
    mend=_closed,
    references=("CIS Debian 12 7.2.9", "NIST SP 800-53 AC-6"),
)
def homes_are_closed(host: Host, policy: Policy) -> Verdict:
    """The home of everyone who can log in is closed to others: mode 0750 or tighter."""
    people = _people(host)
    faults = [f"{place} is {facts.mode:04o}" for place, facts in people if facts.mode & 0o027]
    return every(faults, f"{len(people)} homes")


@check(
    "account-passwords",
    severity="critical",
    unhardened="ok fail",
    why="An account without a password is one that every process here may become.",
    fix="passwd --lock each named account, or give it a password; pwconv moves one out of /etc/passwd.",
    references=("CIS Debian 12 7.2.1", "CIS Debian 12 7.2.2", "NIST SP 800-53 IA-5"),
)
def no_password_is_empty(host: Host, policy: Policy) -> Verdict:
    """No account has an empty password, nor one in /etc/passwd that everybody can read."""
    kept, entries = _shadow(host), accounts(host)
    faults = [f"{name} has an empty password" for name, word in kept.items() if not word]
    faults += [f"{line[0]} needs no password" for line in entries if not line[1]]
    faults += [f"{line[0]}'s password is in /etc/passwd" for line in entries if line[1] and line[1][0] not in "x!*"]
    if not kept:
        raise CannotTell("/etc/shadow shows no account", "pwck -r")
    return every(faults, f"{len(kept)} accounts")


_TABLES = ("/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs")
_JOBS = ("/var/spool/cron/atjobs", "/var/spool/at")
_LINGER = "/var/lib/systemd/linger"


@check(
    "account-cron",
    severity="medium",
    unhardened="ok fail",
    why="A job of the agent's account runs again outside every sandbox, and survives its client's removal.",
    fix="crontab -r -u the account, atrm its jobs, loginctl disable-linger it.",
    references=("NIST SP 800-53 CM-7",),
)
def account_leaves_nothing_to_run(host: Host, policy: Policy) -> Verdict:
    """The agent's account has no crontab, no at job and no lingering session that would start something for it."""
    if not host.is_root:
        raise CannotTell("the tables of cron and at are root's", "sudo hostkit check")
    entry = _entry(host, policy)
    if entry is None:
        return fail(f"there is no account {policy.host.account}")
    faults = [path for folder in (*_TABLES, _LINGER) if host.stat(path := f"{folder}/{entry[0]}")]
    for path in (f"{folder}/{name}" for folder in _JOBS for name in host.names(folder)):
        facts = host.stat(path)
        faults += [path] if facts and facts.kind == "file" and str(facts.uid) == entry[2] else []
    return every(faults, "no crontab, no job, no lingering session")
