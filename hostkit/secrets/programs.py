"""The provider that asks a program: `op read`, `vault kv get`, `gcloud secrets versions access`, `aws secretsmanager`.

The program has PATH, HOME and LC_ALL, and of hostkit's own environment what says where to ask and by which way:
`_PASSED`. No token is handed on: a variable of hostkit's is read by whoever is root, and outlives the launch. A tool
that takes its token from a variable alone (1Password's service accounts) is called by a script of root's that reads it
from a file. HOME is that of the account that hostkit runs as.
"""

import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from hostkit.errors import HostkitError
from hostkit.host import Captured, capture

_TIMEOUT, _LIMIT, _LINKS = 30.0, 64 * 1024, 40
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PASSED = (
    *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE"),
    *("VAULT_ADDR", "VAULT_NAMESPACE", "VAULT_CACERT", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
    *("CLOUDSDK_CONFIG", "CLOUDSDK_ACTIVE_CONFIG_NAME", "CLOUDSDK_CORE_PROJECT", "OP_ACCOUNT"),
)


def ask(name: str, line: str) -> bytes:
    """Return what a program prints, without one line end; raise HostkitError, which never holds what it printed."""
    program, *words = _words(name, line)
    real = _trusted(name, program)
    said = capture(program, *words, real=real, environment=_environment(), timeout=_TIMEOUT, most=_LIMIT)
    if said.code != 0:
        raise HostkitError(f"secret {name}: {program} ended with {said.code}{_complaint(said)}", f"run it: {program}")
    if not (value := said.out.removesuffix(b"\n")):
        raise HostkitError(f"secret {name}: {program} printed nothing", "have it print the value alone")
    return value


def _words(name: str, line: str) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError as why:
        raise HostkitError(f"secret {name}: exec: {why}", "quote it as for a shell; none is run") from None
    if not words or not words[0].startswith("/"):
        raise HostkitError(
            f"secret {name}: exec: names no program by its whole path", "write exec:/usr/bin/op read ..."
        )
    return words


def _environment() -> dict[str, str]:
    passed = {known: os.environ[known] for known in _PASSED if known in os.environ}
    return {**passed, "PATH": _PATH, "HOME": pwd.getpwuid(os.geteuid()).pw_dir, "LC_ALL": "C"}


def _trusted(name: str, program: str) -> str:
    """Return the file behind a program's path; raise HostkitError unless root alone could have put it there."""
    last = program
    try:
        for last, facts in _passed(Path(program), _LINKS):
            if fault := _fault(facts):
                raise HostkitError(f"secret {name}: {last} {fault}", f"chown root {last}; chmod go-w {last}")
    except OSError as why:
        raise HostkitError(f"secret {name}: {program}: {why.strerror}", "name a program that is there") from None
    if not stat.S_ISREG(facts.st_mode) or not facts.st_mode & 0o111:
        raise HostkitError(f"secret {name}: {program} is no program", "name a file that can be executed")
    return last


def _passed(path: Path, links: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield everything that is passed on the way to a file, links and what they lead through, the file last."""
    if links < 0:
        raise OSError(0, "too many links")
    for step in (*reversed(path.parents), path):
        yield str(step), (facts := step.lstat())
        if stat.S_ISLNK(facts.st_mode):
            yield from _passed(step.parent / step.readlink() / path.relative_to(step), links - 1)
            return


def _fault(facts: os.stat_result) -> str:
    if facts.st_uid != 0:
        return f"belongs to uid {facts.st_uid}, not to root"
    if not stat.S_ISLNK(facts.st_mode) and facts.st_mode & 0o022:
        return f"has mode {stat.S_IMODE(facts.st_mode):04o}; others can write it"
    return ""


def _complaint(said: Captured) -> str:
    """Return the first line of a program's errors, escaped and cut; nothing of one that repeats what it printed."""
    line = next((line.strip() for line in said.err.decode(errors="replace").splitlines() if line.strip()), "")
    printed = [word for word in said.out.decode(errors="replace").split() if word in line]
    if not line or printed:
        return ": its error repeats what it printed, so it is not shown" if printed else ""
    return ": " + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line[:200])
