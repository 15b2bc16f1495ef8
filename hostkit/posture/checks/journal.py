"""The journal: what happened here, kept within bounds."""

import re
import time

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.files import writable
from hostkit.posture.model import Verdict, check, every, fail

_KEPT = ("SystemMaxUse", "MaxRetentionSec")


@check(
    "journal-kept",
    severity="medium",
    unhardened="fail",
    why="Without it nobody can say what happened before the last reboot, and without bounds it fills the disk.",
    fix="hostkit bootstrap (play 50-journal).",
    play="50-journal",
    references=("NIST SP 800-53 AU-11",),
)
def journal_is_kept_within_bounds(host: Host, policy: Policy) -> Verdict:
    """The journal is on disk, kept over reboots, and has a size and an age at which it ends."""
    said = host.run("systemd-analyze", "cat-config", "systemd/journald.conf")
    lines = [line.partition("=") for line in said.splitlines() if not line.startswith("#")]
    settings = {key.strip(): value.strip() for key, _, value in lines}
    storage = settings.get("Storage", "auto")
    faults = [] if storage in {"auto", "persistent"} else [f"Storage is {storage}"]
    faults += [] if host.stat("/var/log/journal") else ["/var/log/journal is not there"]
    faults += [f"{key} is not set" for key in _KEPT if not settings.get(key)]
    return every(faults, ", ".join(f"{key} {settings.get(key)}" for key in _KEPT))


_DAY = 86400.0


@check(
    "journal-persistent",
    severity="medium",
    unhardened="ok fail unknown",
    why="A journal in memory is gone with the restart that whoever broke in will bring about.",
    fix="hostkit bootstrap (play 50-journal), then journalctl --flush; chmod o-rwx the files that are named.",
    play="50-journal",
    references=("CIS Debian 12 6.2.2.1", "NIST SP 800-53 AU-9"),
)
def the_journal_is_on_disk(host: Host, policy: Policy) -> Verdict:
    """The journal writes to the disk, has done so since this machine started, and is closed to others."""
    machine = host.read("/etc/machine-id").strip()
    if not re.fullmatch(r"[0-9a-f]{32}", machine):
        return fail("/etc/machine-id names no machine: its journal has no folder")
    live, folder = f"/run/log/journal/{machine}/system.journal", f"/var/log/journal/{machine}"
    facts = host.stat(f"{folder}/system.journal")
    if facts is None:
        return fail(f"{folder}/system.journal is not there")
    started = time.time() - float(host.read("/proc/uptime").split()[0])
    # One that is older was left over when the journal went to the disk.
    memory = host.stat(live)
    faults = [f"it is written in memory: {live}"] if memory and memory.modified > facts.modified else []
    silent = facts.modified < max(started - 60, time.time() - 2 * _DAY)
    faults += [f"nothing was written for {(time.time() - facts.modified) / 3600:.1f} h"] if silent else []
    paths = host.glob(f"{folder}/*.journal")
    there = {path: found for path in paths if (found := host.stat(path))}
    faults += [f"{path}: mode {found.mode:04o}" for path, found in there.items() if found.mode & 0o007]
    faults += writable(host, ["/var/log/journal", folder, *paths])
    return every(faults, f"{len(there)} files in {folder}")


_FORWARDERS = (
    *("systemd-journal-upload", "rsyslog", "syslog-ng", "vector", "fluent-bit", "fluentd", "filebeat", "promtail"),
    *("alloy", "otelcol", "otelcol-contrib", "wazuh-agent", "datadog-agent"),
)
_RSYSLOG = re.compile(r"(?m)^[^#\n]*(?:\s@@?[\w\[(]|\bom(?:fwd|relp)\b)")


@check(
    "journal-copy",
    severity="low",
    unhardened="ok fail unknown",
    why="Who takes this machine takes its records too, but for those that are elsewhere by then.",
    fix="Send the journal to another machine: systemd-journal-upload with its URL=, or rsyslog with an omfwd action;"
    " list the receiver under host.egress.",
    references=("CIS Debian 12 6.1.2.1.3", "NIST SP 800-53 AU-4(1)"),
)
def a_copy_goes_elsewhere(host: Host, policy: Policy) -> Verdict:
    """A service sends the journal to another machine; what arrives there is not looked at."""
    units = [f"{name}.service" for name in _FORWARDERS]
    states = host.run("systemctl", "show", "-P", "ActiveState", *units).split()
    running = [name for name, state in zip(_FORWARDERS, states, strict=False) if state == "active"]
    sending = [name for name in running if _sends(host, name)]
    idle = ", ".join(name for name in running if name not in sending)
    fault = f"{idle} runs, and sends nothing" if idle else "nothing sends it"
    return every([] if sending else [fault], ", ".join(sending))


def _sends(host: Host, name: str) -> bool:
    """Return whether a service that may also keep all to itself is told where to send; the others do nothing else."""
    if name == "rsyslog":
        paths = ["/etc/rsyslog.conf", *host.glob("/etc/rsyslog.d/*.conf")]
        return any(_RSYSLOG.search(host.read(path)) for path in paths if host.stat(path))
    if name == "systemd-journal-upload":
        paths = ["/etc/systemd/journal-upload.conf", *host.glob("/etc/systemd/journal-upload.conf.d/*.conf")]
        return any(re.search(r"(?m)^\s*URL\s*=\s*\S", host.read(path)) for path in paths if host.stat(path))
    return True
