"""Words in, exit code out; decides nothing. One file for each thing a user comes for."""

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from hostkit.cli import attest, checks, drills, gateways, machine, policies, sandboxes  # noqa: F401 - each adds its commands
from hostkit.cli.root import cli
from hostkit.errors import HostkitError

__all__ = ["cli", "main"]


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; every refusal is one clear line on stderr and its exit code."""
    # A command lives for seconds: collecting while it starts costs more than it frees.
    gc.set_threshold(100_000, 50, 50)
    try:
        with _tidy_ends():
            cli.main(arguments, standalone_mode=True)
    except HostkitError as why:
        click.echo(f"hostkit: {why}", err=True)
        raise SystemExit(int(why.code)) from None


@contextmanager
def _tidy_ends() -> Iterator[None]:
    """Let Ctrl-C, a service manager's stop and a lost terminal end a command as an error does: it tidies up first.

    Left to themselves the last two would end it at once, with half a sandbox up and an agent nobody has read back.
    """
    wanted = [n for n in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _end) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: object) -> None:
    for other in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)  # tidying up is not to be cut short, but by a second Ctrl-C
    raise SystemExit(128 + number)
