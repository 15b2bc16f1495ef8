"""hostkit bootstrap: the machine that the sandboxes stand on."""

from pathlib import Path
from typing import Any

import click

from hostkit.cli.root import cli, inventory_option, leave, load_policy, refuse_policy
from hostkit.errors import HostkitError


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
    from hostkit.host import PATIENT, LocalHost  # noqa: PLC0415

    if inventory:
        refuse_policy(context)
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

        leave(int(run_confirm(LocalHost(PATIENT))))
    if undo:
        from hostkit.report.undo import run_undo  # noqa: PLC0415

        leave(int(run_undo(LocalHost(PATIENT), dry=wish["dry"])))
    _bootstrap(context, confirm_from, wish)


def _bootstrap(context: click.Context, confirm_from: str | None, wish: dict[str, Any]) -> None:
    from hostkit.bootstrap.confirm import resolved  # noqa: PLC0415
    from hostkit.host import PATIENT, LocalHost  # noqa: PLC0415
    from hostkit.report.bootstrap import Wish, run_bootstrap  # noqa: PLC0415

    policy = load_policy(context)
    far = resolved(confirm_from) if confirm_from else ()
    leave(int(run_bootstrap(LocalHost(PATIENT), policy, Wish(**wish, far=far))))


def _bootstrap_all(inventory: Path, wish: dict[str, Any]) -> int:
    from hostkit.report.fleet import bootstrap_all  # noqa: PLC0415

    flags = [f"--{name}" for name, key in (("diff", "diff"), ("yes", "sure")) if wish[key]]
    chosen = [word for name in ("only", "skip") for value in wish[name] for word in (f"--{name}", value)]
    return int(bootstrap_all(inventory, (*flags, *chosen), dry=wish["dry"]))
