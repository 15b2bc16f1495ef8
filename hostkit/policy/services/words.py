"""What the files of services and the client's lines are both written in: places, paths, shapes and `$words`."""

import re
from collections.abc import Mapping
from itertools import product
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from hostkit.gateway.http import FRAMING
from hostkit.gateway.marks import LENGTH
from hostkit.gateway.services import header_of
from hostkit.policy.part import Part

Words = Mapping[str, tuple[str, ...]]
_WORD = re.compile(r"\$([a-z]+)")
_PATH = re.compile(r"/[A-Za-z0-9._~!&'()+,=:@*/-]*")
_PLACE = re.compile(r"header:[a-z0-9-]+=[A-Za-z0-9 ]*\{\}|query:[A-Za-z0-9_.-]+|basic")


def path_template(value: str) -> str:
    """Return a path template; raise ValueError where it could be read in two ways, or `**` is not its last segment."""
    *inner, last = value.removeprefix("/").split("/")
    odd = {"", ".", ".."} & set(inner) or last in {".", ".."} or any("**" in one for one in inner)
    if not _PATH.fullmatch(value) or odd or ("**" in last and last != "**"):
        raise ValueError(f"{value!r} is no path such as /v1/items/*/notes or /v1/**; `**` stands at the end only")
    return value


def place_template(value: str) -> str:
    """Return where a key stands; raise ValueError for a place that the gateway does not know."""
    if not _PLACE.fullmatch(value):
        raise ValueError(f"{value!r} is no place such as 'header:authorization=Bearer {{}}', 'query:key' or 'basic'")
    return value


def leaving_place(value: str) -> str:
    """Return where a key leaves; raise ValueError for a query, which servers write into their logs."""
    if value.startswith("query:"):
        raise ValueError(f"a key leaves in a header, not in {value}")
    if header_of(value) in FRAMING:
        raise ValueError(
            f"{value!r} is a header that the gateway itself writes; name the one that your service documents"
        )
    return place_template(value)


PathTemplate = Annotated[str, AfterValidator(path_template)]
LeavingPlace = Annotated[str, AfterValidator(leaving_place)]


class Shape(Part):
    """How a key looks, so that a placeholder looks the same: what it begins with, and its letters in all."""

    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
    length: Annotated[int, Field(le=512)]

    @model_validator(mode="after")
    def _has_room_for_a_mark(self) -> "Shape":
        if self.length < len(self.prefix) + LENGTH:
            raise ValueError(f"{self.length} letters are too few for {self.prefix} and a mark of {LENGTH}")
        return self


def words_in(template: str) -> frozenset[str]:
    """Return the words for which a template has a place."""
    return frozenset(_WORD.findall(template))


def expanded(template: str, words: Words) -> tuple[str, ...]:
    """Return the template once for each choice of its words' values: none at all if one of them has none."""
    names = sorted(words_in(template))
    choices = (dict(zip(names, values, strict=True)) for values in product(*(words.get(name, ()) for name in names)))
    return tuple(_WORD.sub(lambda match, chosen=chosen: chosen[match[1]], template) for chosen in choices)  # type: ignore[misc]


def expanded_all(templates: tuple[str, ...], words: Words) -> tuple[str, ...]:
    """Return what each of the templates expands to, in their order."""
    return tuple(one for template in templates for one in expanded(template, words))
