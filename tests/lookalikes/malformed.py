"""Answers that no two parsers read alike, or that end where they must not: octets, written as they are."""

import gzip
import json

OK = b"HTTP/1.1 200 OK\r\n"
SMUGGLED = OK + b"Content-Length: 8\r\nX-Smuggled: yes\r\n\r\nsmuggled"

GZIP = gzip.compress(b"hello" * 99, mtime=0)


def as_json(told):
    return json.dumps(told).encode()


def _answer(*lines, body=b"hello"):
    return (OK + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body,)


def _chunked(body, *more):
    return _answer(b"Transfer-Encoding: chunked", *more, body=body)


KINDS = {
    # which of two lengths holds
    "two-lengths": _answer(b"Content-Length: 5", b"Content-Length: 9"),
    "two-equal-lengths": _answer(b"Content-Length: 5", b"Content-Length: 5"),
    "list-of-lengths": _answer(b"Content-Length: 5, 9"),
    "length-and-chunked": _chunked(b"5\r\nhello\r\n0\r\n\r\n", b"Content-Length: 3"),
    "signed-length": _answer(b"Content-Length: +5"),
    "negative-length": _answer(b"Content-Length: -5"),
    "hex-length": _answer(b"Content-Length: 0x5"),
    "huge-length": _answer(b"Content-Length: 99999999999999999999999999"),
    "chunked-twice": _answer(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked-not-last": _answer(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"),
    "unknown-coding": _answer(b"Transfer-Encoding: sideways"),
    # chunks
    "no-chunk-size": _chunked(b"\r\nhello\r\n0\r\n\r\n"),
    "bad-chunk-size": _chunked(b"5x\r\nhello\r\n0\r\n\r\n"),
    "signed-chunk-size": _chunked(b"+5\r\nhello\r\n0\r\n\r\n"),
    "huge-chunk-size": _chunked(b"fffffffffffffffff5\r\nhello\r\n0\r\n\r\n"),
    "long-chunk": _chunked(b"3\r\nhello\r\n0\r\n\r\n"),
    "long-chunk-extension": _chunked(b"5;" + b"e" * 300000 + b"\r\nhello\r\n0\r\n\r\n"),
    "bare-lf-chunks": _chunked(b"5\nhello\n0\n\n"),
    "smuggling-trailer": _chunked(b"5\r\nhello\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "endless-trailers": _chunked(b"0\r\n" + b"X: y\r\n" * 50000 + b"\r\n"),
    # too short, too long
    "short-body": _answer(b"Content-Length: 9"),
    "no-last-chunk": _chunked(b"5\r\nhello\r\n"),
    "short-gzip": _answer(b"Content-Length: 18", b"Content-Encoding: gzip", body=GZIP[:18]),
    "bad-gzip": _answer(b"Content-Length: 5", b"Content-Encoding: gzip"),
    "second-answer": _answer(b"Content-Length: 5", body=b"hello" + SMUGGLED),
    "body-of-204": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello" + SMUGGLED,),
    "answer-after-continue": (b"HTTP/1.1 100 Continue\r\n\r\n", *_answer(b"Content-Length: 5")),
    "many-continues": (b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, *_answer(b"Content-Length: 5")),
    "unasked-upgrade": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" + SMUGGLED,),
    # heads
    "no-status": (b"HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",),
    "bad-status": (b"HTTP/1.1 2x0 OK\r\nContent-Length: 5\r\n\r\nhello",),
    "status-of-four": (b"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello",),
    "version-2": (b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",),
    "version-none": (b"hello",),
    "folded-header": _answer(b"X-Folded: one", b" two", b"Content-Length: 5"),
    "space-before-colon": _answer(b"Content-Length : 5"),
    "space-in-name": _answer(b"Content Length: 5", b"Content-Length: 5"),
    "nul-in-value": _answer(b"X-Nul: a\0b", b"Content-Length: 5"),
    "cr-in-value": _answer(b"X-Split: a\rX-Injected: yes", b"Content-Length: 5"),
    "bare-lf": (OK.replace(b"\r", b"") + b"Content-Length: 5\n\nhello",),
    "no-colon": _answer(b"nonsense", b"Content-Length: 5"),
    "empty-name": _answer(b": empty", b"Content-Length: 5"),
    "high-octets": _answer(b"X-High: \xff\xfe", b"Content-Length: 5"),
    "endless-header": (OK + b"X-Endless: " + b"h" * 2000000,),
    "endless-headers": (OK + b"X: y\r\n" * 200000,),
    "half-a-head": (OK + b"Content-Le",),
    "nothing": (),
}  # fmt: skip
