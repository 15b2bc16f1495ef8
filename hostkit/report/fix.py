"""hostkit check --fix: what is safe at once, what disrupts by bootstrap, the rest told; then it is checked again."""

import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import click

from hostkit.errors import CannotTell, Exit, HostkitError
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.fix import Close, Plan, Step, meant, plan
from hostkit.posture.model import Command, Status
from hostkit.posture.result import Report
from hostkit.posture.run import Wish, run
from hostkit.report.words import safe

_SECONDS = 60.0


def run_fix(host: Host, policy: Policy, wish: Wish, *, sure: bool, dry: bool) -> Exit:
    """Mend what fails and say what came of it; return what the checks say then. `dry` prints the plan only.

    Raise HostkitError where nobody may or can be asked, and what bootstrap itself refused, once all else is told.
    """
    if not host.is_root and not dry:
        raise HostkitError("--fix changes this machine", "run it as root: sudo hostkit check --fix")
    before = _checked(host, policy, wish)
    found = plan(before.results, host, policy)
    click.echo("\n".join(_told(found)))
    if dry or not (found.safe or found.plays):
        return before.exit
    if not sure and not sys.stdin.isatty():
        raise HostkitError("nobody sits at a terminal to be asked", "--yes fixes without asking")
    return _Fix(host, policy, wish, sure=sure).done(before, found)


def _checked(host: Host, policy: Policy, wish: Wish) -> Report:
    return run(host, policy, datetime.now(UTC).date(), wish=wish)


def _told(found: Plan) -> list[str]:
    lines = ["at once:" if found.safe else "at once: nothing"]
    lines += [f"  {step.id}: {_shown(command)}" for step in found.safe for command in step.commands]
    lines += [f"by hostkit bootstrap --only {_only(found)}:" if found.plays else "by bootstrap: nothing"]
    lines += [f"  {play}: {', '.join(ids)}" for play, ids in found.plays]
    lines += ["by hand:" if found.by_hand else "by hand: nothing"]
    return lines + [f"  {hand.id}: {hand.do}" for hand in found.by_hand]


def _only(found: Plan) -> str:
    return ",".join(play.partition("-")[2] for play, _ in found.plays)


def _shown(command: Command) -> str:
    return safe(shlex.join(command))


class _Fix:
    """One fix under way: what it asks of, and whether it asks."""

    def __init__(self, host: Host, policy: Policy, wish: Wish, *, sure: bool) -> None:
        self._host, self._policy, self._wish, self._sure = host, policy, wish, sure

    def done(self, before: Report, found: Plan) -> Exit:
        now, refused = before, None
        if found.safe and self._wanted(f"{len(found.safe)} checks can be mended at once; do it?"):
            self._mend(found.safe)
            now = self._again(now, (step.id for step in found.safe))
        left = plan(now.results, self._host, self._policy, safe=False)
        if left.plays and self._wanted(f"hostkit bootstrap --only {_only(left)} may interrupt services; run it?"):
            refused = _refusal(lambda: self._bootstrap(left))
            now = self._again(now, (name for _, ids in left.plays for name in ids))
        click.echo("\n".join(_outcome(before, now)))
        if refused:
            raise refused
        return now.exit

    def _wanted(self, question: str) -> bool:
        return self._sure or click.confirm(question, default=False, err=True)

    def _mend(self, steps: Iterable[Step]) -> None:
        for step in steps:
            for command in step.commands:
                click.echo(f"{step.id}: {_shown(command)}")
                try:
                    self._do(meant(command))
                except CannotTell as why:
                    click.echo(f"{step.id}: not done: {safe(str(why))}", err=True)

    def _do(self, what: Command | Close) -> None:
        if not isinstance(what, Close):
            self._host.run(*what, timeout=_SECONDS)
            return
        failed = []
        for path in what.paths:
            try:
                self._host.close(path, what.mode, what.owner, what.group)
            except CannotTell as why:
                failed.append(str(why))
        if failed:
            raise CannotTell("; ".join(failed))

    def _bootstrap(self, left: Plan) -> None:
        """Run these plays as the command does, with its own refusals, its own question and its own proof."""
        from hostkit.report import bootstrap  # noqa: PLC0415 - Ansible's, for those only who need it

        only = tuple(play for play, _ in left.plays)
        bootstrap.run_bootstrap(self._host, self._policy, bootstrap.Wish(only=only))

    def _again(self, report: Report, names: Iterable[str]) -> Report:
        """Return the report with these checks asked anew."""
        wish = replace(self._wish, only=tuple(names), skip=())
        asked = {entry.check.id: entry for entry in _checked(self._host, self._policy, wish).results}
        return replace(report, results=tuple(asked.get(entry.check.id, entry) for entry in report.results))


def _refusal(act: Callable[[], None]) -> HostkitError | None:
    try:
        act()
    except HostkitError as why:
        return why
    return None


def _outcome(before: Report, now: Report) -> list[str]:
    """Return what came of each check that failed."""
    failed = {entry.check.id for entry in before.results if entry.fails}
    lines = []
    for entry in (entry for entry in now.results if entry.check.id in failed):
        word = "mended" if entry.verdict.status is Status.OK else "still failing" if entry.fails else entry.word
        lines.append(f"{word:<14} {entry.check.id:<22} {safe(entry.verdict.detail)}")
    return lines or ["nothing failed"]
