"""hostkit bootstrap from its refusals to its proof: what is cut, what changes, who keeps the fence, what then holds."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from hostkit.bootstrap import confirm as fence
from hostkit.bootstrap.accounts import uids
from hostkit.bootstrap.choice import choose
from hostkit.bootstrap.cut import Cut, cut
from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.fence import open_ways, ruleset
from hostkit.bootstrap.guard import Standing, applied_over, refuse, refuse_keyless, refuse_unattended
from hostkit.bootstrap.keep import Kept
from hostkit.bootstrap.plays import Play, plays, variables
from hostkit.bootstrap.run import Step, run
from hostkit.bootstrap.scratch import alone, refuse_disk
from hostkit.bootstrap.touched import Touch, touched
from hostkit.errors import Exit, HostkitError
from hostkit.host import Host, apt_sources
from hostkit.policy import Policy
from hostkit.policy.mirrors import unlisted
from hostkit.posture.model import collect
from hostkit.posture.run import run as run_checks
from hostkit.report import posture
from hostkit.report.changes import lines, summary
from hostkit.report.kept import confirmed, cut_list


@dataclass(frozen=True)
class Wish:
    """How bootstrap was called; `only` and `skip` name plays, `far` the addresses that may confirm the fence."""

    dry: bool = False
    diff: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    far: tuple[str, ...] = ()
    sure: bool = False


def run_bootstrap(host: Host, policy: Policy, wish: Wish) -> Exit:
    """Run the plays and print what they did; return 0 if the fence stands and every proved check passes.

    Raise HostkitError before the first change where a live session would be cut, nobody could confirm the fence, or
    another bootstrap is under way.
    """
    chosen = choose(plays(host.platform), wish.only, wish.skip)
    standing = fence.standing(host)
    refuse(policy, standing)
    if any(play.subject == "ssh" for play in chosen):
        refuse_keyless(standing)
    refuse_disk(host.read("/proc/self/mountinfo"))
    with alone():
        return _bootstrap(host, policy, wish, chosen, standing)


def _bootstrap(host: Host, policy: Policy, wish: Wish, chosen: tuple[Play, ...], standing: Standing) -> Exit:
    over = applied_over(host.own_session(), standing.sessions, typed=sys.stdin.isatty())
    fenced = any(play.subject == "fence" for play in chosen)
    if fenced:
        _before_the_fence(host, policy, wish, standing, over)
    assert standing.machine is not None  # noqa: S101 - `refuse` raised
    values = variables(policy, over, standing.machine, wish.far)
    with _on_record(host, touched(chosen, values), dry=wish.dry):
        _run(policy, chosen, values, wish)
        if fenced:
            click.echo("\n".join(_open(policy, standing)))
        if wish.dry:
            return Exit.STANDS
        if fenced and fence.pending(host) is not None and not confirmed(host, policy, over, wish.far):
            return Exit.FOUND
    return _proved(host, policy, chosen)


def _before_the_fence(host: Host, policy: Policy, wish: Wish, standing: Standing, over: str) -> None:
    """Say what the fence would cut, and ask whether to go on; raise HostkitError if nobody could keep it, or no."""
    for line in warnings(policy, [host.read(path) for path in apt_sources(host)]):
        click.echo(line, err=True)
    accounts = uids(standing.passwd)
    if fence.stands(host, ruleset(policy, accounts)):
        return
    if not wish.dry:
        refuse_unattended(over, wish.far)
    cuts = cut(policy, accounts, standing.addresses, host.connections())
    click.echo("\n".join(cut_list(cuts)), err=True)
    if cuts and not wish.dry and not wish.sure:
        _ask(cuts)


def _ask(cuts: tuple[Cut, ...]) -> None:
    """Raise HostkitError unless whoever sits here wants them cut; where nobody does, the roll-back protects."""
    if sys.stdin.isatty() and not click.confirm(f"{len(cuts)} would be cut; go on?", default=False, err=True):
        raise HostkitError("nothing was changed", "list what must go on under host.egress or host.exempt in the policy")


@contextmanager
def _on_record(host: Host, touches: tuple[Touch, ...], *, dry: bool) -> Iterator[None]:
    """Hold a run of which --undo knows everything: what was there is kept first, what came of it afterwards."""
    if dry:
        yield
        return
    kept = Kept(Disk())
    kept.open_run(host, touches)
    try:
        yield
    finally:
        kept.close_run(host, touches)


def _run(policy: Policy, chosen: tuple[Play, ...], values: dict[str, Any], wish: Wish) -> None:
    began = time.monotonic()
    steps = _with_bar(chosen, values, wish)
    click.echo(summary(chosen, steps, policy, time.monotonic() - began, dry=wish.dry))


def _with_bar(chosen: tuple[Play, ...], values: dict[str, Any], wish: Wish) -> tuple[Step, ...]:
    columns = (TextColumn("{task.percentage:>3.0f}%"), BarColumn(30), TextColumn("{task.description}"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("starting", total=sum(play.tasks for play in chosen))

        def ended(step: Step) -> None:
            bar.update(task, advance=1, description=step.task)
            for line in lines(step, diff=wish.diff):
                click.echo(line)

        return run(chosen, values, ended, dry=wish.dry, diff=wish.diff)


def _open(policy: Policy, standing: Standing) -> list[str]:
    return ["The fence leaves open:", *(f"  {way}" for way in open_ways(policy, uids(standing.passwd)))]


def warnings(policy: Policy, sources: Iterable[str]) -> list[str]:
    """Return one line for what will not work behind the fence, though it may be meant: mirrors that are not listed."""
    missing = ", ".join(unlisted(sources, policy.host.egress))
    if not missing:
        return []
    return [f"warning: apt fetches from {missing}, which host.egress does not list: no updates behind the fence"]


def _proved(host: Host, policy: Policy, chosen: Iterable[Play]) -> Exit:
    """Run the checks that the plays prove, and say what each found."""
    names = {name for play in chosen for name in play.proves}
    every = collect()
    report = run_checks(host, policy, datetime.now(UTC).date(), tuple(check for check in every if check.id in names))
    click.echo(posture.as_text(report))
    return report.exit
