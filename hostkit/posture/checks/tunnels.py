"""Ways in that this machine opens from inside: no firewall's inbound rules see them."""

import json
import re
from collections.abc import Iterator

from hostkit.errors import CannotTell
from hostkit.host import Host, Process, globbed
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every
from hostkit.posture.readings import all_processes, base_name, homes, words_of

_TUNNELS = frozenset(
    """
    bore chisel cloudflared code-tunnel devtunnel expose frpc frps gs-netcat inlets inlets-pro iodine localtunnel
    localxpose loclx ngrok outray pagekite pinggy playit playitd rathole sish telebit tmate tmole tunnelmole tunnelto
    upterm wstunnel zrok zrok2
    """.split()  # noqa: SIM905 - a list of words reads as one
)
"""Programs that do nothing else. `lt` is localtunnel's short name, and too short to be one without node before it."""
_ALONE = _TUNNELS | {"autossh"}
_TAILSCALE = {"tailscaled", "tailscale"}
_SHARES = {"funnel", "serve"}


def _tunnel(entry: Process) -> str:
    """Return the tunnel that a process is, empty if it is none."""
    names = words_of(entry)
    if found := names & _TUNNELS:
        return min(found)
    if "lt" in names and any(name.startswith("node") for name in names):
        return "localtunnel"
    bare = [word for word in entry.words[1:4] if not word.startswith("-")]
    if "tailscale" in names and _SHARES & set(bare):
        return f"tailscale {bare[0][:20]}"
    return "code tunnel" if names & {"code", "code-insiders", "cursor"} and bare[:1] == ["tunnel"] else ""


@check(
    "tunnels-running",
    severity="critical",
    unhardened="ok fail unknown",
    why="A tunnel hands a port of this machine to the internet, and every firewall takes it for traffic going out.",
    fix="Stop the named program and remove it; administration goes over the policy's management interface.",
    references=("NIST SP 800-53 SC-7",),
)
def no_public_tunnel_runs(host: Host, policy: Policy) -> Verdict:
    """No program runs that lets the internet in through a tunnel, and Tailscale shares no port."""
    running = all_processes(host)
    faults = sorted({f"{name} runs (pid {entry.pid})" for entry in running if (name := _tunnel(entry))})
    if not faults and any(words_of(entry) & _TAILSCALE for entry in running):
        faults = _shared(host)
    return every(faults, f"none of {len(running)} processes is one")


def _shared(host: Host) -> list[str]:
    """Return what Tailscale serves, to the tailnet or (by Funnel) to everybody."""
    try:
        plain = json.loads(host.run("tailscale", "serve", "status", "--json") or "{}")
        served = [str(place) for name in ("Web", "TCP", "Foreground", "Services") for place in plain.get(name) or ()]
        funnels = [f"tailscale funnel is open at {place}" for place in plain.get("AllowFunnel") or ()]
    except (ValueError, TypeError, AttributeError):
        raise CannotTell("what Tailscale serves cannot be read", "tailscale serve status --json") from None
    return funnels + [f"tailscale serves {place}" for place in served]


# getopt's string in OpenSSH's ssh.c: the letters that take a word.
_TAKING = set("BDEFIJLOPQRSWbceilmopw")
_OPENING = {"R": "a port of the far side leads here", "D": "a proxy for others", "w": "a tunnel device"}


def _options(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (letter, its word) of an ssh command line, up to the command that it runs over there."""
    rest, hosts = iter(words), 0
    for word in rest:
        if word == "--" or hosts > 1:
            return
        if not word.startswith("-"):
            hosts += 1
            continue
        letters = word[1:]
        for number, letter in enumerate(letters, 1):
            if letter in _TAKING:
                yield letter, letters[number:] or next(rest, "")
                break
            yield letter, ""


def _opens(words: tuple[str, ...]) -> str:
    """Return what an ssh command opens for others, empty if nothing."""
    options = list(_options(words))
    for letter, value in options:
        if letter in _OPENING:
            return f"-{letter} {value[:60]}: {_OPENING[letter]}"
        if letter == "L" and _wide(value, options):
            return f"-L {value[:60]}: a port here is open to the network"
        key, _, told = value.strip().replace("=", " ", 1).partition(" ")
        if letter == "o" and key.lower() in {"remoteforward", "tunnel"} and told.strip().lower() != "no":
            return f"-o {value[:60]}"
    return ""


def _wide(value: str, options: list[tuple[str, str]]) -> bool:
    """Return whether a port that -L forwards listens beyond loopback: [bind:]port:host:hostport."""
    parts = re.sub(r"\[[^\]]*\]", "x", value).split(":")
    if len(parts) > 3 or (len(parts) > 2 and "/" in parts[-1]):
        place = value[1:].partition("]")[0] if value.startswith("[") else value.partition(":")[0]
        return place not in {"127.0.0.1", "::1", "localhost"}
    gateway = re.compile(r"(?i)\s*gatewayports[\s=]+(yes|clientspecified)\s*")
    return any(letter == "g" or (letter == "o" and gateway.fullmatch(told)) for letter, told in options)


@check(
    "tunnels-ssh",
    severity="critical",
    unhardened="ok fail unknown",
    why="With one option ssh makes this machine, or its network, a neighbour of whatever is at the other end.",
    fix="End the named process, and take it out of what starts it (tunnels-boot names that).",
    references=("NIST SP 800-53 SC-7", "NIST SP 800-53 AC-17"),
)
def ssh_opens_nothing_for_others(host: Host, policy: Policy) -> Verdict:
    """No ssh that runs here lets the far side in, gives others a proxy or a port, or makes a tunnel device."""
    faults = []
    for entry in all_processes(host):
        names = words_of(entry)
        if "autossh" in names:
            faults.append(f"autossh runs (pid {entry.pid})")
        elif "ssh" in names and (opened := _opens(entry.words[1:65])):
            faults.append(f"ssh {opened} (pid {entry.pid})")
    return every(faults, "no ssh forwards for others")


_ROOTS = (
    "/etc/systemd/system/*.wants/*",
    "/etc/systemd/system/*.requires/*",
    "/etc/systemd/system/*.service.d/*.conf",
    "/etc/systemd/user/*.wants/*",
    "/etc/crontab",
    "/etc/cron.*/*",
    "/etc/rc.local",
    "/var/spool/cron/*",
    "/var/spool/cron/crontabs/*",
    "/etc/xdg/autostart/*.desktop",
)
_HOMES = (".config/systemd/user", ".config/autostart")
_ENABLED = re.compile(r"\.(wants|requires)/[^/]+$|\.service\.d/[^/]+\.conf$|\.desktop$")
_MOST, _LARGEST, _IN_ALL = 1500, 64 * 1024, 4 * 1024 * 1024
"""Files that are looked at, and octets of one and of all: anybody may fill their home."""


@check(
    "tunnels-boot",
    severity="high",
    unhardened="ok fail unknown",
    why="A tunnel that comes back at the next boot is open when nobody looks.",
    fix="systemctl disable --now the unit (systemctl --user for a person's), or take the line out of the crontab.",
    references=("NIST SP 800-53 SC-7",),
)
def no_tunnel_starts_by_itself(host: Host, policy: Policy) -> Verdict:
    """No enabled unit, user unit, crontab or autostart file starts a tunnel."""
    paths, unseen = _starters(host)
    left, faults = _IN_ALL, []
    for path in paths[:_MOST]:
        try:
            text = _text(host, path, min(left, _LARGEST))
        except CannotTell as why:
            unseen.append(str(why))
            continue
        left -= len(text)
        faults += [f"{path} starts {name}"] if (name := _starts(path, text)) else []
    unseen += [f"{len(paths)} files start something, and {_MOST} are read"] if len(paths) > _MOST else []
    if unseen and not faults:
        raise CannotTell(unseen[0], "sudo hostkit check")
    return every(faults, f"none of {len(paths)} files starts one")


def _starters(host: Host) -> tuple[list[str], list[str]]:
    """Return the files that start something by themselves, root's and everybody's, and what could not be listed."""
    found, unseen = [*globbed(host, _ROOTS)], []
    try:
        for tree in (f"{home}/{folder}" for home in homes(host) for folder in _HOMES):
            found += [path for path, _ in host.below(tree, _MOST) if _ENABLED.search(path)]
    except CannotTell as why:
        unseen.append(str(why))
    return found, unseen


def _text(host: Host, path: str, most: int) -> str:
    """Return what a file says, nothing if it is none; raise CannotTell if it is longer than that."""
    facts = host.stat(target := _target(host, path))
    if facts is None or facts.kind != "file":
        return ""
    if facts.size > most:
        raise CannotTell(f"{path} is too long to be read: {facts.size} bytes")
    return host.read(target)


def _starts(path: str, text: str) -> str:
    """Return the tunnel that a file starts, by its name or its words, empty if none."""
    unit = base_name(path).removesuffix(".service").partition("@")[0]
    if unit in _ALONE:
        return unit
    lines = [line for line in text.replace("\\\n", " ").split("\n") if not line.lstrip().startswith(("#", ";"))]
    return next((name for line in lines if (name := _named(line))), "")


def _target(host: Host, path: str) -> str:
    """Return where an enabled unit's link leads, at most one further: systemd makes no longer ones."""
    for _ in range(2):
        to = host.link(path)
        if to is None:
            return path
        path = to if to.startswith("/") else f"{path.rpartition('/')[0]}/{to}"
    return path


def _named(line: str) -> str:
    words = [word for word in re.split(r"[\s=;&|()\"'`]+", line) if word]
    bare = [base_name(word) for word in words]
    if found := set(bare) & _ALONE:
        return min(found)
    for number, name in enumerate(bare):
        after = words[number + 1 :]
        if name == "tailscale" and _SHARES & set(after[:3]):
            return "tailscale funnel or serve"
        if name == "ssh" and (opened := _opens(tuple(after[:64]))):
            return f"ssh {opened}"
    return ""
