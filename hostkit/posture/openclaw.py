"""OpenClaw on a host: where it is installed, which homes hold its state, and what its own audit says of one."""

import json
import re
from dataclasses import dataclass
from typing import Any

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.posture.boxes import shown
from hostkit.posture.readings import homes, once

STATE = (".openclaw", ".clawdbot", ".moldbot", ".moltbot")
NAMES = ("openclaw", "clawdbot", "moltbot")
"""Its names: its own, then those it had."""
_PREFIXES = ("/usr", "/usr/local", "/opt/homebrew", "/opt/openclaw")
_HOME_PREFIXES = (
    *(".npm-global", ".local", ".openclaw", ".openclaw/tools/*", ".nvm/versions/node/*", ".asdf/installs/nodejs/*"),
    *(".volta/tools/image/packages/openclaw", ".local/share/mise/installs/node/*", ".bun/install/global"),
)
_ODD = re.compile(r"[,:\\\s]")
"""What a path must not hold, for a mount takes it as one option of several."""
_MOST = 1024 * 1024
_SECONDS = 60

# The audit makes files in the state it looks at, may reach out, and belongs to whom the state does. So it runs as that
# account, without a network and without a process that could outlive it, and what it writes goes to a layer in memory.
_AUDIT = """\
set -e
home=$1 uid=$2 gid=$3 node=$4; shift 4
mount -t tmpfs -o mode=0711,size=256m hostkit /mnt
mkdir /mnt/over /mnt/work
chmod --reference="$home" /mnt/over
chown --reference="$home" /mnt/over
mount -t overlay -o "lowerdir=$home,upperdir=/mnt/over,workdir=/mnt/work" hostkit "$home"
mount -t tmpfs -o mode=1777,size=64m hostkit /tmp
cd /
setpriv --reuid="$uid" --regid="$gid" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
  env -i HOME="$home" PATH="${node%/*}:/usr/local/bin:/usr/bin:/bin" LC_ALL=C NO_COLOR=1 \\
  "$node" "$@" 2>/dev/null </dev/null | head -c 1048576
"""
_ALONE = ("--mount", "--propagation", "private", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass(frozen=True)
class Install:
    """A package of it: `home` is the one it lies in, empty for one of the system; `version` as its package says."""

    folder: str
    name: str
    home: str
    version: str


@once
def installs(host: Host) -> tuple[Install, ...]:
    """Return every package of it under the usual prefixes, of the system and of each home."""
    places = [(prefix, "") for prefix in _PREFIXES]
    in_homes = [(f"{home}/{prefix}", home) for home in homes(host) for prefix in _HOME_PREFIXES]
    places += [place for place in in_homes if host.stat(place[0].partition("/*")[0]) is not None]
    found = []
    for prefix, home in places:
        for name in NAMES:
            for modules in ("lib/node_modules", "node_modules"):
                paths = host.glob(f"{prefix}/{modules}/{name}/package.json")
                found += [Install(path.rpartition("/")[0], name, home, _version(host, path)) for path in paths[:20]]
    return tuple(found)


def _version(host: Host, path: str) -> str:
    facts = host.stat(path)
    if facts is None or facts.kind != "file" or facts.size > _MOST:
        return ""
    try:
        plain = json.loads(host.read(path))
    except ValueError:
        return ""
    return shown(str(plain.get("version", "")), 40) if isinstance(plain, dict) else ""


@once
def states(host: Host) -> tuple[tuple[str, str], ...]:
    """Return (home, folder of its state) for each home that has one."""
    places = [(home, f"{home}/{name}") for home in homes(host) for name in STATE]
    return tuple((home, path) for home, path in places if host.stat(path) is not None)


def audit(host: Host, home: str) -> dict[str, Any]:
    """Return what its own audit says of the state in a home; raise CannotTell if it cannot be run, or is not read."""
    facts = host.stat(home)
    if facts is None or facts.kind != "directory" or _ODD.search(home):
        raise CannotTell(f"{shown(home)} is no home that can be audited", "openclaw security audit --json")
    program, node = _program(host, home, facts.uid)
    words = (home, str(facts.uid), str(facts.gid), node, program, "security", "audit", "--json")
    said = host.run("unshare", *_ALONE, "sh", "-c", _AUDIT, "sh", *words, timeout=_SECONDS)
    try:
        plain = json.loads(said)
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict) or not isinstance(plain.get("findings"), list):
        raise CannotTell(f"the audit of {shown(home)} says nothing that can be read", "openclaw security audit --json")
    return plain


def _program(host: Host, home: str, uid: int) -> tuple[str, str]:
    """Return its program and the node that runs it: a home's own, else the system's; for root only the system's."""
    fit = [entry for entry in installs(host) if entry.name == "openclaw" and entry.home in {"", home if uid else ""}]
    for entry in sorted(fit, key=lambda one: not one.home):
        program = f"{entry.folder}/openclaw.mjs"
        prefix = entry.folder.rpartition("/lib/node_modules")[0]
        nodes = [f"{prefix}/bin/node", "/usr/local/bin/node", "/usr/bin/node", "/opt/homebrew/bin/node"]
        node = next((path for path in nodes if host.stat(path) is not None), "")
        if node and host.stat(program) is not None:
            return program, node
    raise CannotTell(f"no openclaw was found that could audit {shown(home)}", "openclaw security audit --json")
