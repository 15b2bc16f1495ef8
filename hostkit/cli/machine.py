"""hostkit check, hostkit bootstrap: the machine that the sandboxes stand on."""

import click

from hostkit.cli.root import cli, json_option, leave, load_policy
from hostkit.errors import HostkitError


@cli.command()
@json_option
@click.option("--list", "listing", is_flag=True, help="List the checks.")
@click.option("--explain", metavar="ID", help="Say what a check looks at, and what to do when it fails.")
@click.pass_context
def check(context: click.Context, explain: str | None, *, as_json: bool, listing: bool) -> None:
    """Verify this host's posture.

    Each check answers ok, fail, skip (not for this platform) or unknown (not to be seen here).
    """
    from hostkit.posture.model import collect  # noqa: PLC0415
    from hostkit.report import posture as report  # noqa: PLC0415

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
    leave(_check_now(context, as_json=as_json))


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
@click.option("--confirm", is_flag=True, help="Over a fresh connection: keep the fence that was just applied.")
@click.pass_context
def bootstrap(context: click.Context, *, dry: bool, diff: bool, confirm: bool) -> None:
    """Harden this host with Ansible plays.

    The fence rolls back by itself unless it is confirmed over a new connection within two minutes.
    """
    from hostkit.host import LocalHost  # noqa: PLC0415
    from hostkit.report.bootstrap import run_bootstrap, run_confirm  # noqa: PLC0415

    if confirm and (dry or diff):
        raise HostkitError("--confirm goes alone", "run hostkit bootstrap --confirm")
    if confirm:
        leave(int(run_confirm(LocalHost())))
    leave(int(run_bootstrap(LocalHost(), load_policy(context), dry=dry, diff=diff)))
