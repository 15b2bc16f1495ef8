"""hostkit gateway: what is done to a gateway while its agent runs, and what a policy would make of its records."""

import sys
from pathlib import Path

import click

from hostkit.cli.root import cli, known, leave, load_policy, open_session
from hostkit.errors import Exit, HostkitError

_BY = "hostkit gateway stop"
_everyone = click.option("--all", "everyone", is_flag=True, help="Every client that was launched here.")


@cli.group()
def gateway() -> None:
    """Stop a gateway, test its rules, renew it."""


@gateway.command()
@click.argument("clients", nargs=-1)
@_everyone
def stop(clients: tuple[str, ...], *, everyone: bool) -> None:
    """Let nothing out any more: what is open is cut.

    It stays so over restarts, and no launch opens it, until `hostkit gateway go`. Exit 3 if one does not say so.
    """
    _throw(clients, everyone=everyone, stopped=True)


@gateway.command()
@click.argument("clients", nargs=-1)
@_everyone
def go(clients: tuple[str, ...], *, everyone: bool) -> None:
    """Set a stopped gateway going again."""
    _throw(clients, everyone=everyone, stopped=False)


def _throw(clients: tuple[str, ...], *, everyone: bool, stopped: bool) -> None:
    from hostkit.launch import gateways  # noqa: PLC0415
    from hostkit.launch.state import State  # noqa: PLC0415

    chosen, unsure = gateways.named(State(), clients, everyone=everyone), False
    if stopped:
        gateways.hold(State(), chosen, _BY)  # before an engine is asked, which may not answer
    session = open_session()
    for name in chosen:
        done = gateways.stop(session, name, _BY) if stopped else gateways.go(session, name)
        running = session.engine.inspect(f"hostkit-{name}-gateway") is not None
        unsure |= running and not done
        word = "stopped" if stopped else "going"
        click.echo(f"{name}: {word}" if done else f"{name}: {_not_yet(word, running=running)}")
    leave(Exit.CANNOT_TELL if unsure else Exit.STANDS)


def _not_yet(word: str, *, running: bool) -> str:
    return f"its gateway has not said that it is {word}; hostkit ps says why" if running else f"{word}, and not running"


@gateway.command()
@click.argument("clients", nargs=-1)
@_everyone
@click.pass_context
def renew(context: click.Context, clients: tuple[str, ...], *, everyone: bool) -> None:
    """Renew the certificates that it shows its agent.

    The rules stay, nothing restarts, no secret is fetched. The daily timer does this.
    """
    from hostkit.launch import gateways  # noqa: PLC0415
    from hostkit.launch.state import State  # noqa: PLC0415

    policy, chosen = load_policy(context), gateways.named(State(), clients, everyone=everyone)
    session = open_session()
    running = set(session.launched())
    code = Exit.STANDS
    for name in [name for name in chosen if name in running and name in policy.clients]:
        try:
            renewed = gateways.renew(session, policy, name)
        except HostkitError as why:  # a gateway that is stopped keeps no other from its fresh leaves
            click.echo(f"{name}: {why}", err=True)
            code = why.code
            continue
        click.echo(f"{name}: {'renewed' if renewed else 'opens nothing, so there is nothing to renew'}")
    leave(code)


@gateway.command()
@click.argument("records", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--client", "name", required=True, help="Whose records they are.")
@click.pass_context
def test(context: click.Context, records: Path, name: str) -> None:
    """Judge recorded requests by this policy.

    RECORDS is a gateway's requests.jsonl, or - for standard input. Nothing runs and nothing is asked. Exit 1 if
    something would change.
    """
    from hostkit.launch.plan import rules_alone  # noqa: PLC0415
    from hostkit.launch.reading import safe  # noqa: PLC0415
    from hostkit.launch.replay import replay  # noqa: PLC0415

    judged, changes = replay(_lines(records), name, rules_alone(known(context, name), name))
    if not judged:
        raise HostkitError(
            f"{records}: no record of {name}", f"docker cp hostkit-{name}-gateway:/records/requests.jsonl ."
        )
    for change in changes:
        said = f"would be denied ({change.now})" if change.now else f"would be allowed, was denied ({change.then})"
        click.echo(safe(f"{change.times:6d}  {change.asked}  {said}"))
    click.echo(f"{judged} records judged, {len(changes)} kinds of request would end otherwise")
    leave(Exit.FOUND if changes else Exit.STANDS)


def _lines(records: Path) -> list[str]:
    if str(records) == "-":
        return sys.stdin.read().splitlines()
    try:
        return records.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as why:
        raise HostkitError(f"{records}: {why.strerror}", "name a gateway's requests.jsonl") from None
