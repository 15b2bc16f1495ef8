"""The two ends of a WebSocket that goes through the lab's gateway."""

import asyncio
import contextlib

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from hostkit.gateway.services import Route
from tests.gateway.inspect.lab import Lab

SOCKET = Route(("GET",), "/ws", credential="key", socket=True)
ASKS = "".join(
    f"{line}\r\n"
    for line in (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==",
    )
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3p\r\n"
)


class Side:
    """One end of a WebSocket."""

    def __init__(self, reader, writer, kind):
        self.reader, self.writer, self.frames, self.events = reader, writer, Connection(kind), []

    async def say(self, *events):
        for event in events:
            self.writer.write(self.frames.send(event))
        await self.writer.drain()

    async def hear(self):
        """Return the next event, None at the end."""
        while not self.events:
            data = await asyncio.wait_for(self.reader.read(65536), 5)
            if not data:
                return None
            self.frames.receive_data(data)
            self.events += self.frames.events()
        return self.events.pop(0)

    async def message(self):
        """Return the next whole message."""
        parts = [await self.hear()]
        while not parts[-1].message_finished:
            parts.append(await self.hear())
        return parts[0].data[:0].join(part.data for part in parts)


class Far:
    """The upstream's end: what it heard, and what it says back."""

    def __init__(self, lines=b"", echo=True):
        self.lines, self.echo, self.heard, self.side = lines, echo, [], None

    async def __call__(self, _got, reader, writer):
        writer.write(SWITCH + self.lines + b"\r\n")
        self.side = Side(reader, writer, ConnectionType.SERVER)
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            while (event := await self.side.hear()) is not None:
                self.heard.append(event)
                if isinstance(event, CloseConnection | Ping):
                    await self.side.say(event.response())
                elif self.echo and isinstance(event, TextMessage | BytesMessage):
                    await self.side.say(event)


@contextlib.asynccontextmanager
async def opened(directory, far=None, route=SOCKET, asks="", **fields):
    """Yield (lab, the upstream's end, the agent's) of an open WebSocket."""
    far = far or Far()
    async with Lab(directory, routes=(route,), **fields) as lab, lab.agent() as (reader, writer):
        lab.answer = far
        writer.write(lab.head("GET /ws", ASKS + asks).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        agent = Side(reader, writer, ConnectionType.CLIENT)
        agent.head = head
        yield lab, far, agent
