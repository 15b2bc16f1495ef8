"""hostkit attest: what `hostkit check --attest` signed, for whoever has to rely on it."""

from pathlib import Path

import click

from hostkit.cli.root import cli, leave
from hostkit.errors import HostkitError

_file = click.Path(path_type=Path, dir_okay=False)


@cli.group()
def attest() -> None:
    """Verify a signed proof of a host's posture."""


@attest.command()
def key() -> None:
    """Print this host's public key; give it to whoever verifies, by a way that you both trust."""
    from hostkit.health import state_directory  # noqa: PLC0415
    from hostkit.posture.keys import private_key, public_pem  # noqa: PLC0415

    click.echo(public_pem(private_key(state_directory())), nl=False)


@attest.command()
@click.argument("proof", type=_file)
@click.option("--key", "key_file", type=_file, required=True, help="What `hostkit attest key` printed on that host.")
@click.option("--results", type=_file, help="The run's JSON (`--output json=FILE`): is it the one that was attested?")
def verify(proof: Path, key_file: Path, results: Path | None) -> None:
    """Say who attested what, when, and whether it stands now.

    Exit codes: 0 it stands, 1 not genuine or the host had failures, 2 no proof, 3 it ran out or could not tell.
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from hostkit.posture.keys import public_key  # noqa: PLC0415
    from hostkit.posture.proof import judge, read  # noqa: PLC0415
    from hostkit.posture.seal import LONGEST, key_id, opened  # noqa: PLC0415
    from hostkit.report.proof import as_text, refuse_other_results  # noqa: PLC0415

    public = public_key(key_file)
    told = read(opened(_content(proof, LONGEST), public))
    if results:
        refuse_other_results(told, _content(results, 64 * LONGEST), str(results))
    verdict = judge(told, datetime.now(UTC))
    click.echo(as_text(told, key_id(public), verdict))
    leave(int(verdict[0]))


def _content(path: Path, longest: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(longest + 1)
    except OSError as why:
        raise HostkitError(f"{path}: {why.strerror}", "give a file that you can read") from None
