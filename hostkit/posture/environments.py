"""What the environments of running programs hold, as the kernel shows them to root."""

from collections.abc import Iterable

from hostkit.errors import CannotTell
from hostkit.host import Host, Process
from hostkit.posture import forms
from hostkit.posture.boxes import shown

_MOST_READ, _MOST_JUDGED = 64 * 1024 * 1024, 4 * 1024 * 1024
"""Characters of environments: most processes have theirs from their parents, and what many have is judged once."""
_LONGEST = 1024 * 1024
"""Characters of one: what the host reads of a file, 4 MiB, can be as few, and the rest would not be seen."""


def told(host: Host, running: Iterable[Process]) -> tuple[list[str], str]:
    """Return which environments of accounts but root's hold secrets, and what could not be read of them."""
    known: dict[str, list[str]] = {}
    found: list[str] = []
    read = judged = 0
    for process in running:
        environment = _environment(host, process) if process.uid else ""
        if environment is None:
            return found, f"the environment of process {process.pid} cannot be read"
        read += len(environment)
        entries = [entry for entry in set(environment.split("\0")) if entry not in known]
        judged += sum(map(len, entries))
        if len(environment) >= _LONGEST or read > _MOST_READ or judged > _MOST_JUDGED:
            return found, "there are more environments than are read"
        known.update((entry, forms.kinds(entry)) for entry in entries)
        seen = sorted({kind for entry in environment.split("\0") for kind in known[entry]}) if environment else []
        found += [f"{shown(process.name)} ({process.pid}): {kind} in its environment" for kind in seen]
    return found, ""


def _environment(host: Host, process: Process) -> str | None:
    """Return a process's environment, empty if it has ended meanwhile, None if it cannot be read."""
    path = f"/proc/{process.pid}/environ"
    try:
        return host.read(path)
    except CannotTell:
        return None if host.stat(path) is not None else ""
