"""Agents that run outside any sandbox: as a process, a service, a container, or that left their folder in a home."""

import itertools
from collections.abc import Iterable, Iterator

from hostkit import engine
from hostkit.errors import CannotTell
from hostkit.host import Host, Process, globbed
from hostkit.policy import Policy
from hostkit.posture.boxes import hosts_own, namespace, shown
from hostkit.posture.known import AGENTS, agent_of, image_of, line_of, service_of
from hostkit.posture.model import Verdict, check, every
from hostkit.posture.readings import all_processes, containers, homes, named

_BOTH = ("linux", "darwin")


@check(
    "agents-processes",
    severity="critical",
    unhardened="ok fail unknown",
    why="An agent outside a sandbox has the files, keys and network of whoever started it, and no gateway before it.",
    fix="Stop it, and run it as a client of the policy: hostkit launch.",
    platforms=_BOTH,
    references=("NIST SP 800-53 SC-39",),
)
def no_agent_runs_outside_a_sandbox(host: Host, policy: Policy) -> Verdict:
    """No known agent runs outside a sandbox, on the host or in a stranger's container."""
    found = [(p, agent) for p in all_processes(host) if (agent := agent_of(p.words, p.name))]
    spaces = _spaces(host) if found else {}
    faults = [f"{agent} (pid {p.pid}, uid {p.uid}){where}" for p, agent in found if (where := _where(host, p, spaces))]
    return every(faults, "no agent runs but in a sandbox" if found else "no known agent runs")


def _spaces(host: Host) -> dict[str, str]:
    """Return for each container's process namespace its name, empty for a sandbox's: one that is not the host's."""
    if host.platform != "linux":
        return {}
    own, found = hosts_own(host, "pid"), {}
    for document in containers():
        pid = (document.get("State") or {}).get("Pid")
        space = namespace(host, pid, "pid") if pid else ""
        if space and space not in own:
            found[space] = "" if engine.owner(document) else shown(named(document))
    return found


def _where(host: Host, process: Process, spaces: dict[str, str]) -> str:
    """Return where an agent runs outside a sandbox, empty if it runs in one or has ended since."""
    if host.platform != "linux":
        return " on this Mac"
    space = host.link(f"/proc/{process.pid}/ns/pid")
    if not space:
        return ""
    if space in spaces:
        return f" in {spaces[space]}" if spaces[space] else ""
    return " on the host" if space in hosts_own(host, "pid") else " in a namespace of its own"


@check(
    "agents-containers",
    severity="critical",
    unhardened="ok fail",
    why="An agent in a container that hostkit did not launch has no gateway, no records, and whatever was mounted.",
    fix="Remove the container, and make it a client of the policy: hostkit launch.",
    platforms=_BOTH,
    references=("NIST SP 800-53 SC-39",),
)
def no_agent_has_a_container_of_its_own(host: Host, policy: Policy) -> Verdict:
    """No container holds a known agent but those that hostkit launched; one that is stopped counts."""
    faults = []
    for document in containers():
        config = document.get("Config") or {}
        words = (str(document.get("Path") or ""), *map(str, document.get("Args") or ()))
        agent = image_of(str(config.get("Image") or "")) or agent_of(words)
        state = str((document.get("State") or {}).get("Status") or "")
        faults += [f"{shown(named(document))}: {agent}, {state}"] if agent and not engine.owner(document) else []
    return every(faults, "none")


@check(
    "agents-state",
    severity="medium",
    unhardened="ok fail unknown",
    why="Where an agent left its folder it has run with that account's powers; its sessions and keys are still there.",
    fix="Move what is needed into the client's sandbox, delete the folder, and rotate the keys that were in it.",
    platforms=_BOTH,
)
def no_agent_left_its_folder(host: Host, policy: Policy) -> Verdict:
    """No home holds the folder or the settings of a known agent."""
    places = [f"{home}/{state}" for home in homes(host) for agent in AGENTS for state in agent.state]
    found = [path for path in places if host.stat(path) is not None]
    return every(map(shown, found), f"{len(homes(host))} homes, none with an agent's folder")


_UNITS = (
    *("/etc/systemd/system/*.service", "/etc/systemd/system/*.service.d/*.conf", "/run/systemd/system/*.service"),
    *(
        "/usr/local/lib/systemd/system/*.service",
        "/etc/systemd/user/*.service",
        "/usr/local/lib/systemd/user/*.service",
    ),
)
_PACKAGED = ("/usr/lib/systemd/system/*.service", "/usr/lib/systemd/user/*.service")
"""Hundreds of the distribution's: judged by name, not read."""
_CRON = ("/etc/crontab", "/etc/cron.d/*", "/var/spool/cron/crontabs/*", "/etc/cron.hourly/*", "/etc/cron.daily/*",
         "/etc/cron.weekly/*", "/etc/anacrontab", "/var/spool/cron/*")  # fmt: skip
_LAUNCHD = ("/Library/LaunchDaemons/*.plist", "/Library/LaunchAgents/*.plist")
_IN_HOMES = {
    "linux": (".config/systemd/user/*.service", ".config/autostart/*.desktop", ".local/share/systemd/user/*.service"),
    "darwin": ("Library/LaunchAgents/*.plist",),
}
_LARGEST, _FILES, _LINES = 64 * 1024, 2000, 2000


@check(
    "agents-services",
    severity="high",
    unhardened="ok fail unknown",
    why="A service brings an agent back after every stop and every boot, outside its sandbox.",
    fix="Disable and remove it: systemctl disable --now, crontab -e or launchctl bootout; run the agent by hostkit.",
    platforms=_BOTH,
    references=("NIST SP 800-53 CM-7",),
)
def no_service_starts_an_agent(host: Host, policy: Policy) -> Verdict:
    """No unit, crontab, autostart entry or launchd job starts a known agent."""
    people = [f"{home}/{form}" for home in homes(host) for form in _IN_HOMES[host.platform]]
    system = (*_UNITS, *_CRON) if host.platform == "linux" else _LAUNCHD
    found = list(itertools.islice(_files(host, (*system, *people)), _FILES + 1))
    if len(found) > _FILES:
        raise CannotTell(f"more than {_FILES} units and crontabs are there", "remove what nobody uses")
    packaged = globbed(host, _PACKAGED) if host.platform == "linux" else ()
    named_so = [(path, service_of(path.rpartition("/")[2])) for path in (*packaged, *found)]
    faults = [f"{shown(path)}: {agent}" for path, agent in named_so if agent]
    faults += [f"{shown(path)}: {agent}" for path in found if (agent := _starts(host, path))]
    return every(dict.fromkeys(faults), f"{len(found)} units and crontabs, none starts an agent")


def _files(host: Host, patterns: Iterable[str]) -> Iterator[str]:
    """Return what matches; a link that ends in no file is nobody's service, and a pipe would never be read through."""
    for path in itertools.chain.from_iterable(host.glob(pattern) for pattern in patterns):
        facts, place = host.stat(path), path
        if facts is not None and facts.kind == "link" and (target := host.link(path)):
            place = target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}"
            facts = host.stat(place)
        if facts is not None and facts.kind == "file":
            yield place


def _starts(host: Host, path: str) -> str:
    facts = host.stat(path)
    if facts is not None and facts.size > _LARGEST:
        raise CannotTell(f"{shown(path)} is {facts.size} bytes: no service is described in so many", f"less {path}")
    lines = host.read(path).splitlines()
    return next((agent for line in lines[:_LINES] if (agent := line_of(line))), "")
