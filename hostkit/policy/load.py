"""From a file to a Policy: every error at once, each with its line and the nearest word that is right."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hostkit.errors import HostkitError
from hostkit.policy.model import Policy, not_yet
from hostkit.policy.part import Part
from hostkit.policy.read import Path as TreePath
from hostkit.policy.read import Reading, read

_LIMIT = 1024 * 1024
T = TypeVar("T", bound=Part)


@dataclass(frozen=True)
class Form(Generic[T]):
    """A kind of file that hostkit takes: its type, its name, what it is, what is said of an empty one or of none."""

    kind: type[T]
    name: str
    shape: str
    empty: str
    do: str


POLICY = Form(
    Policy,
    "policy",
    "a policy is a mapping with `version`, `host` and `clients`",
    "the file is empty; `hostkit init` writes a policy to start from",
    "run `hostkit init` to write one, or give --policy FILE",
)


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file: where, and what was expected there."""

    line: int
    where: str
    what: str


class PolicyError(HostkitError):
    """A policy that is refused, with all its problems; its text has one line for each."""

    def __init__(self, path: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.where)))
        lines = [f"{path}:{p.line}: {p.where + ': ' if p.where else ''}{p.what}" for p in self.problems]
        super().__init__("\n".join(lines))


def load(path: Path) -> Policy:
    """Return the policy in `path`; raise HostkitError if it cannot be read, PolicyError with every problem in it."""
    return load_as(POLICY, path)


def parse(text: str, path: str = "hostkit.yml") -> Policy:
    """Return the policy in `text`; raise PolicyError with every problem, at once."""
    return parse_as(POLICY, text, path)


def load_as(form: Form[T], path: Path) -> T:
    """Return what a file of this form says; raise as `load` does."""
    return parse_as(form, _text(form, path), str(path))


def parse_as(form: Form[T], text: str, path: str) -> T:
    """Return what a text of this form says; raise PolicyError with every problem, at once."""
    reading = read(text, form.empty)
    problems = [Problem(line, _dotted(where), what) for line, where, what in reading.problems]
    if not isinstance(reading.plain, dict):
        raise PolicyError(path, problems or [Problem(1, "", form.shape)])
    found, wrong = _validate(form.kind, reading, path)
    if problems or wrong or found is None:
        raise PolicyError(path, [*problems, *wrong])
    return found


def _text(form: Form[Any], path: Path) -> str:
    try:
        if path.stat().st_size > _LIMIT:
            raise HostkitError(f"{path}: over 1 MiB", f"a {form.name} is a page or two; is this the right file?")
        with path.open(encoding="utf-8", newline="") as file:  # as it is: Windows line ends are refused, not read away
            return file.read()
    except FileNotFoundError:
        raise HostkitError(f"{path}: no such {form.name}", form.do) from None
    except UnicodeDecodeError:
        raise HostkitError(f"{path}: not UTF-8 text", f"save the {form.name} as UTF-8") from None
    except OSError as why:
        raise HostkitError(f"{path}: {why.strerror}", f"give a {form.name} you can read") from None


def _validate(kind: type[T], reading: Reading, path: str) -> tuple[T | None, list[Problem]]:
    plain = {key: value for key, value in reading.plain.items() if key != "path"}
    stray = [Problem(reading.line(("path",)), "path", "unknown")] if "path" in reading.plain else []
    try:
        found = kind.model_validate_json(json.dumps({**plain, "path": path}))
    except ValidationError as why:
        return None, [*stray, *(_problem(kind, error, reading) for error in _own(why.errors()))]
    return found, stray


def _own(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Return the errors less those of a list that is too short only because what stands in it is wrong."""
    inner = [error["loc"] for error in errors]
    return [e for e in errors if e["type"] != "too_short" or not any(e["loc"] == o[:-1] for o in inner)]


def _problem(kind: type[Part], error: ErrorDetails, reading: Reading) -> Problem:
    where = tuple(part for part in error["loc"] if part != "[key]")
    return Problem(reading.line(where), _dotted(where), _what(kind, error, where))


def _what(kind: type[Part], error: ErrorDetails, where: TreePath) -> str:
    given = error.get("input")
    if error["type"] == "extra_forbidden":
        return _unknown(kind, where)
    if error["type"] == "too_short":
        return "is empty; name at least one"
    if error["type"] == "missing":
        return "missing"
    if error["type"] == "bool_type":
        return f"expected true or false, not {given!r}; write {_bool_word(given)}"
    if error["type"] == "value_error":
        return error["msg"].removeprefix("Value error, ")
    message = error["msg"].removeprefix("Input should be ")
    near = _nearest(given, error.get("ctx", {}).get("expected", ""))
    shown = "" if isinstance(given, dict | list) else f", not {given!r}"
    return f"expected {message}{shown}{near}"


def _bool_word(given: Any) -> str:
    return "true" if str(given).lower() in {"yes", "on", "y", "1"} else "false"


def _nearest(given: Any, expected: str) -> str:
    words = [word.strip("' ") for word in str(expected).replace(" or ", ", ").split(",")]
    close = difflib.get_close_matches(str(given), words, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _unknown(whole: type[Part], where: TreePath) -> str:
    kind = _kind_at(whole, where[:-1])
    key = str(where[-1])
    if kind is None:
        return "unknown"
    if key in not_yet(kind):
        return f"not yet: {not_yet(kind)[key]}"
    known = [name for name in kind.model_fields if name != "path"]
    close = difflib.get_close_matches(key, known, 1)
    return f"unknown; did you mean {close[0]}?" if close else f"unknown; known here: {', '.join(known)}"


def _kind_at(whole: type[Part], where: TreePath) -> type[BaseModel] | None:
    kind: Any = whole
    for part in where:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found = kind.model_fields.get(str(part))
            kind = _given(found.annotation) if found else None
        else:
            kind = _inner(kind)
        if kind is None:
            return None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _given(kind: Any) -> Any:
    """Return what stands in a part that may be left out, any other kind as it is."""
    arguments = get_args(kind)
    return next(entry for entry in arguments if entry is not NoneType) if NoneType in arguments else kind


def _inner(kind: Any) -> Any:
    arguments = [entry for entry in get_args(kind) if entry is not Ellipsis]
    return _given(arguments[-1]) if arguments else None


def _dotted(where: TreePath) -> str:
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
