"""What hostkit itself consists of on this machine: its code, its Python, its libraries, its plays, its policy."""

import re
import sys
import sysconfig
from pathlib import Path

from hostkit.host import Host, globbed
from hostkit.posture.files import reached
from hostkit.shipped import shipped

PACKAGE = str(Path(__file__).parents[1])
LIBRARIES = sysconfig.get_path("purelib")
LOCK = str(shipped("requirements.lock"))
IS_OWN_PYTHON = sys.prefix != sys.base_prefix
"""Whether its Python is its own: in the system's, what else is installed is the distribution's business."""
_LIBRARIES = (f"{LIBRARIES}/*", f"{LIBRARIES}/*/__init__.py", f"{LIBRARIES}/*.dist-info/RECORD")
"""Not every file of theirs, which are ten thousand: what was put there by a careless hand is open in these, too."""
_AROUND = ("/etc/hostkit/*", "/usr/local/lib/hostkit/*", "/etc/systemd/system/hostkit-*")


def paths(host: Host, policy: str) -> list[str]:
    """Return every path by which somebody could change what hostkit does, each once."""
    own = (PACKAGE, LIBRARIES, sysconfig.get_path("stdlib"), sys.executable, LOCK)
    given = (policy, "/usr/local/bin/hostkit", str(shipped("playbooks")), str(shipped("sandbox")))
    code = (f"{PACKAGE}/**/*", f"{shipped('playbooks')}/**/*", *_LIBRARIES, *_AROUND)
    found = [path for root in (*own, *given) for path in reached(host, root)]
    return list(dict.fromkeys([*found, *globbed(host, code)]))


def distributions(host: Host) -> dict[str, str]:
    """Return the version of each library that lies beside hostkit's own, by its name as indexes spell it."""
    names = [path.rpartition("/")[2] for path in host.glob(f"{LIBRARIES}/*.dist-info")]
    matches = [re.fullmatch(r"(.+)-([^-]+)\.dist-info", name) for name in names]
    return {plain(found[1]): found[2] for found in matches if found}


def locked(text: str) -> dict[str, set[str]]:
    """Return the versions that the lock allows of each library; where it names two, a marker chooses one."""
    allowed: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", text):
        allowed.setdefault(plain(name), set()).add(version)
    return allowed


def plain(name: str) -> str:
    """Return a library's name as all its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()
