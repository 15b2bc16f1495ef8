"""What a run of `hostkit check` found, in every form people use; one file for each form.

Each takes the same plain values (`told.py`) and returns text; what a host said neither ends a line nor opens an entry.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line asks for FORMS, and `--help` does not pay for pydantic
    from hostkit.report.check.told import Told

FORMS = ("text", "json", "sarif", "junit", "ocsf", "prometheus", "html")
WORLD_READABLE = frozenset({"prometheus"})
"""Forms that another account reads: the exporter's. All others are for their owner's eyes."""


def render(form: str, told: "Told") -> str:
    """Return a run in one of FORMS, without the last line end; each form's file is loaded only when it is asked for."""
    return str(import_module(f"hostkit.report.check.to_{form}").render(told))
