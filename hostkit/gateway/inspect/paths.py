"""A request's path and query in the one spelling that is judged; what could be read in two ways is refused."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from urllib.parse import unquote_to_bytes

from hostkit.gateway.http import BadRequest

Pairs = tuple[tuple[str, str], ...]

_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TWICE = re.compile(r"%(25|5c|00)", re.IGNORECASE)
_SLASH = re.compile(r"%2f", re.IGNORECASE)
_KEPT = re.compile(r"%(2f|3b|3f|23)", re.IGNORECASE)
"""What would mean something else once it is decoded: it stays encoded, in lower case."""
_SEMICOLON = re.compile(r";[^&;]*=")
_PHP = str.maketrans(". ", "__")
_DELIMITERS = frozenset("/\\%;?#")


def canonical_path(target: str, *, encoded_slash: bool = False) -> str:
    """Return the path of an origin-form target with its percent signs read once; raise BadRequest if it is unclear.

    Unclear is what servers are known to read in two ways (RFC 3986 section 6): dot segments in any spelling, empty
    segments, a backslash, parameters after `;`, a fragment, an encoded percent or slash, control characters, octets
    that are no UTF-8, and letters that Unicode holds for one of these. An encoded `;`, `?` or `#` stays as it is
    written, and so does, with `encoded_slash`, a `%2f`. What is returned is its own canonical path.
    """
    if "#" in target:
        raise _unclear("a fragment")
    return _canonical(target.partition("?")[0], encoded_slash)


@lru_cache(maxsize=64)  # an agent asks for the same few over and over
def _canonical(path: str, encoded_slash: bool) -> str:  # noqa: FBT001 - part of the cache's key
    if not path.startswith("/") or set(path) & set("\\;") or "//" in path:
        raise _unclear("an empty segment, a backslash or `;`")
    if _PERCENT.search(path) or _TWICE.search(path) or (_SLASH.search(path) and not encoded_slash):
        raise _unclear("a percent sign that could be read twice, or an encoded slash")
    return "/".join(_segment(segment) for segment in path.split("/"))


def _segment(raw: str) -> str:
    decoded = _decoded(_KEPT.sub(lambda found: f"%25{found[1].lower()}", raw), _unclear)
    inner = decoded.split("%2f")
    if len(inner) > 1 and not all(inner):
        raise _unclear("an empty segment beside an encoded slash")
    for piece in inner:
        seen = unicodedata.normalize("NFKC", _KEPT.sub("", piece))
        if _DELIMITERS & set(seen):
            raise _unclear("a letter that some servers read as a slash or another mark")
        if seen and not seen.strip(". "):
            raise _unclear("a dot segment")
    return decoded


def query_pairs(target: str) -> Pairs:
    """Return the names and values of a target's query, each once per mention; raise BadRequest if it is unclear."""
    return _pairs(target.partition("?")[2], _unclear)


def form_pairs(text: str) -> Pairs:
    """Return the pairs of `application/x-www-form-urlencoded` text (WHATWG URL); raise BadRequest if it is unclear."""
    return _pairs(text, lambda what: BadRequest("body-unclear", f"the form holds {what}"))


def plain_name(name: str) -> str:
    """Return the name of a query's or a form's field as the laxest server reads it.

    PHP ends it at a bracket or a zero, and takes a dot or a space for `_`; others look at no case.
    """
    return re.split(r"[\[\0]", name.strip(), maxsplit=1)[0].translate(_PHP).casefold()


def _pairs(text: str, unclear: Callable[[str], BadRequest]) -> Pairs:
    if _PERCENT.search(text):
        raise unclear("a percent sign that encodes nothing")
    if _SEMICOLON.search(text):
        raise unclear("a `;` that some servers take for an `&`; write it as %3B")
    pairs = [piece.replace("+", " ").partition("=") for piece in text.split("&") if piece]
    return tuple((_word(name, unclear), _word(value, unclear)) for name, _, value in pairs)


def _word(text: str, unclear: Callable[[str], BadRequest]) -> str:
    return _decoded(text, unclear, controls=True)


def _decoded(text: str, unclear: Callable[[str], BadRequest], *, controls: bool = False) -> str:
    try:
        decoded = unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise unclear("octets that are no UTF-8") from None
    if not controls and any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in decoded):
        raise unclear("a control character")
    return decoded


def _unclear(what: str) -> BadRequest:
    return BadRequest("path-unclear", f"the address holds {what}")


def path_matches(template: str, path: str) -> bool:
    """Return whether a canonical path is one of a template's: `*` within one segment, `**` at the end for the rest."""
    return bool(_compiled(template).fullmatch(path))


@cache
def _compiled(template: str) -> re.Pattern[str]:
    stem, rest = (template[:-2], ".+") if template.endswith("/**") else (template, "")
    return re.compile("[^/]+".join(re.escape(part) for part in stem.split("*")) + rest, re.DOTALL)
