"""The three providers: an environment variable, a file that only its owner can read, and a program of root's."""

import os
import stat

from hostkit.errors import HostkitError
from hostkit.secrets import programs

_LIMIT = 64 * 1024


def fetch(name: str, source: str) -> bytes:
    """Return the value behind `env:VARIABLE`, `file:/path` or `exec:/program words`.

    Raise HostkitError, which never holds the value.
    """
    kind, _, rest = source.partition(":")
    if kind == "exec":
        return programs.ask(name, rest)
    return _from_environment(name, rest) if kind == "env" else _from_file(name, rest)


def _from_environment(name: str, variable: str) -> bytes:
    value = os.environ.get(variable, "")
    if not value:
        raise HostkitError(f"secret {name}: the variable {variable} is not set", f"export {variable} and launch again")
    return value.encode()


def _from_file(name: str, path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as why:
        raise HostkitError(f"secret {name}: {path}: {why.strerror}", "name a plain file, not a link") from None
    with os.fdopen(fd, "rb") as file:
        _refuse_exposed(name, path, os.fstat(fd))
        value = file.read(_LIMIT + 1).removesuffix(b"\n")
    if not value or len(value) > _LIMIT:
        raise HostkitError(f"secret {name}: {path} is empty or over 64 KiB", "put the value alone in the file")
    return value


def _refuse_exposed(name: str, path: str, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise HostkitError(f"secret {name}: {path} is not a plain file", "name a plain file")
    if facts.st_uid not in {0, os.geteuid()}:
        raise HostkitError(f"secret {name}: {path} belongs to uid {facts.st_uid}", f"chown {os.geteuid()} {path}")
    if facts.st_mode & 0o077:
        mode = stat.S_IMODE(facts.st_mode)
        raise HostkitError(f"secret {name}: {path} has mode {mode:04o}; others can read it", f"chmod 600 {path}")
