"""hostkit drill: the walls attacked."""

import sys
from typing import TYPE_CHECKING, Any

import click

from hostkit.cli.root import cli, json_option, leave, load_policy, open_session
from hostkit.errors import HostkitError

if TYPE_CHECKING:
    from hostkit.policy.model import Policy


@cli.command()
@click.argument("client", required=False)
@click.option("--only", multiple=True, metavar="ID|GROUP", help="Only these probes; may be given more than once.")
@click.option("--quick", is_flag=True, help="Leave out the question which wall holds alone.")
@click.option("--list", "listing", is_flag=True, help="List the probes and the walls they attack.")
@json_option
@click.pass_context
def drill(  # noqa: PLR0913 - one argument per option
    context: click.Context, client: str | None, only: tuple[str, ...], *, quick: bool, listing: bool, as_json: bool
) -> None:
    """Attack a running client's walls.

    Each probe runs from inside, and in a twin with its walls taken out, where it must get through.
    """
    from hostkit.drill.judge import exit_code  # noqa: PLC0415
    from hostkit.drill.model import collect_all, select  # noqa: PLC0415
    from hostkit.report import drill as report  # noqa: PLC0415

    probes, controls = collect_all()
    chosen = select(probes, only)
    if listing:
        click.echo(report.listing(chosen), nl=False)
        return
    if client is None:
        raise HostkitError("no client given", "hostkit drill CLIENT")
    outcomes = _drill_now(load_policy(context), client, chosen, controls, quick=quick)
    click.echo(report.as_json(client, outcomes) if as_json else report.as_text(client, outcomes))
    leave(int(exit_code(outcomes)))


def _drill_now(policy_found: "Policy", client: str, probes: Any, controls: Any, *, quick: bool) -> Any:
    from hostkit.drill.lab import EngineLab  # noqa: PLC0415
    from hostkit.drill.run import drill as run_drill  # noqa: PLC0415

    with EngineLab(open_session(), policy_found, client) as lab:
        show = sys.stderr.isatty()
        progress = (lambda place: click.echo(f"  {place}", err=True)) if show else (lambda _: None)
        return run_drill(lab, probes, controls, singles=not quick, progress=progress)
