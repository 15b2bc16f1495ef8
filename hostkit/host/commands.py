"""Runs commands: for their answer, or for the lines that they print as they come; for secrets `capture` does."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import IO

from hostkit.errors import CannotTell
from hostkit.host.model import Said

_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def ask(*command: str, timeout: float = 5.0, stdin: str = "") -> Said:
    """Do what `Host.ask` guarantees."""
    program = _program(command[0])
    try:
        done = subprocess.run(  # noqa: S603 - an argument list, never a shell
            [program, *command[1:]],
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=_ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotTell(f"{command[0]} gave no answer in {timeout:g} s") from None
    except OSError as why:
        raise CannotTell(f"{command[0]} cannot be run: {why.strerror}") from None
    return Said(done.returncode, done.stdout, done.stderr)


def pour(
    *command: str, timeout: float, codes: tuple[int, ...], environment: Mapping[str, str], shown: bool = False
) -> Iterator[str]:
    """Do what `Host.pour` guarantees."""
    program = _program(command[0])
    late = threading.Event()
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(  # noqa: S603 - an argument list, never a shell
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if shown else words,
            text=True,
            errors="replace",
            env={**_ENVIRONMENT, **environment},
        ) as running,
    ):
        watch = threading.Timer(timeout, _stop, (running, late))
        watch.daemon = True
        watch.start()
        try:
            yield from running.stdout or ()
            code = running.wait()
        finally:
            watch.cancel()
            running.kill()
        said = _last_line(words)
    if late.is_set():
        raise CannotTell(f"{command[0]} was not done in {timeout:g} s")
    if code not in codes:
        raise CannotTell(f"{command[0]} ended with {code}" + (f": {said}" if said else ""))


def _program(name: str) -> str:
    """Return a program's path on the system's own search path; raise CannotTell if it is not there."""
    found = shutil.which(name, path=_ENVIRONMENT["PATH"])
    if found is None:
        raise CannotTell(f"{name} is not installed")
    return found


def _last_line(words: IO[bytes]) -> str:
    """Return the last line that a program wrote to this file, at most 200 characters of it."""
    words.seek(max(0, words.seek(0, os.SEEK_END) - 2000))
    lines = words.read().decode("utf-8", errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")


def _stop(running: "subprocess.Popen[str]", late: threading.Event) -> None:
    late.set()
    running.kill()
