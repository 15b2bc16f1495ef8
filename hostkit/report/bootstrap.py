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
from hostkit.bootstrap.choice import choose
from hostkit.bootstrap.cut import Cut
from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.guard import applied_over, refuse_unattended
from hostkit.bootstrap.keep import Kept
from hostkit.bootstrap.plays import Play, plays, stamps
from hostkit.bootstrap.run import Step, run
from hostkit.bootstrap.scratch import alone
from hostkit.bootstrap.site import Site, site
from hostkit.bootstrap.touched import Touch, touched
from hostkit.errors import Exit, HostkitError
from hostkit.host import PATIENT, Host
from hostkit.policy import Policy
from hostkit.posture.run import Wish as Checks
from hostkit.posture.run import run as run_checks
from hostkit.report.changes import lines, summary
from hostkit.report.check import to_text
from hostkit.report.check.told import tell
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
    here = site(host, policy)
    here.refuse({play.subject for play in chosen})
    if not wish.dry:
        _decide(here)
    with alone():
        return _bootstrap(host, policy, wish, chosen, here)


def _bootstrap(host: Host, policy: Policy, wish: Wish, chosen: tuple[Play, ...], here: Site) -> Exit:
    over = applied_over(host.own_session(), here.sessions, typed=sys.stdin.isatty())
    fenced = any(play.subject == "fence" for play in chosen)
    if fenced:
        _before_the_fence(here, wish, over)
    values = here.variables(over, wish.far)
    with _on_record(host, touched(chosen, values), chosen, dry=wish.dry):
        _run(policy, chosen, values, wish)
        if fenced:
            click.echo("\n".join(["The fence leaves open:", *(f"  {way}" for way in here.open_ways())]))
        if wish.dry:
            return Exit.STANDS
        if fenced and fence.pending(host) is not None and not confirmed(host, policy, over, wish.far):
            return Exit.FOUND
    return _proved(host, policy, chosen)


def _decide(here: Site) -> None:
    """Ask what only the owner can say; raise HostkitError where nobody is here to ask."""
    question, words = here.question()
    if not question:
        return
    click.echo(question, err=True)
    if not sys.stdin.isatty():
        do = f"say host.power_cut: {' or '.join(words)} in the policy"
        raise HostkitError("nobody is here to say what happens after a power cut", do)
    here.answer(click.prompt("wait or return?", type=click.Choice(words), show_choices=False, err=True))


def _before_the_fence(here: Site, wish: Wish, over: str) -> None:
    """Say what the fence would cut, and ask whether to go on; raise HostkitError if nobody could keep it, or no."""
    for line in here.warnings():
        click.echo(line, err=True)
    if here.stands():
        return
    if not wish.dry:
        refuse_unattended(over, wish.far)
    cuts = here.cuts()
    click.echo("\n".join(cut_list(cuts)), err=True)
    if cuts and not wish.dry and not wish.sure:
        _ask(cuts)


def _ask(cuts: tuple[Cut, ...]) -> None:
    """Raise HostkitError unless whoever sits here wants them cut; where nobody does, the roll-back protects."""
    if sys.stdin.isatty() and not click.confirm(f"{len(cuts)} would be cut; go on?", default=False, err=True):
        raise HostkitError("nothing was changed", "list what must go on under host.egress or host.exempt in the policy")


@contextmanager
def _on_record(host: Host, touches: tuple[Touch, ...], chosen: Iterable[Play], *, dry: bool) -> Iterator[None]:
    """Hold a run of which --undo knows everything: what was there is kept first, what came of it afterwards."""
    if dry:
        yield
        return
    kept = Kept(Disk())
    kept.open_run(host, touches)
    ran: dict[str, str] = {}
    try:
        yield
        made = stamps(host.platform)
        ran = {play.stem: made[play.stem] for play in chosen}
    finally:
        kept.close_run(host, touches, ran)


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


def _proved(host: Host, policy: Policy, chosen: Iterable[Play]) -> Exit:
    """Run the checks that the plays prove, and say what each found."""
    names = tuple(name for play in chosen for name in play.proves)
    now = datetime.now(UTC)
    report = run_checks(host, policy, now.date(), wish=Checks(only=names, whole=True, patience=PATIENT))
    click.echo(to_text.render(tell(report, host, policy, now, whole=False)))
    return report.exit
