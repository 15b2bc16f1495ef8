"""hostkit check, hostkit bootstrap: the machine that the sandboxes stand on."""

from pathlib import Path
from typing import Any

import click

from hostkit.cli.root import cli, json_option, leave, load_policy
from hostkit.errors import HostkitError

inventory_option = click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    metavar="HOSTS.YML",
    help="Do it on all these hosts, over SSH (an inventory as Ansible takes it).",
)


@cli.command()
@json_option
@click.option("--list", "listing", is_flag=True, help="List the checks.")
@click.option("--explain", metavar="ID", help="Say what a check looks at, and what to do when it fails.")
@inventory_option
@click.pass_context
def check(context: click.Context, explain: str | None, inventory: Path | None, *, as_json: bool, listing: bool) -> None:
    """Verify this host's posture.

    Each check answers ok, fail, skip (not for this platform) or unknown (not to be seen here).
    """
    from hostkit.posture.model import collect  # noqa: PLC0415
    from hostkit.report import posture as report  # noqa: PLC0415

    if inventory and (listing or explain):
        raise HostkitError("--inventory asks other hosts", "leave it away: --list and --explain tell of hostkit itself")
    if listing:
        checks = collect()
        click.echo(report.list_json(checks) if as_json else report.list_text(checks))
        return
    if explain:
        found = [one for one in collect() if one.id == explain]
        if not found:
            raise HostkitError(f"no check is called {explain!r}", "hostkit check --list names them all")
        click.echo(report.explain(found[0]))
        return
    if inventory:
        from hostkit.report.fleet import check_all  # noqa: PLC0415

        _refuse_policy(context)
        leave(int(check_all(inventory, as_json=as_json)))
    leave(_check_now(context, as_json=as_json))


def _refuse_policy(context: click.Context) -> None:
    if context.obj:
        do = "leave --policy away; hostkit_policy in the inventory says where a host's own lies"
        raise HostkitError("--policy and --inventory: each host goes by its own policy", do)


def _check_now(context: click.Context, *, as_json: bool) -> int:
    from datetime import UTC, datetime  # noqa: PLC0415

    from hostkit.host import LocalHost  # noqa: PLC0415
    from hostkit.posture.run import run  # noqa: PLC0415
    from hostkit.report import posture as report  # noqa: PLC0415

    done = run(LocalHost(), load_policy(context), datetime.now(UTC).date())
    click.echo(report.as_json(done) if as_json else report.as_text(done))
    return int(done.exit)


@cli.command()
@click.option("--check", "dry", is_flag=True, help="Say what would change; change nothing.")
@click.option("--diff", is_flag=True, help="Show each change.")
@click.option("--only", multiple=True, metavar="SUBJECT,…", help="Run these plays only: ssh, fence, …")
@click.option("--skip", multiple=True, metavar="SUBJECT,…", help="Run all plays but these.")
@click.option("--yes", "sure", is_flag=True, help="Do not ask about what the fence would cut.")
@click.option("--confirm", is_flag=True, help="Over a fresh connection: keep the fence that was just applied.")
@click.option("--confirm-from", metavar="HOST", help="Only a connection from there may confirm.")
@click.option("--undo", is_flag=True, help="Put back what bootstrap changed; with --check, only say so.")
@inventory_option
@click.pass_context
def bootstrap(
    context: click.Context,
    /,
    *,
    confirm: bool,
    undo: bool,
    confirm_from: str | None,
    inventory: Path | None,
    **wish: Any,
) -> None:
    """Harden this host with Ansible plays.

    The fence rolls back by itself unless it is confirmed within two minutes: over a new SSH connection, or at the
    console with the word that is shown. Where nobody sits at a terminal, --confirm-from says who will connect.
    """
    from hostkit.host import LocalHost  # noqa: PLC0415

    if inventory:
        _refuse_policy(context)
        if confirm or undo or confirm_from:
            do = "with --inventory each fence is confirmed from here; undo it on the host itself"
            raise HostkitError("--confirm, --undo and --confirm-from are for one host", do)
        leave(_bootstrap_all(inventory, wish))
    given = {name for name, value in {**wish, "confirm_from": confirm_from}.items() if value}
    if confirm and (given or undo):
        raise HostkitError("--confirm goes alone", "run hostkit bootstrap --confirm")
    if undo and given - {"dry"}:
        raise HostkitError("--undo takes only --check", "it undoes all that bootstrap did, or says what it would do")
    if confirm:
        from hostkit.report.kept import run_confirm  # noqa: PLC0415

        leave(int(run_confirm(LocalHost())))
    if undo:
        from hostkit.report.undo import run_undo  # noqa: PLC0415

        leave(int(run_undo(LocalHost(), dry=wish["dry"])))
    _bootstrap(context, confirm_from, wish)


def _bootstrap(context: click.Context, confirm_from: str | None, wish: dict[str, Any]) -> None:
    from hostkit.bootstrap.confirm import resolved  # noqa: PLC0415
    from hostkit.host import LocalHost  # noqa: PLC0415
    from hostkit.report.bootstrap import Wish, run_bootstrap  # noqa: PLC0415

    policy = load_policy(context)
    far = resolved(confirm_from) if confirm_from else ()
    leave(int(run_bootstrap(LocalHost(), policy, Wish(**wish, far=far))))


def _bootstrap_all(inventory: Path, wish: dict[str, Any]) -> int:
    from hostkit.report.fleet import bootstrap_all  # noqa: PLC0415

    flags = [f"--{name}" for name, key in (("diff", "diff"), ("yes", "sure")) if wish[key]]
    chosen = [word for name in ("only", "skip") for value in wish[name] for word in (f"--{name}", value)]
    return int(bootstrap_all(inventory, (*flags, *chosen), dry=wish["dry"]))
