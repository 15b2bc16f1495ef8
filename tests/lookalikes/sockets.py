"""The other end of a WebSocket, by wsproto, on a connection whose first request h11 has read."""

import wsproto
from wsproto import events
from wsproto.extensions import PerMessageDeflate

GONE = 1006
"""What wsproto calls a connection that ended without a goodbye."""


class Socket:
    """A WebSocket that was accepted; `async for` gives each whole message, text or octets, and answers pings."""

    def __init__(self, exchange, say):
        self.exchange, self._say, self.wire = exchange, say, exchange.wire
        self._http = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        self.deflate = PerMessageDeflate()

    async def accept(self):
        """Agree, with compression where the client offers it."""
        self.wire.left = True
        names = [(name.encode(), value.encode()) for name, value in self.exchange.headers]
        self._http.initiate_upgrade_connection(names, self.exchange.target)
        list(self._http.events())
        await self._put(events.AcceptConnection(extensions=[self.deflate]))
        self._http.receive_data(self.wire.http.trailing_data[0] or b"")
        self._say(method="WS", path=self.exchange.path, told="open", headers=self.exchange.headers)

    async def text(self, text, pieces=1):
        """Send a message, in so many fragments."""
        size = max(1, -(-len(text) // pieces))
        parts = [text[at : at + size] for at in range(0, len(text), size)] or [""]
        for number, part in enumerate(parts, 1):
            await self._put(events.TextMessage(data=part, message_finished=number == len(parts)))

    async def octets(self, data):
        await self._put(events.BytesMessage(data=data))

    async def ping(self, payload):
        await self._put(events.Ping(payload=payload))

    async def close(self, code=1000, reason=""):
        await self._put(events.CloseConnection(code=code, reason=reason))

    async def __aiter__(self):
        parts = []
        while True:
            for event in self._http.events():
                if isinstance(event, events.CloseConnection):
                    self._say(method="WS", path=self.exchange.path, told="close", code=event.code)
                    if event.code != GONE:
                        await self._put(event.response())
                    return
                async for message in self._message(event, parts):
                    yield message
            data = await self.wire.reader.read(65536)
            self._http.receive_data(data or None)

    async def _message(self, event, parts):
        if isinstance(event, events.Ping):
            await self._put(event.response())
        if isinstance(event, events.Pong):
            self._say(method="WS", path=self.exchange.path, told="pong", body=bytes(event.payload))
        if isinstance(event, events.Message):
            parts.append(event.data)
            if event.message_finished:
                whole = (b"" if isinstance(parts[0], (bytes, bytearray)) else "").join(parts)
                parts.clear()
                told = whole.encode() if isinstance(whole, str) else bytes(whole)
                self._say(method="WS", path=self.exchange.path, told="message", body=told)
                yield whole

    async def _put(self, event):
        await self.wire.put(self._http.send(event))
