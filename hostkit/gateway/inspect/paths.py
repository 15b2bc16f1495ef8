"""A request's path and query in the one spelling that is judged; what could be read in two ways is refused."""

import re
from functools import cache
from urllib.parse import unquote_to_bytes

from hostkit.gateway.http import BadRequest

Pairs = tuple[tuple[str, str], ...]

_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TWICE = re.compile(r"%(25|5c|00)", re.IGNORECASE)
_SLASH = re.compile(r"%2f", re.IGNORECASE)


def canonical_path(target: str, *, encoded_slash: bool = False) -> str:
    """Return the path of an origin-form target with its percent signs read once; raise BadRequest if it is unclear.

    Unclear is what servers are known to read in two ways (RFC 3986 section 6): dot segments in any spelling, empty
    segments, a backslash, parameters after `;`, a fragment, an encoded percent or slash, control characters, and
    octets that are no UTF-8. With `encoded_slash` a `%2f` is part of its segment, written so.
    """
    path = target.partition("?")[0]
    if not path.startswith("/") or set(path) & set("\\;#") or "//" in path:
        raise _unclear("an empty segment, a backslash, `;` or `#`")
    if _PERCENT.search(path) or _TWICE.search(path) or (_SLASH.search(path) and not encoded_slash):
        raise _unclear("a percent sign that could be read twice, or an encoded slash")
    segments = [_decoded(_SLASH.sub("%252f", segment)) for segment in path.split("/")]
    if any(segment in {".", ".."} or segment.startswith(("..%2f", "%2f")) for segment in segments):
        raise _unclear("a dot segment")
    if any("%2f." in segment for segment in segments):
        raise _unclear("a dot after an encoded slash")
    return "/".join(segments)


def query_pairs(target: str) -> Pairs:
    """Return the names and values of a target's query, each once per mention; raise BadRequest if it is unclear."""
    return form_pairs(target.partition("?")[2], "query")


def form_pairs(text: str, where: str = "form") -> Pairs:
    """Return the pairs of `application/x-www-form-urlencoded` text (WHATWG URL); raise BadRequest if it is unclear."""
    if _PERCENT.search(text):
        raise _unclear(f"a percent sign in the {where} that encodes nothing")
    pairs = [piece.partition("=") for piece in text.split("&") if piece]
    return tuple((_word(name), _word(value)) for name, _, value in pairs)


def _word(text: str) -> str:
    return _decoded(text.replace("+", " "), controls=True)


def _decoded(text: str, *, controls: bool = False) -> str:
    try:
        decoded = unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise _unclear("octets that are no UTF-8") from None
    if not controls and any(ord(letter) < 32 or ord(letter) == 127 for letter in decoded):
        raise _unclear("a control character")
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
