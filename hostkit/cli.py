"""Words in, exit code out; decides nothing."""

import gc
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostkit import __version__
from hostkit.errors import Exit, HostkitError

if TYPE_CHECKING:
    from hostkit.launch.session import Session
    from hostkit.policy.model import Policy

_PLACES = ("hostkit.yml", "hostkit.yaml", "/etc/hostkit/hostkit.yml")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hostkit")
@click.option("--policy", "policies", multiple=True, metavar="FILE", help="The policy (default: hostkit.yml here).")
@click.pass_context
def cli(context: click.Context, policies: tuple[str, ...]) -> None:
    """Run an always-on AI agent on this machine as an untrusted actor.

    Exit codes: 0 stands, 1 found or escaped, 2 called wrongly or refused, 3 could not tell.
    """
    context.obj = policies


def _policy_path(policies: tuple[str, ...]) -> Path:
    if len(policies) > 1:
        raise HostkitError("two policies given", "give --policy once")
    if policies:
        return Path(policies[0]).absolute()
    found = [Path(place).absolute() for place in _PLACES if Path(place).exists()]
    if len(found) > 1:
        raise HostkitError(f"two policies: {found[0]} and {found[1]}", "say which with --policy FILE")
    return found[0] if found else Path(_PLACES[0]).absolute()


def _load(context: click.Context) -> "Policy":
    from hostkit.policy import load  # noqa: PLC0415 - `--help` does not pay for pydantic

    return load(_policy_path(context.obj))


def _session() -> "Session":
    from hostkit.engine import connect  # noqa: PLC0415 - lazy, as every import below
    from hostkit.host import LocalHost  # noqa: PLC0415
    from hostkit.launch.session import Session  # noqa: PLC0415
    from hostkit.launch.state import State  # noqa: PLC0415

    return Session(connect(), LocalHost(), State())


def _exit(code: int) -> None:
    raise SystemExit(code)


@cli.group()
def policy() -> None:
    """Check the policy, or print its JSON Schema."""


@policy.command("check")
@click.pass_context
def policy_check(context: click.Context) -> None:
    """Say everything that is wrong in the policy, with line and nearest valid word."""
    found = _load(context)
    click.echo(f"{found.path}: stands; clients: {', '.join(sorted(found.clients)) or 'none yet'}")


@policy.command("schema")
def policy_schema() -> None:
    """Print the policy's JSON Schema, for your editor."""
    from hostkit.policy.schema import schema_text  # noqa: PLC0415

    click.echo(schema_text(), nl=False)


@cli.command()
@click.option("--output", default="hostkit.yml", help="Where to write it.", show_default=True)
def init(output: str) -> None:
    """Write a commented policy to start from.

    It holds what this host shows, and never replaces a file that is there.
    """
    try:
        with Path(output).open("x", encoding="utf-8") as file:
            file.write(_starting_policy())
    except FileExistsError:
        raise HostkitError(f"{output} is there already", "give another --output") from None
    except OSError as why:
        raise HostkitError(f"{output}: {why.strerror}", "give an --output you may write") from None
    click.echo(f"wrote {output}; add a client, then: hostkit policy check")


def _starting_policy() -> str:
    from hostkit.errors import CannotTell  # noqa: PLC0415
    from hostkit.host import LocalHost  # noqa: PLC0415
    from hostkit.policy.start import starting_policy  # noqa: PLC0415

    host = LocalHost()
    try:
        resolv_conf = host.read("/etc/resolv.conf")
    except CannotTell:
        resolv_conf = ""
    reached = {session.address for session in host.ssh_sessions()}
    return starting_policy(host.addresses(), host.default_routes(), resolv_conf, reached)


@cli.command()
@click.argument("client")
@click.pass_context
def plan(context: click.Context, client: str) -> None:
    """Print the launch plan; change nothing."""
    policy_found = _known(context, client)
    found = _session().plan(policy_found, client)
    click.echo(found.to_json())
    for note in found.notes:
        click.echo(f"note: {note}", err=True)


@cli.command()
@click.argument("client")
@click.pass_context
def launch(context: click.Context, client: str) -> None:
    """Prove the walls, then start the agent."""
    policy_found = _known(context, client)
    done = _session().launch(policy_found, client)
    for sentence in done.held:
        click.echo(f"held: {sentence}")
    for note in done.plan.notes:
        click.echo(f"note: {note}")
    if done.already and done.plan.secrets:
        click.echo(f"note: its secrets are those of its start; hostkit stop {client}, then launch, takes new ones")
    what = "already running, walls proved again" if done.already else "running"
    click.echo(f"{client} is {what} ({done.seconds:.1f} s)")


@cli.command()
@_json_option
def ps(*, as_json: bool) -> None:
    """List the sandboxes, and why one fails.

    Exit 1 if one of them does not stand.
    """
    from hostkit.launch.overview import overview  # noqa: PLC0415

    rows = overview(_session())
    if as_json:
        click.echo(json.dumps([row.as_dict() for row in rows], indent=1))
    else:
        for row in rows:
            click.echo(row.as_text())
    _exit(Exit.STANDS if all(row.stands for row in rows) else Exit.FOUND)


@cli.command()
@click.argument("client")
@click.option("--denied", is_flag=True, help="Show what the gateway denied instead.")
@click.option("--suggest", is_flag=True, help="With --denied: the policy line that would allow each name.")
@click.option("--lines", default=200, show_default=True, type=click.IntRange(1, 100000))
@click.pass_context
def logs(context: click.Context, client: str, lines: int, *, denied: bool, suggest: bool) -> None:
    """Show what an agent wrote, or was denied."""
    from hostkit.launch.reading import agent_lines, denied_lines  # noqa: PLC0415

    _known(context, client)
    session = _session()
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
    _exit(code)


def _exec(context: click.Context, client: str, command: tuple[str, ...]) -> int:
    if not command:
        raise HostkitError("no command given", f"hostkit exec {client} -- COMMAND")
    _known(context, client)
    return _session().exec(client, list(command), _hand_on)


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
    gone = _session().stop(client)
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
    session = _session()
    if not yes:
        click.echo(f"would remove: {', '.join(session.would_remove(client)) or 'nothing'}; say --yes to do it")
        return
    click.echo(f"removed: {', '.join(session.remove(client)) or 'nothing'}")


def _known(context: click.Context, client: str) -> "Policy":
    """Return the policy; raise HostkitError, before any engine is asked, if it has no such client."""
    from hostkit.launch.plan import find_client  # noqa: PLC0415

    found = _load(context)
    find_client(found, client)
    return found


def _refuse_unheard_of(context: click.Context, client: str) -> None:
    """Raise HostkitError unless the policy knows the client, or did when it was launched."""
    from hostkit.launch.state import State  # noqa: PLC0415

    try:
        _known(context, client)
    except HostkitError:
        if client not in {*State().launched(), *_launched()}:
            raise


def _launched() -> list[str]:
    try:
        return _session().launched()
    except HostkitError:
        return []  # then what was wrong with the policy is what there is to say


@cli.command()
@_json_option
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
    _exit(_check_now(context, as_json=as_json))


def _check_now(context: click.Context, *, as_json: bool) -> int:
    from datetime import UTC, datetime  # noqa: PLC0415

    from hostkit.host import LocalHost  # noqa: PLC0415
    from hostkit.posture.run import run  # noqa: PLC0415
    from hostkit.report import posture as report  # noqa: PLC0415

    done = run(LocalHost(), _load(context), datetime.now(UTC).date())
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
    _exit(int(run_confirm(LocalHost()) if confirm else run_bootstrap(LocalHost(), _load(context), dry=dry, diff=diff)))


@cli.command()
@click.argument("client", required=False)
@click.option("--only", multiple=True, metavar="ID|GROUP", help="Only these probes; may be given more than once.")
@click.option("--quick", is_flag=True, help="Leave out the question which wall holds alone.")
@click.option("--list", "listing", is_flag=True, help="List the probes and the walls they attack.")
@_json_option
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
    outcomes = _drill_now(_load(context), client, chosen, controls, quick=quick)
    click.echo(report.as_json(client, outcomes) if as_json else report.as_text(client, outcomes))
    _exit(int(exit_code(outcomes)))


def _drill_now(policy_found: "Policy", client: str, probes: Any, controls: Any, *, quick: bool) -> Any:
    from hostkit.drill.lab import EngineLab  # noqa: PLC0415
    from hostkit.drill.run import drill as run_drill  # noqa: PLC0415

    with EngineLab(_session(), policy_found, client) as lab:
        show = sys.stderr.isatty()
        progress = (lambda place: click.echo(f"  {place}", err=True)) if show else (lambda _: None)
        return run_drill(lab, probes, controls, singles=not quick, progress=progress)


@contextmanager
def _tidy_ends() -> Iterator[None]:
    """Let Ctrl-C, a service manager's stop and a lost terminal end a command as an error does: it tidies up first.

    Left to themselves the last two would end it at once, with half a sandbox up and an agent nobody has read back.
    """
    wanted = [n for n in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _end) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: object) -> None:
    for other in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)  # tidying up is not to be cut short, but by a second Ctrl-C
    raise SystemExit(128 + number)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; every refusal is one clear line on stderr and its exit code."""
    gc.set_threshold(
        100_000, 50, 50
    )  # a command lives for seconds: tidying up while it starts costs more than it frees
    try:
        with _tidy_ends():
            cli.main(arguments, standalone_mode=True)
    except HostkitError as why:
        click.echo(f"hostkit: {why}", err=True)
        raise SystemExit(int(why.code)) from None
