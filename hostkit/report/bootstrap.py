"""What bootstrap changed, as it happens and in sum; the fence's two minutes; and what the proved checks say."""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from hostkit.bootstrap import confirm as fence
from hostkit.bootstrap.accounts import uids
from hostkit.bootstrap.fence import open_ways
from hostkit.bootstrap.guard import WINDOW, applied_over, refuse
from hostkit.bootstrap.plays import Play, plays, variables
from hostkit.bootstrap.run import Step, run
from hostkit.errors import Exit
from hostkit.host import Host, apt_sources
from hostkit.policy import Policy
from hostkit.policy.mirrors import unlisted
from hostkit.posture.model import collect
from hostkit.posture.run import run as run_checks
from hostkit.report import posture


def run_bootstrap(host: Host, policy: Policy, *, dry: bool, diff: bool) -> Exit:
    """Run the plays and print what they did; return 0 if the fence stands and every proved check passes.

    Raise HostkitError before the first change where a live session would be cut.
    """
    standing = fence.standing(host)
    refuse(policy, standing)
    chosen = plays(host.platform)
    over = applied_over(host.own_session(), standing.sessions)
    assert standing.machine is not None  # noqa: S101 - `refuse` raises
    for line in warnings(policy, [host.read(path) for path in apt_sources(host)]):
        click.echo(line, err=True)
    values = variables(policy, over, standing.machine)
    steps = _with_bar(chosen, values, dry=dry, diff=diff)
    click.echo(summary(steps, dry=dry))
    click.echo("\n".join(["The fence leaves open:", *(f"  {way}" for way in open_ways(policy, uids(standing.passwd)))]))
    if dry:
        return Exit.STANDS
    if fence.pending(host) is not None and not _confirmed(host, over):
        return Exit.FOUND
    return _proved(host, policy, chosen)


def warnings(policy: Policy, sources: Iterable[str]) -> list[str]:
    """Return one line for what will not work behind the fence, though it may be meant: mirrors that are not listed."""
    missing = ", ".join(unlisted(sources, policy.host.egress))
    if not missing:
        return []
    return [f"warning: apt fetches from {missing}, which host.egress does not list: no updates behind the fence"]


def run_confirm(host: Host) -> Exit:
    """Keep the fence that waits; raise HostkitError if none waits or this connection proves nothing."""
    fence.confirm(host)
    click.echo("confirmed: the fence stays, over reboots too")
    return Exit.STANDS


def _with_bar(chosen: Iterable[Play], values: dict[str, object], *, dry: bool, diff: bool) -> tuple[Step, ...]:
    found = tuple(chosen)
    columns = (TextColumn("{task.percentage:>3.0f}%"), BarColumn(30), TextColumn("{task.description}"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("starting", total=sum(play.tasks for play in found))

        def ended(step: Step) -> None:
            bar.update(task, advance=1, description=step.task)
            for line in lines(step, diff=diff):
                click.echo(line)

        return run(found, values, ended, dry=dry, diff=diff)


def lines(step: Step, *, diff: bool) -> list[str]:
    """Return what is said of one step: nothing unless it changed or failed."""
    if step.what not in {"changed", "failed"}:
        return []
    shown = [f"    {posture.safe(line)}" for line in step.diff.splitlines()] if diff else []
    return [f"{step.what:<8} {step.task}", *shown]


def summary(steps: Iterable[Step], *, dry: bool) -> str:
    """Return how many tasks changed something, or would."""
    counted = Counter(step.what for step in steps)
    word = "would change" if dry else "changed"
    return f"{counted['changed']} {word}, {counted['ok']} as they should be, {counted['skipped']} not needed"


def _confirmed(host: Host, over: str) -> bool:
    until = (datetime.now(UTC) + timedelta(seconds=WINDOW)).strftime("%H:%M:%S UTC")
    where = "over a NEW SSH connection" if over == "ssh" else "in another terminal"
    click.echo(f"The fence is up. Within {WINDOW} s, {where}: hostkit bootstrap --confirm")
    click.echo(f"Unconfirmed at {until} it rolls back by itself, and so it does at a reboot.")
    stands = fence.wait(host, WINDOW)
    click.echo("confirmed" if stands else "not confirmed: the fence was rolled back, everything else stays")
    return stands


def _proved(host: Host, policy: Policy, chosen: Iterable[Play]) -> Exit:
    """Run the checks that the plays prove, and say what each found."""
    names = {name for play in chosen for name in play.proves}
    every = collect()
    report = run_checks(host, policy, datetime.now(UTC).date(), tuple(check for check in every if check.id in names))
    click.echo(posture.as_text(report))
    return report.exit
