"""HTTP/1.1 heads: read in the one way that no parser could read otherwise, and written anew (RFC 9112)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

Headers = tuple[tuple[bytes, bytes], ...]
"""Names in small letters, and their values without the white space around them, in the order they came."""

LIMIT = 32 * 1024
"""Octets a request's head may take."""
ANSWER_LIMIT = 64 * 1024
"""Octets an answer's head may take."""
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*)")
_SIZE = re.compile(rb"[0-9]{1,18}")
_ONCE = (b"host", b"content-length", b"transfer-encoding")
_REMEMBERED = 256
"""Octets of the longest line that is remembered: a client, and a server, says nearly the same lines each time."""


class BadMessage(ValueError):  # noqa: N818 - it is an answer
    """What stands on the wire is no HTTP, or could be read in two ways; who reads it says which side that was."""


class BadRequest(ValueError):  # noqa: N818 - it is an answer
    """A request that is not judged because it is not clear; `rule` names why."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(why)
        self.rule = rule


class RequestHead(NamedTuple):
    """The head of a request; `old` is HTTP/1.0, which has no chunks and keeps no connection here."""

    method: str
    target: str
    headers: Headers
    old: bool = False


class AnswerHead(NamedTuple):
    """The head of an answer; `old` is HTTP/1.0."""

    status: int
    reason: bytes
    headers: Headers
    old: bool = False


def read_request(raw: bytes) -> RequestHead:
    """Return a request's head, given with its blank line; raise BadRequest if two parsers could read it in two ways.

    One request line of HTTP/1.0 or 1.1, whole header lines, no bare line ends, no folding, no control characters, one
    Host, and one way at most to say where the body ends.
    """
    try:
        line, headers = _lines(raw, _REQUEST_LINE, "request line")
        old = line[3] == b"0"
        told = _framed(headers, old=old)
    except BadMessage as why:
        raise BadRequest("bad-request", str(why)) from None
    if b"host" not in told and not old:
        raise BadRequest("bad-request", "no Host in HTTP/1.1")
    return RequestHead(line[1].decode(), line[2].decode(), headers, old)


def read_answer(raw: bytes) -> AnswerHead:
    """Return an answer's head, given with its blank line; raise BadMessage for what a client may not be shown."""
    line, headers = _lines(raw, _STATUS_LINE, "status line")
    old, headers = line[1] == b"0", _said_once(headers)
    _framed(headers, old=old)
    return AnswerHead(int(line[2]), line[3] or b"", headers, old)


def _lines(raw: bytes, start: re.Pattern[bytes], what: str) -> tuple[re.Match[bytes], Headers]:
    """Return the parts of a head's first line and its headers; raise BadMessage for a line that is none."""
    first, *lines = raw[:-4].split(b"\r\n")
    line = start.fullmatch(first)
    if line is None:
        raise BadMessage(f"no {what} of HTTP/1.0 or HTTP/1.1")
    return line, tuple([_field(one) if len(one) <= _REMEMBERED else read_field(one) for one in lines])


def _said_once(headers: Headers) -> Headers:
    """Return the headers with a length that was said again, in the same digits, said once (RFC 9112 section 6.3)."""
    lengths = [pair for pair in headers if pair[0] == b"content-length"]
    if len(lengths) < 2 or len(set(lengths)) > 1:
        return headers
    return (*[pair for pair in headers if pair[0] != b"content-length"], lengths[0])


def read_field(line: bytes) -> tuple[bytes, bytes]:
    """Return (name in small letters, value) of one header line; raise BadMessage if it is none."""
    found = _FIELD.fullmatch(line)
    if found is None:
        raise BadMessage("a line that is no header: folded, a bare line end, or a control character")
    return found[1].lower(), found[2].strip(b"\t ")


_field = lru_cache(maxsize=512)(read_field)


def _framed(headers: Headers, *, old: bool) -> dict[bytes, bytes]:
    """Return the headers by name; raise BadMessage if where the body ends is said in two ways, or a strange one."""
    told = dict(headers)
    if len(told) != len(headers):
        names = [name for name, _ in headers]
        if any(names.count(name) > 1 for name in _ONCE):
            raise BadMessage("a repeated Host, Content-Length or Transfer-Encoding")
    if b"transfer-encoding" in told:
        if old or b"content-length" in told:
            raise BadMessage("Transfer-Encoding in HTTP/1.0, or beside Content-Length")
        if told[b"transfer-encoding"].lower() != b"chunked":
            raise BadMessage("a Transfer-Encoding other than chunked")
    elif b"content-length" in told and not _SIZE.fullmatch(told[b"content-length"]):
        raise BadMessage("a Content-Length that is no plain number")
    return told


def keeps(head: RequestHead | AnswerHead) -> bool:
    """Return whether another message may follow on the connection."""
    said = [value for name, value in head.headers if name == b"connection"]
    return not (head.old or (said and b"close" in words(b",".join(said))))


def words(value: bytes) -> list[bytes]:
    """Return the words of a header that holds a list, in small letters."""
    return [word.strip(b"\t ") for word in value.lower().split(b",")]


def write_request(method: str, target: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a request's head as it goes on the wire; raise BadMessage if a line would end early."""
    return _written(f"{method} {target} HTTP/1.1".encode("ascii"), headers)


def write_answer(status: int, reason: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return an answer's head as it goes on the wire; raise BadMessage if a line would end early."""
    return _written(b"HTTP/1.1 %d %b" % (status, reason), headers)


def _written(first: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    lines = [first, *[b"%b: %b" % pair for pair in headers], b"", b""]
    data, ends = b"\r\n".join(lines), len(lines) - 1
    if data.count(b"\n") != ends or data.count(b"\r") != ends or b"\0" in data:
        raise BadMessage("a header whose value would end its line")
    return data


HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authorization proxy-authenticate te trailer upgrade"
    b" http2-settings transfer-encoding".split()
)
"""Headers of one connection, which never pass from one side to the other."""
FRAMING = HOP | {b"host", b"content-length"}
"""Headers that say where a message goes and where it ends; nobody but the gateway writes them."""


def end_to_end(headers: Headers) -> Headers:
    """Return the headers but for those of one connection: the known ones, and what `Connection` names."""
    gone = HOP
    for name, value in headers:
        if name == b"connection":
            gone = gone.union(words(value))
    return tuple([pair for pair in headers if pair[0] not in gone])
