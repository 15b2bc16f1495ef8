"""The echo host: says what it was asked, in every form in which an answer may come. `PAGES` lists its addresses."""

import asyncio
import gzip
import hashlib
import itertools
import zlib

from tests.lookalikes import malformed
from tests.lookalikes.sockets import Socket

PIECE = 65536


async def serve(exchange):
    """Answer by the first part of the path; a page that is about bodies reads its own, or does not."""
    first = exchange.path.split("/")[1]
    page = PAGES.get(first, reflect)
    if page not in (early, go_on):
        await exchange.body()
    await page(exchange)


serve.reads_itself = True


async def reflect(exchange):
    """/ANY?encode=gzip|deflate|raw&pieces=N&status=N&header=NAME:VALUE: method, headers and body, as JSON."""
    query = exchange.query
    headers = [tuple(query["header"].split(":", 1))] if "header" in query else []
    told = _shown(exchange)
    if "encode" not in query and "pieces" not in query:
        return await exchange.answer(int(query.get("status", 200)), told, headers)
    octets = _packed(malformed.as_json(told), query.get("encode", ""))
    if "encode" in query:
        headers.append(("Content-Encoding", query["encode"].replace("raw", "deflate")))
    size = int(query.get("pieces", len(octets)))
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    return await exchange.stream(pieces, 0, headers, "application/json")


def _shown(exchange):
    return {
        "method": exchange.method,
        "target": exchange.target,
        "version": exchange.request.http_version.decode(),
        "headers": exchange.headers,
        "body": exchange.octets.decode("utf-8", "backslashreplace"),
        "size": len(exchange.octets),
        "digest": hashlib.sha256(exchange.octets).hexdigest(),
    }


def _packed(octets, how):
    if how == "gzip":
        return gzip.compress(octets, mtime=0)
    if how == "deflate":
        return zlib.compress(octets)
    raw = zlib.compressobj(wbits=-15)
    return raw.compress(octets) + raw.flush() if how == "raw" else octets


async def octets(exchange):
    """/bytes/N?chunked=1: so many octets, the same every time."""
    left = int(exchange.path.split("/")[2])
    length = [] if "chunked" in exchange.query else [("Content-Length", str(left))]
    await exchange.start(200, [("Content-Type", "application/octet-stream"), *length])
    while left and exchange.method != "HEAD":
        await exchange.send(b"x" * min(left, PIECE))
        left -= min(left, PIECE)
    await exchange.end()


async def drip(exchange):
    """/drip?count=N&size=N&delay=S: small pieces, slowly."""
    piece = b"d" * int(exchange.query.get("size", 1))
    await exchange.stream([piece] * int(exchange.query.get("count", 10)), _delay(exchange), kind="text/plain")


async def events(exchange):
    """/events?count=N&delay=S: an event stream; without a count it never ends."""
    count = int(exchange.query["count"]) if "count" in exchange.query else None
    numbers = range(count) if count is not None else itertools.count()
    await exchange.stream((f"id: {number}\ndata: event {number}\n\n".encode() for number in numbers), _delay(exchange))


def _delay(exchange):
    return float(exchange.query.get("delay", 0.05))


async def redirect(exchange):
    """/redirect?to=URL&status=N."""
    await exchange.answer(int(exchange.query.get("status", 302)), b"", [("Location", exchange.query.get("to", "/"))])


async def socket(exchange):
    """/socket?pieces=N: a WebSocket that sends each message back, in so many fragments, until `bye`."""
    opened = Socket(exchange, exchange.say)
    await opened.accept()
    async for message in opened:
        if message == "bye":
            await opened.close(1000, "bye")
        elif isinstance(message, str):
            await opened.text(message, int(exchange.query.get("pieces", 1)))
        else:
            await opened.octets(message)


async def early(exchange):
    """/early?keep=1: 413 before the body was read, then the end; with keep 200 at once, and the body is read after."""
    keep = "keep" in exchange.query
    await exchange.answer(200 if keep else 413, b"early", [] if keep else [("Connection", "close")])
    if keep:
        await exchange.body()


async def go_on(exchange):
    """/continue?mode=late|refuse: 100 only after a while; 417 and no body is read."""
    if exchange.query.get("mode") == "refuse":
        return await exchange.answer(417, b"refused", [("Connection", "close")])
    await asyncio.sleep(_delay(exchange) if exchange.query.get("mode") == "late" else 0)
    await exchange.body()
    return await reflect(exchange)


async def trailers(exchange):
    """/trailers: chunks, then trailers: the body's digest, and the key that came, for whoever must scrub it."""
    await exchange.start(200, [("Content-Type", "text/plain"), ("Trailer", "X-Digest, X-Reflected")])
    await exchange.send(b"with trailers")
    digest = hashlib.sha256(b"with trailers").hexdigest()
    await exchange.end([("X-Digest", digest), ("X-Reflected", exchange.header("authorization"))])


async def old(exchange):
    """/close?bytes=N: HTTP/1.0, no length, ended by the connection's end."""
    body = b"c" * int(exchange.query.get("bytes", 5))
    await exchange.raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body)


async def headers(exchange):
    """/headers?size=N&count=N: so many headers of that size, and the key that came in one of them."""
    size, count = int(exchange.query.get("size", 16)), int(exchange.query.get("count", 1))
    many = [(f"X-Big-{number}", "h" * size) for number in range(count)]
    await exchange.answer(200, b"headers", [*many, ("X-Reflected", exchange.header("authorization"))])


async def bomb(exchange):
    """/bomb?mib=N&encode=gzip|deflate|raw: zeros, a thousandth of their size on the way."""
    how = exchange.query.get("encode", "gzip")
    packer = zlib.compressobj(9, wbits={"gzip": 31, "deflate": 15, "raw": -15}[how])
    zeros = bytes(1024 * 1024)
    encoding = how.replace("raw", "deflate")
    await exchange.start(200, [("Content-Type", "text/plain"), ("Content-Encoding", encoding)])
    for _ in range(int(exchange.query.get("mib", 100))):
        await exchange.send(packer.compress(zeros))
    await exchange.send(packer.flush())
    await exchange.end()


async def stall(exchange):
    """/stall?after=head|half: silence before the answer, after its head, or half way; the connection stays open."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    await exchange.raw({"head": head, "half": head + b"01234"}.get(exchange.query.get("after"), b""))
    while await exchange.wire.reader.read(65536):
        pass


async def broken(exchange):
    """/malformed/KIND: an answer that no client should take; /malformed lists the kinds."""
    answer = malformed.KINDS.get(exchange.path.removeprefix("/malformed").strip("/"))
    if answer is None:
        return await exchange.answer(200, sorted(malformed.KINDS))
    return await exchange.raw(*answer, pause=0.02)


PAGES = {
    "bytes": octets, "drip": drip, "events": events, "redirect": redirect, "socket": socket, "early": early,
    "continue": go_on, "trailers": trailers, "close": old, "headers": headers, "bomb": bomb, "stall": stall,
    "malformed": broken,
}  # fmt: skip
