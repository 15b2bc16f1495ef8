"""The fence's two minutes: who would be cut off, and how it is kept over SSH, from afar, or at the console."""

import select
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import click

from hostkit.bootstrap import confirm as fence
from hostkit.bootstrap import console
from hostkit.bootstrap.cut import Cut
from hostkit.bootstrap.guard import UP, WINDOW
from hostkit.errors import Exit
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.report.words import safe

_SHOWN = 6


def cut_list(cuts: Iterable[Cut]) -> list[str]:
    """Return whom the fence would cut off, one line for each account's program; one line if nobody."""
    found = tuple(cuts)
    if not found:
        return ["nothing that talks now would be cut by the fence"]
    return ["the fence would cut, now or when it connects again:", *(f"  {_line(one)}" for one in found)]


def _line(one: Cut) -> str:
    who = ", ".join(word for word in (one.process, one.place) if word) or "by an unknown program"
    more = f" and {len(one.far) - _SHOWN} more" if len(one.far) > _SHOWN else ""
    return safe(f"{one.account} ({who}): {', '.join(one.far[:_SHOWN])}{more}")


def run_confirm(host: Host) -> Exit:
    """Keep the fence that waits; raise HostkitError if none waits or this connection proves nothing."""
    fence.confirm(host)
    click.echo("confirmed: the fence stays, over reboots too")
    return Exit.STANDS


def confirmed(host: Host, policy: Policy, over: str, far: tuple[str, ...]) -> bool:
    """Say how to keep the fence, and wait; return whether it stands."""
    until = (datetime.now(UTC) + timedelta(seconds=WINDOW)).strftime("%H:%M:%S UTC")
    word = console.word() if over == "console" and not far else ""
    do = f"type {word} here" if word else f"{_from(far)}over a NEW SSH connection: hostkit bootstrap --confirm"
    click.echo(f"{UP} Within {WINDOW} s, {do}")
    click.echo(f"Unconfirmed at {until} it rolls back by itself, and so it does at a reboot.")
    if word:
        console.keep_by_word(host, policy, word, _typed, click.echo)
    stands = fence.wait(host, WINDOW)
    click.echo("confirmed" if stands else "not confirmed: the fence was rolled back, everything else stays")
    return stands


def _from(far: tuple[str, ...]) -> str:
    return f"from {' or '.join(far)}, " if far else ""


def _typed(seconds: float) -> str | None:
    """Return a line of the terminal, None if none came within so many seconds; an ended terminal types nothing."""
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return None
    return sys.stdin.readline() or None
