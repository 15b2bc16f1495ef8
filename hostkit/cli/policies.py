"""hostkit policy, hostkit init: the policy before anything is done with it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hostkit.cli.root import cli, load_policy
from hostkit.errors import HostkitError

if TYPE_CHECKING:
    from hostkit.host import Host


@cli.group()
def policy() -> None:
    """Check the policy, or print its JSON Schema."""


@policy.command("check")
@click.pass_context
def policy_check(context: click.Context) -> None:
    """Say everything that is wrong in the policy, with line and nearest valid word."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from hostkit.posture.model import collect  # noqa: PLC0415
    from hostkit.posture.waivers import refuse_far, refuse_unknown  # noqa: PLC0415

    found = load_policy(context)
    refuse_unknown(found, collect())
    refuse_far(found, datetime.now(UTC).date())
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
    from hostkit.host import LocalHost, apt_sources  # noqa: PLC0415
    from hostkit.policy.start import starting_policy  # noqa: PLC0415

    host = LocalHost()
    reached = {session.address for session in host.ssh_sessions()}
    resolv_conf, *sources = [_read(host, path) for path in ("/etc/resolv.conf", *apt_sources(host))]
    return starting_policy(
        host.addresses(), host.default_routes(), resolv_conf, reached, sources, registries=_registries(host)
    )


def _registries(host: "Host") -> dict[str, tuple[str, ...]]:
    """Return the hosts that pip and npm are set to, for whoever runs this."""
    from hostkit.policy import registries  # noqa: PLC0415

    pip, npm = (
        [_read(host, str(Path(file).expanduser())) for file in files]
        for files in (registries.PIP_FILES, registries.NPM_FILES)
    )
    return {"pip": registries.pip_hosts(pip, os.environ), "npm": registries.npm_hosts(npm, os.environ)}


def _read(host: "Host", path: str) -> str:
    """Return a file's text, nothing if this user may not read it or it is not there."""
    from hostkit.errors import CannotTell  # noqa: PLC0415

    try:
        return host.read(path)
    except CannotTell:
        return ""
