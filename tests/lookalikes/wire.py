"""One HTTP/1.1 connection of the look-alikes: requests as they come, answers whole, in pieces, or as raw octets."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import h11

MOST_IN_HEADERS = 256 * 1024


class Wire:
    """A connection: h11 for what is well-formed, the writer itself for what must not be."""

    def __init__(self, reader, writer, about):
        self.reader, self.writer, self.about = reader, writer, about
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_IN_HEADERS)
        self.left, self.count = False, 0

    async def event(self):
        """Return h11's next event, reading as long as it needs more."""
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self.http.receive_data(await self.reader.read(65536))

    async def send(self, event):
        await self.put(self.http.send(event) or b"")

    async def put(self, octets):
        """Write octets as they are, past h11."""
        self.writer.write(octets)
        await self.writer.drain()

    async def next(self):
        """Return the next exchange, or None when the connection is not to be used again."""
        if self.count:
            if self.left or self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
                return None
            self.http.start_next_cycle()
        event = await self.event()
        self.count += 1
        return Exchange(self, event) if isinstance(event, h11.Request) else None


class Exchange:
    """One request and its answer."""

    def __init__(self, wire, request):
        self.wire, self.method, self.request = wire, request.method.decode(), request
        self.target = request.target.decode("ascii", "backslashreplace")
        self.headers = [(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw_items()]
        parts = urlsplit(self.target)
        self.path, self.query = parts.path, {key: values[-1] for key, values in parse_qs(parts.query, True).items()}
        self.host = (self.header("host") or parts.netloc).rpartition("@")[2].partition(":")[0].lower()
        self.octets, self.whole = b"", False

    def header(self, name):
        """Return a header's value; of several the first, empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    async def body(self):
        """Return the whole body, saying 100 Continue first where the client waits for it."""
        while not self.whole:
            event = await self.wire.event()
            if isinstance(event, h11.Data):
                self.octets += bytes(event.data)
            self.whole = self.whole or not isinstance(event, h11.Data)
        return self.octets

    def fields(self):
        """Return the body, already read, as a mapping: JSON or a form; and the query's fields where it has none."""
        if "json" in self.header("content-type"):
            return {**self.query, **json.loads(self.octets or b"{}")}
        form = parse_qs(self.octets.decode("utf-8", "replace"), True)
        return {**self.query, **{key: values[-1] for key, values in form.items()}}

    async def answer(self, status, body=b"", headers=(), kind="text/plain"):
        """Give a whole answer; a mapping or a list becomes JSON."""
        if not isinstance(body, bytes):
            body, kind = json.dumps(body).encode(), "application/json"
        await self.start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *headers])
        if self.method != "HEAD":
            await self.send(body)
        await self.end()

    async def start(self, status, headers=()):
        """Begin an answer; without a length it goes out in chunks, each `send` one chunk."""
        await self.wire.send(h11.Response(status_code=status, headers=list(headers)))

    async def send(self, octets):
        await self.wire.send(h11.Data(data=octets))

    async def end(self, trailers=()):
        await self.wire.send(h11.EndOfMessage(headers=list(trailers)))

    async def raw(self, *pieces, pause=0.0):
        """Write octets that h11 would not; the connection ends after them."""
        self.wire.left = True
        for piece in pieces:
            await self.wire.put(piece)
            await asyncio.sleep(pause)

    async def stream(self, pieces, pause, headers=(), kind="text/event-stream"):
        """Give an answer in pieces with a pause before each but the first."""
        await self.start(200, [("Content-Type", kind), ("Cache-Control", "no-cache"), *headers])
        for number, piece in enumerate(pieces):
            await asyncio.sleep(pause if number else 0)
            await self.send(piece)
        await self.end()
