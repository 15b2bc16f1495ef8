"""Where a value stands in a request or an answer, by a path of names; every place that fits is found, not the first."""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.paths import Pairs, form_pairs, plain_name
from hostkit.gateway.services import Pin

_PARAMETER = r"""\s*;\s*[a-z0-9-]+=(?:"[^"\\]*"|[^\s;",]+)"""
_TYPE = re.compile(rf"\s*([a-z0-9.+-]+/[a-z0-9.+-]+)((?:{_PARAMETER})*)\s*;?\s*", re.IGNORECASE)
_CHARSET = re.compile(r"[\s;]charset=\"?([^\s;\"]*)", re.IGNORECASE)
_JSON = re.compile(r"application/(?!x-www-form)([a-z0-9.-]+\+)?json")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_MOST = 50_000
"""Values that a JSON text may hold. Measured, the worst takes 31 times its size of memory, and a pin of any depth a
microsecond for each value; long conversations stay under a tenth of this."""
_DEEPEST = 64
"""Levels of JSON that are read; real requests stay under a dozen."""


def parse_json(data: bytes) -> Any:
    """Return what a JSON text holds; raise BadRequest if two parsers could read it in two ways, or none at all.

    Refused: a repeated name (RFC 8259 section 4), NaN and Infinity, an encoding other than UTF-8, a byte order mark,
    nesting over 64 levels, and over 50,000 values.
    """
    _refuse_many(data)
    try:
        plain = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except BadRequest:
        raise
    except (ValueError, RecursionError):
        raise BadRequest("body-unclear", "the body is no JSON") from None
    if _depth(plain) > _DEEPEST:
        raise BadRequest("body-unclear", f"JSON nested over {_DEEPEST} levels")
    return plain


def _refuse_many(data: bytes) -> None:
    """Raise BadRequest before any of it is read where a small text would become a large thing."""
    if data.count(b",") + data.count(b"[") + data.count(b"{") <= _MOST:
        return
    frame = _STRING.sub(b"", data)
    if frame.count(b",") + frame.count(b"[") + frame.count(b"{") > _MOST:
        raise BadRequest("body-unclear", f"JSON of over {_MOST} values")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise BadRequest("body-unclear", "a name stands twice in one JSON object")
    return plain


def _no_constant(word: str) -> Any:
    raise BadRequest("body-unclear", f"{word} is no JSON")


def _depth(plain: Any) -> int:
    level, deep = [plain], 0
    while level and deep <= _DEEPEST:
        deep += 1
        level = [child for item in level for child in _children(item)]
    return deep


def _children(plain: Any) -> list[Any]:
    if isinstance(plain, dict):
        return list(plain.values())
    return plain if isinstance(plain, list) else []


def parse_body(data: bytes, content_type: str, *, nested: bool = False) -> Any:
    """Return a body's fields: JSON as it is, a form as an object of lists; raise BadRequest for any other kind.

    A form's value that is JSON itself, as Slack's clients send `blocks`, is read too; with `nested` so is a text at the
    top of a JSON body.
    """
    if not data:
        return {}
    told = _TYPE.fullmatch(content_type)
    kind = told[1].lower() if told else ""
    charsets = {found.lower() for found in _CHARSET.findall(f" {told[2]}" if told else "")}
    if charsets - {"utf-8", "utf8", "us-ascii"}:
        raise BadRequest("body-unclear", "a body in another charset than UTF-8")
    if _JSON.fullmatch(kind):
        return _opened(parse_json(data)) if nested else parse_json(data)
    if kind == "application/x-www-form-urlencoded":
        return _form(form_pairs(_text(data)))
    raise BadRequest(
        "body-unclear", f"a body of {content_type[:60] or 'no type'!r} cannot be judged here; send JSON or a form"
    )


def _opened(plain: Any) -> Any:
    if not isinstance(plain, dict):
        return plain
    return {name: _nested(value) if isinstance(value, str) else value for name, value in plain.items()}


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("body-unclear", "a form that is no UTF-8") from None


def _form(pairs: Pairs) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        if "[" in name:
            raise BadRequest("body-unclear", "a form's name with brackets; send JSON")
        if plain_name(name) == "_method":
            raise BadRequest("override", "_method says another method than the request line")
        found.setdefault(plain_name(name), []).append(_nested(value))
    return found


def _nested(value: str) -> Any:
    """Return what a form's value holds as JSON, or the value itself if it only begins like it, as `[done] all well`."""
    if value.lstrip()[:1] not in {"[", "{"}:
        return value
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parse_json(value.encode())


class Fields:
    """One body, asked for many fields: what lies at any depth is looked for in one walk, once."""

    def __init__(self, plain: Any) -> None:
        self._plain = plain

    def found(self, field: str) -> list[Any]:
        """Return every value at a dotted path: `[]` or a list in between stands for each item, `**` for any depth.

        A name is found in any case: some servers read `MODEL` as `model`.
        """
        first, *rest = field.replace("[]", "").casefold().split(".")
        if first != "**":
            return list(_walk(self._plain, [first, *rest]))
        return [value for at in self._anywhere.get(rest[0], []) for value in _walk(at, rest[1:])]

    @functools.cached_property
    def _anywhere(self) -> dict[str, list[Any]]:
        index: dict[str, list[Any]] = {}
        level = [self._plain]
        while level:
            for item in level:
                for name, value in item.items() if isinstance(item, dict) else ():
                    index.setdefault(name.casefold(), []).append(value)
            level = [child for item in level for child in _children(item)]
        return index


def found(plain: Any, field: str) -> list[Any]:
    """Return every value at a dotted path of a body, as `Fields.found` does, for who asks once."""
    return Fields(plain).found(field)


def _walk(plain: Any, names: list[str]) -> Iterator[Any]:
    if isinstance(plain, list):
        for item in plain:
            yield from _walk(item, names)
    elif not names:
        yield plain
    elif names[0] == "**":
        yield from _walk(plain, names[1:])
        for child in _children(plain):
            yield from _walk(child, names)
    elif isinstance(plain, dict):
        for name, value in plain.items():
            if name.casefold() == names[0]:
                yield from _walk(value, names[1:])


def broken(pin: Pin, values: list[Any]) -> str:
    """Return how the values at a pin's place break it, empty if they do not.

    A value is compared as text (`true`, `false`); one that ends in `*` is the beginning that it must have.
    """
    place = f"{pin.place} {pin.field}"
    if not values:
        return f"{place} is missing" if pin.required else ""
    if not pin.values:
        return f"{place} must not be there"
    return "" if all(_listed(value, pin.values) for value in values) else f"{place} holds what is not listed"


def _listed(value: Any, wanted: tuple[str, ...]) -> bool:
    if not isinstance(value, str | int):
        return False
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return any(text.startswith(one[:-1]) if one.endswith("*") else text == one for one in wanted)
