"""What a bootstrap test may do with a machine, whether it is a container or a VM."""

import fcntl
import io
import os
import shlex
import subprocess
import tarfile
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FOREIGN = "198.51.100.7"  # an address of the outside world, from the documentation range
SHIPPED = ("hostkit", "playbooks", "sandbox", "pyproject.toml", "requirements.lock")


class Answer(NamedTuple):
    """What a command said."""

    code: int
    stdout: str
    stderr: str


def unavailable(reason):
    """End the test: a skip on a developer's machine, a failure in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def local(*words, stdin="", timeout=120, check=True):
    """Run a command on the machine that runs the tests; stdin is text or bytes."""
    given = (
        {"stdin": stdin} if hasattr(stdin, "fileno") else {"input": stdin.encode() if isinstance(stdin, str) else stdin}
    )
    done = subprocess.run(words, capture_output=True, timeout=timeout, check=False, **given)
    answer = Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    if check and answer.code:
        raise AssertionError(f"{shlex.join(words)} returned {answer.code}\n{answer.stdout}{answer.stderr}")
    return answer


def work():
    """Return the folder outside the project where scripts/prepare and the tests keep what is made once."""
    return Path(os.environ.get("HOSTKIT_WORK") or "/var/tmp/hostkit-work")


def kept(name):
    """Return a folder of that name for what is made once, made if it is not there."""
    folder = work() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(path):
    """Hold this lock; it is the kernel's, so that it never outlives its holder."""
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def make_key(folder):
    """Return the path of a fresh ssh key."""
    folder.mkdir(exist_ok=True)
    local("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(folder / "key"))
    return folder / "key"


def packed(*sources, names=None):
    """Return a tar of these paths, without compiled files, owned by root."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for source, name in zip(sources, names or [path.name for path in sources], strict=True):
            archive.add(source, name, filter=_as_root)
    return stream.getvalue()


def _as_root(member):
    if "__pycache__" in member.name:
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def wait_for(what, seconds, why="not within its time"):
    """Return once `what` is so; fail with `why` after these seconds. Asking takes a fifth of a slow machine at most."""
    until = time.monotonic() + seconds
    while not _asked(what):
        assert time.monotonic() < until, why


def _asked(what):
    began = time.monotonic()
    if not (said := what()):
        time.sleep(max(0.2, 4 * (time.monotonic() - began)))
    return said


class Machine(ABC):
    """A Debian 12 with systemd and sshd; root's and admin's key is the test's own."""

    address: str
    port = 22
    key: Path
    patience = 60
    within: tuple[str, ...] = ()  # how a local command gets to where the machine's address is

    @abstractmethod
    def run(self, *command, check=True, stdin="", timeout=None):
        """Run a command as root and return its Answer."""

    @abstractmethod
    def restart(self):
        """Boot again, keeping the disk, and wait until it is up."""

    @abstractmethod
    def outside(self):
        """Return a Host of the world outside, which owns FOREIGN and can reach the machine at `address`."""

    @abstractmethod
    def remove(self):
        """Leave nothing behind."""

    def ssh_words(self, *command, user="root", patience=None, options=()):
        """Return the local command that runs this one over ssh: a fresh connection, if no option says another."""
        waits = f"ConnectTimeout={patience or self.patience // 3}"
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes",
                   "IdentitiesOnly=yes", "ServerAliveInterval=5", waits, *options)  # fmt: skip
        plain = [word for option in options for word in ("-o", option)]
        place = ["-i", str(self.key), "-p", str(self.port), f"{user}@{self.address}"]
        return [*self.within, "ssh", "-F", "/dev/null", *plain, *place, "--", shlex.join(command)]

    def ssh(self, *command, user="root", check=True, stdin="", timeout=None):
        """Run a command over a real, fresh ssh connection."""
        return local(*self.ssh_words(*command, user=user), stdin=stdin, timeout=timeout or self.patience, check=check)

    def put(self, source, target):
        """Copy a file or a folder of this machine to that path."""
        target = Path(target)
        tree = packed(Path(source), names=[target.name])
        self.run("sh", "-c", f"mkdir -p {target.parent} && tar -x -C {target.parent}", stdin=tree)

    def install_hostkit(self):
        """Put the working tree's hostkit where its dependencies already are; `hostkit` is on the path."""
        present = [ROOT / name for name in SHIPPED if (ROOT / name).exists()]
        fresh = (
            "cd /opt/hostkit && rm -rf hostkit playbooks sandbox && tar -x && .venv/bin/python -m compileall -q hostkit"
        )
        self.run("sh", "-c", fresh, stdin=packed(*present))
