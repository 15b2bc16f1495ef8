"""The files of services that come with hostkit, each read once."""

import json
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from hostkit.policy.read import read
from hostkit.policy.services.form import ServiceForm

Kind = Literal["slack", "anthropic", "openai", "gemini", "openrouter", "github", "generic"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FOLDER = Path(__file__).parent


@cache
def form(kind: Kind) -> ServiceForm:
    """Return what the file of this kind of service says."""
    return parsed((FOLDER / f"{kind}.yml").read_text(encoding="utf-8"))


def parsed(text: str) -> ServiceForm:
    """Return what the text of a service's file says; raise ValueError if any of it is not understood."""
    reading = read(text)
    if reading.problems:
        line, where, what = reading.problems[0]
        raise ValueError(f"line {line}: {'.'.join(map(str, where))}: {what}")
    return ServiceForm.model_validate_json(json.dumps(reading.plain))
