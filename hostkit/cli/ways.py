"""In which way `hostkit check` runs: what counts, what is known already, once or on and on, and whether it mends."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hostkit.errors import HostkitError

if TYPE_CHECKING:
    from hostkit.posture.run import Wish

_Command = TypeVar("_Command", bound=Callable[..., object])
_SEVERITIES = ("critical", "high", "medium", "low")  # as hostkit.posture.model has them, which --help does not load
_LEAST, _MOST = 5.0, 86_400.0
_LONGEST_WAIT = 600.0
_OPTIONS = (
    click.option("--only", multiple=True, metavar="CHECK,…", help="Run these: ids, subjects, probes, scans, ssh-*."),
    click.option("--skip", multiple=True, metavar="CHECK,…", help="Run all but these."),
    click.option("--fail-on", type=click.Choice(_SEVERITIES), help="What is less severe is told only (default: low)."),
    click.option("--profile", type=click.Choice(("solo", "strict")), help="Grade by this profile, not the policy's."),
    click.option("--baseline", metavar="FILE", help="What was known then does not fail; critical failures do."),
    click.option("--write-baseline", metavar="FILE", help="Write what fails now as such a baseline."),
    click.option("--diff", type=click.Choice(("last",)), help="Say only what changed since the last whole run."),
    click.option("--watch", type=float, is_flag=False, flag_value=60.0, metavar="[SECONDS]", help="Again and again."),
    click.option("--patience", type=float, metavar="SECONDS", help="What each check has at least, on a slow machine."),
    click.option("--fix", is_flag=True, help="Mend what fails: safe fixes at once, others through bootstrap."),
    click.option("--dry-run", is_flag=True, help="With --fix: say what would be done."),
    click.option("--yes", is_flag=True, help="With --fix: do not ask."),
)


@dataclass(frozen=True)
class Way:
    """How a run goes on after its answers; `fix` is empty, `plan` or `do`."""

    diff: bool = False
    watch: float | None = None
    fix: str = ""
    sure: bool = False
    write_baseline: Path | None = None

    @property
    def named(self) -> list[str]:
        """Return the options that this is made of."""
        pairs = (("--diff", self.diff), ("--watch", self.watch is not None), ("--fix", bool(self.fix)))
        return [name for name, given in (*pairs, ("--write-baseline", self.write_baseline is not None)) if given]


def way_options(command: _Command) -> _Command:
    """Add the options that say what is run, and in which way."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def way(given: dict[str, Any]) -> Way:
    """Return in which way to run; raise HostkitError for options that contradict each other."""
    if (given["dry_run"] or given["yes"]) and not given["fix"]:
        raise HostkitError("--dry-run and --yes are --fix's", "hostkit check --fix --dry-run says what would be done")
    if given["dry_run"] and given["yes"]:
        raise HostkitError("--dry-run and --yes", "give one: the first changes nothing, the second does not ask")
    if given["watch"] is not None and not _LEAST <= given["watch"] <= _MOST:  # so written, nan is none either
        raise HostkitError(f"--watch {given['watch']:g}", f"every {_LEAST:g} seconds at most, once a day at least")
    target = given["write_baseline"]
    if target and given["baseline"]:
        raise HostkitError("--baseline and --write-baseline", "a baseline is taken of all that fails: leave one away")
    fix = "plan" if given["dry_run"] else "do" if given["fix"] else ""
    found = Way(
        given["diff"] is not None, given["watch"], fix, given["yes"], Path(target).absolute() if target else None
    )
    if len(found.named) > 1:
        raise HostkitError(" and ".join(found.named), "each is a run of its own: give one")
    if target:
        from hostkit.posture.written import refuse_unwritable  # noqa: PLC0415

        refuse_unwritable(Path(target).absolute())
    return found


def wish(given: dict[str, Any]) -> "Wish":
    """Return which checks are asked, how they are graded and how long they have.

    Raise HostkitError for a baseline that is none, and for a patience that is.
    """
    from hostkit.posture import baseline  # noqa: PLC0415
    from hostkit.posture.run import Wish  # noqa: PLC0415

    if given["patience"] is not None and not 0 < given["patience"] <= _LONGEST_WAIT:  # nan is none either
        raise HostkitError(f"--patience {given['patience']:g}", f"more than 0, at most {_LONGEST_WAIT:g} seconds")
    known = baseline.read(given["baseline"]) if given["baseline"] else None
    floor, profile = given["fail_on"] or _SEVERITIES[-1], given["profile"] or ""
    return Wish(
        _words(given, "only"), _words(given, "skip"), floor, profile, baseline=known, patience=given["patience"] or 0.0
    )


def _words(given: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return what an option names; raise HostkitError where it names nothing, which would mean all."""
    found = [[word for word in entry.split(",") if word] for entry in given[name]]
    if not all(found):
        raise HostkitError(f"--{name} names nothing", "hostkit check --list names all checks")
    return tuple(word for words in found for word in words)
