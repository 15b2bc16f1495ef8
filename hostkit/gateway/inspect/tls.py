"""TLS towards the agent over bytes that were already read, and the contexts for both sides.

asyncio can start TLS on a connection only before anything of it was read; here the ClientHello was, to know the name.
"""

import asyncio
import contextlib
import ssl
from pathlib import Path

_CHUNK = 64 * 1024
_LINGER = 2.0
"""Seconds that an agent has to take the last words."""
_ALPN = ["http/1.1"]


def server_context(leaf: Path) -> ssl.SSLContext:
    """Return the context that shows the agent a leaf (its chain and key in one file): TLS 1.2 or later, no HTTP/2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(leaf)
    context.set_alpn_protocols(_ALPN)
    return context


def client_context(roots: str) -> ssl.SSLContext:
    """Return the context that verifies an upstream: name, chain, TLS 1.2 or later; `roots` (PEM) or the system's."""
    context = ssl.create_default_context(cadata=roots or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(_ALPN)
    return context


class Plain:
    """An agent's connection as it is read by the inspection: bytes up to a mark, or whatever is there."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b"") -> None:
        self._reader, self._writer, self._buffer = reader, writer, bytearray(first)

    async def read(self) -> bytes:
        """Return what has come, empty at the end."""
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            return data
        return await self._more()

    async def head(self, limit: int) -> bytes:
        """Return a head with its blank line, empty if the connection ended before one began.

        Raise asyncio.LimitOverrunError if it is longer than `limit`, IncompleteReadError if it ends half way.
        """
        searched = 0
        while (end := self._buffer.find(b"\r\n\r\n", searched)) < 0:
            if len(self._buffer) > limit:
                raise asyncio.LimitOverrunError("too long", len(self._buffer))
            searched = max(0, len(self._buffer) - 3)
            more = await self._more()
            if not more and self._buffer:
                raise asyncio.IncompleteReadError(bytes(self._buffer), None)
            if not more:
                return b""
            self._buffer += more
        if end + 4 > limit:
            raise asyncio.LimitOverrunError("too long", end)
        head = bytes(self._buffer[: end + 4])
        del self._buffer[: end + 4]
        return head

    def holds(self) -> bool:
        """Return whether something was read that nobody has taken yet."""
        return bool(self._buffer)

    def holds_head(self) -> bool:
        """Return whether a whole head is here already."""
        return self._buffer.find(b"\r\n\r\n") >= 0

    async def begun(self) -> bool:
        """Wait until something has come; return whether it has, or the connection ended."""
        if not self._buffer:
            self._buffer += await self._more()
        return bool(self._buffer)

    async def _more(self) -> bytes:
        return await self._reader.read(_CHUNK)

    def write(self, data: bytes) -> None:
        """Send data; `drain` waits until there is room for more."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until what was written has room."""
        await self._writer.drain()

    async def end(self) -> None:
        """Say that nothing more follows, and read on for a moment: a reset would take the last words away again."""
        with contextlib.suppress(OSError):
            self._goodbye()
            await self._writer.drain()
            self._writer.write_eof()
            async with asyncio.timeout(_LINGER):
                while await self._reader.read(_CHUNK):
                    pass

    def _goodbye(self) -> None:
        """Write what this protocol says at its end."""

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        self._buffer[:0] = data


class Tls(Plain):
    """The same over TLS, the gateway in the server's part."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, hello: bytes
    ) -> None:
        super().__init__(reader, writer)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._incoming.write(hello)
        self._ended = False

    async def handshake(self) -> None:
        """Shake hands; raise ssl.SSLError if the agent does not go along, for it may not trust the authority."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                raw = await self._reader.read(_CHUNK)
                if not raw:
                    raise ConnectionResetError("closed while TLS was spoken") from None
                self._incoming.write(raw)
            except ssl.SSLError:
                await self._flush()  # the alert that says why
                raise
            else:
                await self._flush()
                return

    async def _flush(self) -> None:
        if self._outgoing.pending:
            self._writer.write(self._outgoing.read())
            await self._writer.drain()

    async def _more(self) -> bytes:
        if self._ended:
            return b""
        pieces: list[bytes] = []
        hungry = not self._has_more()
        while True:
            if hungry and pieces:
                return b"".join(pieces)
            if hungry and not await self._fed():
                return b""  # many clients end without a goodbye; what was cut short shows in HTTP's own framing
            try:
                piece = self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                hungry = True
                continue
            except ssl.SSLZeroReturnError:
                piece = b""
            if not piece:  # the goodbye, as a memory BIO tells it, and once only
                self._ended = True
                return b"".join(pieces)
            pieces.append(piece)
            hungry = not self._has_more()

    def _has_more(self) -> bool:
        """Return whether there may be something to read, for to ask in vain raises an exception each time."""
        return bool(self._incoming.pending or self._tls.pending())

    async def _fed(self) -> bool:
        """Read on from the wire; return whether anything came."""
        await self._flush()
        raw = await self._reader.read(_CHUNK)
        self._incoming.write(raw)
        return bool(raw)

    def write(self, data: bytes) -> None:
        self._tls.write(data)
        self._writer.write(self._outgoing.read())

    def _goodbye(self) -> None:
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        if self._outgoing.pending:
            self._writer.write(self._outgoing.read())
