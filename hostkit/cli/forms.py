"""In which forms `hostkit check` says what it found, and where."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from hostkit.errors import HostkitError
from hostkit.report.check import FORMS, WORLD_READABLE, render

if TYPE_CHECKING:
    from hostkit.report.check.told import Told

_Command = TypeVar("_Command", bound=Callable[..., object])
_SHOWN = "|".join(FORMS)


@dataclass(frozen=True)
class Out:
    """The form for standard output, and files with the form that each gets."""

    form: str
    files: tuple[tuple[str, Path], ...] = ()


def form_options(command: _Command) -> _Command:
    """Add --format, --json and --output."""
    command = click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="FORM=FILE",
        help="Write it to a file too, in one go; may be repeated.",
    )(command)
    command = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")(command)
    return click.option("--format", "form", type=click.Choice(FORMS), help="How to print it (default: text).")(command)


def chosen(form: str | None, outputs: tuple[str, ...], *, as_json: bool) -> Out:
    """Return what was asked for; raise HostkitError, before any check runs, if it cannot be written so."""
    if as_json and form not in {None, "json"}:
        raise HostkitError(f"--json and --format {form}", "give one; --output FORM=FILE writes another form to a file")
    files = tuple(_file(entry) for entry in outputs)
    places = [path.resolve() for _, path in files]
    twice = next((path for path in places if places.count(path) > 1), None)
    if twice:
        raise HostkitError(f"--output names {twice} twice", "give each form a file of its own")
    return Out(form or ("json" if as_json else "text"), files)


def _file(entry: str) -> tuple[str, Path]:
    from hostkit.posture.written import refuse_unwritable  # noqa: PLC0415

    form, equals, place = entry.partition("=")
    if form not in FORMS or not equals or not place:
        raise HostkitError(f"--output {entry!r}: no form and file", f"write it as FORM=FILE; forms: {_SHOWN}")
    path = Path(place).absolute()
    refuse_unwritable(path)
    return form, path


def say(told: "Told", out: Out) -> None:
    """Print a run, then write its files; raise HostkitError if one cannot be written."""
    click.echo(render(out.form, told))
    for form, path in out.files:
        write(path, f"{render(form, told)}\n".encode(), 0o644 if form in WORLD_READABLE else 0o600)


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole; raise HostkitError if it cannot be."""
    from hostkit.posture.written import replace  # noqa: PLC0415

    try:
        replace(path, content, mode)
    except OSError as why:
        raise HostkitError(f"{path}: {why.strerror}", "nothing was written there") from None
