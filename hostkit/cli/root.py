"""The command `hostkit` itself, and what its commands share: which policy, which engine, which exit code."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hostkit import __version__
from hostkit.errors import HostkitError

if TYPE_CHECKING:
    from hostkit.launch.session import Session
    from hostkit.policy.model import Policy

_PLACES = ("hostkit.yml", "hostkit.yaml", "/etc/hostkit/hostkit.yml")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
inventory_option = click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    metavar="HOSTS.YML",
    help="Do it on all these hosts, over SSH (an inventory as Ansible takes it).",
)


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


def load_policy(context: click.Context) -> "Policy":
    """Return the policy that the command was given, or the one that lies here; raise HostkitError if it is refused."""
    from hostkit.policy import load  # noqa: PLC0415 - `--help` does not pay for pydantic

    return load(_policy_path(context.obj))


def refuse_policy(context: click.Context) -> None:
    """Raise HostkitError if the command was given a policy of this machine along with other hosts."""
    if context.obj:
        do = "leave --policy away; hostkit_policy in the inventory says where a host's own lies"
        raise HostkitError("--policy and --inventory: each host goes by its own policy", do)


def known(context: click.Context, client: str) -> "Policy":
    """Return the policy; raise HostkitError, before any engine is asked, if it has no such client."""
    from hostkit.launch.plan import find_client  # noqa: PLC0415

    found = load_policy(context)
    find_client(found, client)
    return found


def open_session() -> "Session":
    """Return a session on this machine's engine; raise CannotTell if none answers."""
    from hostkit.engine import connect  # noqa: PLC0415 - lazy, as every import below
    from hostkit.host import PATIENT, LocalHost  # noqa: PLC0415
    from hostkit.launch.session import Session  # noqa: PLC0415
    from hostkit.launch.state import State  # noqa: PLC0415

    return Session(connect(), LocalHost(PATIENT), State())


def leave(code: int) -> None:
    """End the command with an exit code."""
    raise SystemExit(code)
