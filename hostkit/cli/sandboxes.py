"""hostkit plan, launch, ps, logs, exec, stop, remove: the life of a client's sandbox."""

import json
import sys

import click

from hostkit.cli.root import cli, json_option, known, leave, open_session
from hostkit.errors import Exit, HostkitError


@cli.command()
@click.argument("client")
@click.pass_context
def plan(context: click.Context, client: str) -> None:
    """Print the launch plan; change nothing."""
    policy_found = known(context, client)
    found = open_session().plan(policy_found, client)
    click.echo(found.to_json())
    for note in found.notes:
        click.echo(f"note: {note}", err=True)


@cli.command()
@click.argument("client")
@click.pass_context
def launch(context: click.Context, client: str) -> None:
    """Prove the walls, then start the agent."""
    policy_found = known(context, client)
    done = open_session().launch(policy_found, client)
    for sentence in done.held:
        click.echo(f"held: {sentence}")
    for note in done.plan.notes:
        click.echo(f"note: {note}")
    if done.already and (kept := sorted(set(done.plan.secrets) - set(done.plan.placeholders))):
        click.echo(f"note: secrets of its start: {', '.join(kept)}; hostkit stop {client}, then launch, takes new ones")
    what = "already running, walls proved again" if done.already else "running"
    click.echo(f"{client} is {what} ({done.seconds:.1f} s)")


@cli.command()
@json_option
def ps(*, as_json: bool) -> None:
    """List the sandboxes, and why one fails.

    Exit 1 if one of them does not stand.
    """
    from hostkit.launch.overview import overview  # noqa: PLC0415

    rows = overview(open_session())
    if as_json:
        click.echo(json.dumps([row.as_dict() for row in rows], indent=1))
    else:
        for row in rows:
            click.echo(row.as_text())
    leave(Exit.STANDS if all(row.stands for row in rows) else Exit.FOUND)


@cli.command()
@click.argument("client")
@click.option("--denied", is_flag=True, help="Show what the gateway denied instead.")
@click.option("--suggest", is_flag=True, help="With --denied: the policy line that would allow each name.")
@click.option("--lines", default=200, show_default=True, type=click.IntRange(1, 100000))
@click.pass_context
def logs(context: click.Context, client: str, lines: int, *, denied: bool, suggest: bool) -> None:
    """Show what an agent wrote, or was denied."""
    from hostkit.launch.reading import agent_lines, denied_lines  # noqa: PLC0415

    known(context, client)
    session = open_session()
    found = denied_lines(session, client, suggest=suggest) if denied else agent_lines(session, client, lines)
    for line in found:
        click.echo(line)


@cli.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("client")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def exec_(context: click.Context, client: str, command: tuple[str, ...]) -> None:
    """Run a command in the client's agent.

    The exit code is the command's own; hostkit's own errors are 125.
    """
    try:
        code = _exec(context, client, command)
    except HostkitError as why:
        click.echo(f"hostkit: {why}", err=True)
        code = 125
    leave(code)


def _exec(context: click.Context, client: str, command: tuple[str, ...]) -> int:
    if not command:
        raise HostkitError("no command given", f"hostkit exec {client} -- COMMAND")
    known(context, client)
    return open_session().exec(client, list(command), _hand_on)


def _hand_on(kind: int, piece: bytes) -> None:
    stream = (sys.stderr if kind == 2 else sys.stdout).buffer
    stream.write(piece)
    stream.flush()


@cli.command()
@click.argument("client")
@click.pass_context
def stop(context: click.Context, client: str) -> None:
    """Stop a client; its workspace stays."""
    _refuse_unheard_of(context, client)
    gone = open_session().stop(client)
    click.echo(f"removed: {', '.join(gone)}" if gone else f"{client} was not running")


@cli.command()
@click.argument("client")
@click.option("--yes", is_flag=True, help="Do it; without, only say what would go.")
@click.pass_context
def remove(context: click.Context, client: str, *, yes: bool) -> None:
    """Stop a client and delete its workspace.

    Its records stay.
    """
    _refuse_unheard_of(context, client)
    session = open_session()
    if not yes:
        click.echo(f"would remove: {', '.join(session.would_remove(client)) or 'nothing'}; say --yes to do it")
        return
    click.echo(f"removed: {', '.join(session.remove(client)) or 'nothing'}")


def _refuse_unheard_of(context: click.Context, client: str) -> None:
    """Raise HostkitError unless the policy knows the client, or did when it was launched."""
    from hostkit.launch.state import State  # noqa: PLC0415

    try:
        known(context, client)
    except HostkitError:
        if client not in {*State().launched(), *_launched()}:
            raise


def _launched() -> list[str]:
    try:
        return open_session().launched()
    except HostkitError:
        return []  # then what was wrong with the policy is what there is to say
