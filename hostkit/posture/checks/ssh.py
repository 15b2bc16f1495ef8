"""SSH, by the values that sshd itself says it goes by."""

import fnmatch
import re

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, ok
from hostkit.posture.readings import sshd

_KEYS = {
    "passwordauthentication": {"no"},
    "kbdinteractiveauthentication": {"no"},
    "permitemptypasswords": {"no"},
    "permitrootlogin": {"no", "prohibit-password", "without-password", "forced-commands-only"},
    "permituserenvironment": {"no"},
}
_QUIET = {"allowagentforwarding": {"no"}, "x11forwarding": {"no"}, "permittunnel": {"no"}}


def _judged(host: Host, wanted: dict[str, set[str]]) -> Verdict:
    settings = sshd(host)
    if settings is None:
        return ok("no SSH server")
    found = {key: values[0] for key, values in settings.items()}
    faults = [f"{key} {found.get(key, 'is not said')}" for key, good in wanted.items() if found.get(key) not in good]
    return every(faults, ", ".join(f"{key} {found[key]}" for key in wanted if key in found))


@check(
    "ssh-keys",
    severity="high",
    unhardened="ok fail",
    why="A password can be guessed, told, or read from a ticket; a key has to be stolen.",
    fix="hostkit bootstrap (play 30-ssh).",
    play="30-ssh",
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
    play="30-ssh",
)
def ssh_forwards_nothing_of_the_administrators(host: Host, policy: Policy) -> Verdict:
    """SSH forwards no agent, no display and no network; at strict no TCP either."""
    return _judged(host, _quiet(policy))


def _quiet(policy: Policy) -> dict[str, set[str]]:
    return _QUIET | ({"allowtcpforwarding": {"no"}} if policy.host.profile == "strict" else {})


_CONFIG = "/etc/ssh/sshd_config"
_MOST_FILES = 200


@check(
    "ssh-exceptions",
    severity="high",
    unhardened="ok fail unknown",
    why="sshd tells its settings for nobody in particular; a Match block changes them for the very one who asks.",
    fix="Take the named line out of its Match block.",
    references=("NIST SP 800-53 AC-17",),
)
def no_match_block_opens_again(host: Host, policy: Policy) -> Verdict:
    """No Match block of sshd's configuration allows anybody what is denied to all."""
    if sshd(host) is None:
        return ok("no SSH server")
    wanted = _KEYS | _quiet(policy)
    blocks = [(path, key, value) for path, key, value in _exceptions(host) if key in wanted]
    faults = [f"{path}: {key} {value}" for path, key, value in blocks if value.lower() not in wanted[key]]
    return every(faults, "no exception")


def _exceptions(host: Host) -> list[tuple[str, str, str]]:
    """Return (file, key, value) of each setting in a Match block; an included file goes on in the block it is in."""
    found: list[tuple[str, str, str]] = []
    left: list[tuple[str, bool]] = [(_CONFIG, False)]
    read = 0
    while left:
        path, inside = left.pop()
        read += 1
        if read > _MOST_FILES:
            raise CannotTell(f"{_CONFIG} includes more than {_MOST_FILES} files")
        for line in host.read(path).splitlines():
            key, value = _setting(line)
            if key == "match":
                inside = value.lower() != "all"
            elif key == "include":
                left += [(name, inside) for form in value.split() for name in _included(host, form)]
            elif inside:
                found.append((path, key, value))
    return found


_SAME = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
}


def _setting(line: str) -> tuple[str, str]:
    match = re.fullmatch(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*", line)
    if not match or line.lstrip().startswith("#"):
        return "", ""
    key, value = match[1].lower(), re.sub(r"\s+#.*", "", match[2])
    return _SAME.get(key, key), value.strip('"')


def _included(host: Host, form: str) -> tuple[str, ...]:
    path = form.strip('"')
    path = path if path.startswith("/") else f"/etc/ssh/{path}"
    return host.glob(path) if set("*?[") & set(path) else (path,)


@check(
    "ssh-attempts",
    severity="medium",
    unhardened="ok fail",
    why="An always-on machine is knocked at all day; each connection gets few tries and little time.",
    fix="hostkit bootstrap (play 30-ssh).",
    play="30-ssh",
    references=("CIS Debian 12 5.1.13", "CIS Debian 12 5.1.16", "NIST SP 800-53 AC-7"),
)
def ssh_gives_few_tries(host: Host, policy: Policy) -> Verdict:
    """A connection to sshd gets at most four tries and a minute, and at most a hundred wait unknown at once."""
    settings = sshd(host)
    if settings is None:
        return ok("no SSH server")
    tries, grace = _number(settings, "maxauthtries"), _number(settings, "logingracetime")
    waiting = _number(settings, "maxstartups", -1)
    faults = [f"maxauthtries {tries}"] if tries > 4 else []
    faults += [f"logingracetime {grace}"] if not 0 < grace <= 60 else []
    faults += [f"maxstartups lets {waiting} wait"] if waiting > 100 else []
    return every(faults, f"{tries} tries in {grace} s")


def _number(settings: dict[str, tuple[str, ...]], key: str, place: int = 0) -> int:
    words = settings.get(key, ("",))[0].split(":")
    if not words[place].isdigit():
        raise CannotTell(f"sshd says no number for {key}")
    return int(words[place])


_WEAK = {
    "ciphers": ("*-cbc", "*-cbc@*", "arcfour*", "none"),
    "macs": ("*md5*", "*sha1*", "*ripemd*", "umac-64*", "none"),
    "kexalgorithms": ("*sha1", "*-sha1-*", "diffie-hellman-group1-*"),
    "hostkeyalgorithms": ("ssh-dss*", "ssh-rsa", "ssh-rsa-cert*"),
    "pubkeyacceptedalgorithms": ("ssh-dss*", "ssh-rsa", "ssh-rsa-cert*"),
}


@check(
    "ssh-crypto",
    severity="medium",
    unhardened="ok fail",
    why="Whoever sits on the network between an administrator and this machine picks the weakest that both sides take.",
    fix="hostkit bootstrap (play 30-ssh).",
    play="30-ssh",
    references=("CIS Debian 12 5.1.6", "CIS Debian 12 5.1.12", "CIS Debian 12 5.1.15", "NIST SP 800-53 SC-8"),
)
def ssh_offers_nothing_weak(host: Host, policy: Policy) -> Verdict:
    """Sshd takes no cipher, MAC, key exchange or signature that is broken or shorter than 112 bits."""
    settings = sshd(host)
    if settings is None:
        return ok("no SSH server")
    faults, offered = [], 0
    for key, forms in _WEAK.items():
        names = [name for value in settings.get(key, ()) for name in value.split(",") if name]
        if not names:
            raise CannotTell(f"sshd does not say its {key}")
        offered += len(names)
        faults += [f"{key} {name}" for name in names if any(fnmatch.fnmatchcase(name, form) for form in forms)]
    return every(faults, f"{offered} algorithms, none weak")


_SHORTEST = {"RSA": 3072, "ECDSA": 256, "ED25519": 256}


@check(
    "ssh-hostkeys",
    severity="medium",
    unhardened="ok fail",
    why="Whoever holds or finds the host's key can stand in for this machine towards its administrators.",
    fix="Remove the named key, ssh-keygen -A, chmod 600 it; then tell the administrators its new fingerprint.",
    references=("CIS Debian 12 5.1.2", "NIST SP 800-53 SC-12"),
)
def host_keys_are_strong(host: Host, policy: Policy) -> Verdict:
    """Every host key of sshd is Ed25519, ECDSA or RSA of 3072 bits or more, and root's alone to read."""
    settings = sshd(host)
    if settings is None:
        return ok("no SSH server")
    files = [path for path in settings.get("hostkey", ()) if host.stat(path) is not None]
    if not files:
        raise CannotTell("sshd names no host key that is there")
    return every([fault for path in files for fault in _key_faults(host, path)], f"{len(files)} keys")


def _key_faults(host: Host, path: str) -> list[str]:
    facts = host.stat(path)
    words = host.run("ssh-keygen", "-l", "-f", path).split()
    if len(words) < 3 or not words[0].isdigit():
        raise CannotTell(f"what ssh-keygen says of {path} is not understood")
    kind, bits = words[-1].strip("()"), int(words[0])
    faults = [] if bits >= _SHORTEST.get(kind, bits + 1) else [f"{path} is {kind} of {bits} bits"]
    closed = facts is None or (facts.uid == 0 and not facts.mode & 0o077)
    return faults if closed else [*faults, f"{path} is mode {facts.mode:04o} of uid {facts.uid}" if facts else path]
