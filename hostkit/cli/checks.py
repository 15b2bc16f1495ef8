"""hostkit check: this host's posture."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostkit.cli.forms import Out, chosen, form_options, say, write
from hostkit.cli.root import cli, inventory_option, leave, load_policy, refuse_policy
from hostkit.cli.ways import Way, way, way_options, wish
from hostkit.errors import HostkitError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from hostkit.policy import Policy
    from hostkit.posture.history import Run
    from hostkit.posture.run import Report, Wish
    from hostkit.report.check.told import Told


@cli.command()
@form_options
@click.option("--attest", type=click.Path(path_type=Path), metavar="FILE", help="Write a signed proof of the run.")
@click.option("--expires", metavar="7d", help="How long the proof stands: 12h, 7d (default), at most 90d.")
@click.option("--list", "listing", is_flag=True, help="List the checks.")
@click.option("--explain", metavar="ID", help="Say what a check looks at, and what to do when it fails.")
@way_options
@inventory_option
@click.pass_context
def check(  # noqa: PLR0913 - one for each option
    context: click.Context,
    /,
    explain: str | None,
    inventory: Path | None,
    form: str | None,
    outputs: tuple[str, ...],
    attest: Path | None,
    expires: str | None,
    *,
    as_json: bool,
    listing: bool,
    **given: Any,
) -> None:
    """Verify this host's posture.

    Each check answers ok, fail, skip (not for this platform) or unknown (not to be seen here).
    """
    out, how = chosen(form, outputs, as_json=as_json), way(given)
    proof = _proof(attest, expires, given)
    _refuse_one_file_for_two(out, proof, how)
    if listing and explain:
        raise HostkitError("--list and --explain", "give one")
    if listing or explain or inventory:
        _refuse_forms(out, proof, given)
    _refuse_ways(how, out, proof)
    if inventory and (listing or explain):
        raise HostkitError("--inventory asks other hosts", "leave it away: --list and --explain tell of hostkit itself")
    if listing:
        _list(as_json=out.form == "json")
    elif explain:
        _explain(explain)
    elif inventory:
        from hostkit.report.fleet import check_all  # noqa: PLC0415

        refuse_policy(context)
        leave(int(check_all(inventory, as_json=out.form == "json")))
    else:
        leave(_check_in_this_way(load_policy(context), wish(given), how, out, proof))


def _list(*, as_json: bool) -> None:
    from hostkit.posture.model import collect  # noqa: PLC0415
    from hostkit.report import posture as report  # noqa: PLC0415

    click.echo(report.list_json(collect()) if as_json else report.list_text(collect()))


def _explain(name: str) -> None:
    from hostkit.posture.model import collect  # noqa: PLC0415
    from hostkit.report import posture as report  # noqa: PLC0415

    found = [one for one in collect() if one.id == name]
    if not found:
        raise HostkitError(f"no check is called {name!r}", "hostkit check --list names them all")
    click.echo(report.explain(found[0]))


@dataclass(frozen=True)
class _Proof:
    """Where a proof goes, and how long it stands."""

    path: Path
    span: "timedelta"


_KINDER = ("only", "skip", "fail_on", "profile", "baseline")
"""Options after which exit code and answers may be kinder than the policy asks."""


def _proof(path: Path | None, expires: str | None, given: dict[str, Any]) -> _Proof | None:
    """Return what is to be attested; raise HostkitError, before any check runs, if it cannot be."""
    if path is None:
        if expires:
            raise HostkitError("--expires without --attest", "give --attest FILE: it is the proof that runs out")
        return None
    from hostkit.posture.proof import lasts  # noqa: PLC0415
    from hostkit.posture.written import refuse_unwritable  # noqa: PLC0415

    if narrowed := [f"--{name.replace('_', '-')}" for name in _KINDER if given[name]]:
        raise HostkitError(
            f"--attest with {' and '.join(narrowed)}",
            "only a run of all checks is attested, with all that fails counted",
        )
    refuse_unwritable(path.absolute())
    return _Proof(path.absolute(), lasts(expires or "7d"))


def _refuse_one_file_for_two(out: Out, proof: _Proof | None, how: Way) -> None:
    named = [("--attest", proof and proof.path), ("--write-baseline", how.write_baseline)]
    named += [("--output", path) for _, path in out.files]
    places = [(name, path.resolve()) for name, path in named if path]
    for number, (name, path) in enumerate(places):
        if twice := [other for other, place in places[number + 1 :] if place == path]:
            raise HostkitError(f"{name} and {twice[0]} name {path}", "give each a file of its own")


def _refuse_forms(out: Out, proof: _Proof | None, given: dict[str, Any]) -> None:
    if out.files or proof or out.form not in {"text", "json"}:
        raise HostkitError(
            "--list, --explain and --inventory print text or JSON",
            "leave --output, --attest and other forms away; on the host itself they work",
        )
    if named := [f"--{name.replace('_', '-')}" for name, value in given.items() if value]:
        raise HostkitError(
            f"{' and '.join(named)} with --list, --explain or --inventory", "it is for the host itself: run it there"
        )


def _refuse_ways(how: Way, out: Out, proof: _Proof | None) -> None:
    """Raise HostkitError for a form that a way of running has not."""
    forms = {"text", "json"} if how.diff else {"text"}
    if how.named and how.named != ["--write-baseline"] and (proof or out.form not in forms or out.files):
        raise HostkitError(f"{how.named[0]} prints {' or '.join(sorted(forms))}", "leave other forms and --attest away")


def _check_in_this_way(policy: "Policy", wanted: "Wish", how: Way, out: Out, proof: _Proof | None) -> int:
    from hostkit.host import PATIENT, LocalHost  # noqa: PLC0415

    if how.fix:
        from hostkit.report.fix import run_fix  # noqa: PLC0415

        return int(run_fix(LocalHost(PATIENT), policy, wanted, sure=how.sure, dry=how.fix == "plan"))
    if how.watch is not None:
        from hostkit.cli.rounds import watched  # noqa: PLC0415

        return watched(lambda: _checked(policy, wanted, ()), how.watch)
    return _check_now(policy, wanted, how, out, proof)


def _checked(policy: "Policy", wanted: "Wish", past: "tuple[Run, ...]") -> "tuple[Report, Told]":
    from datetime import UTC, datetime  # noqa: PLC0415

    from hostkit.host import LocalHost  # noqa: PLC0415
    from hostkit.posture.run import run  # noqa: PLC0415
    from hostkit.report.check.told import tell  # noqa: PLC0415
    from hostkit.report.progress import shown  # noqa: PLC0415

    host, now = LocalHost(wanted.patience), datetime.now(UTC)
    with shown() as progress:
        done = run(host, policy, now.date(), wish=replace(wanted, told=progress))
    return done, tell(done, host, policy, now, whole=not (wanted.only or wanted.skip), past=past)


def _check_now(policy: "Policy", wanted: "Wish", how: Way, out: Out, proof: _Proof | None) -> int:
    from hostkit.health import state_directory  # noqa: PLC0415
    from hostkit.posture import history  # noqa: PLC0415

    past = history.runs(state_directory()) if how.diff or _shows_history(out) else ()
    done, told = _checked(policy, wanted, past)
    if how.diff:
        from hostkit.cli.rounds import compared  # noqa: PLC0415

        click.echo(compared(done, told, next((run for run in reversed(past) if run.whole), None), out.form))
    else:
        say(told, out)
    if proof:
        _attest(told, policy, proof)
    if how.write_baseline:
        _write_baseline(done, told.at, how.write_baseline)
    if told.root:  # graded by another profile it is no run of all that the policy asks
        _keep(done, told.at, whole=told.whole and done.profile == policy.host.profile)
    return int(done.exit)


def _write_baseline(done: "Report", now: "datetime", path: Path) -> None:
    from hostkit.posture.baseline import as_text, taken  # noqa: PLC0415

    found = taken(done.results, now.date())
    write(path, as_text(found).encode())
    click.echo(f"{path}: what fails in {len(found.known)} checks is known for 90 days; critical ones are not", err=True)


def _shows_history(out: Out) -> bool:
    return "html" in {out.form, *(form for form, _ in out.files)}


def _attest(told: "Told", policy: "Policy", wanted: _Proof) -> None:
    from hostkit.health import state_directory  # noqa: PLC0415
    from hostkit.report.proof import made  # noqa: PLC0415

    write(wanted.path, made(told, policy, state_directory(), wanted.span))


def _keep(done: "Report", now: "datetime", *, whole: bool) -> None:
    """Keep the run for those that come; where that cannot be, say so: the answers stand all the same."""
    from hostkit.health import state_directory  # noqa: PLC0415
    from hostkit.posture import history  # noqa: PLC0415

    try:
        history.append(state_directory(), history.record(done, now, whole=whole))
    except OSError as why:
        click.echo(f"hostkit: this run is not in the history: {why.strerror}", err=True)
