"""A bare CONNECT proxy that leads every name to one address, for real clients without Docker, gateway or resolver."""

import asyncio
import contextlib


class Tunnel:
    """Listens at `address`; each CONNECT is answered and joined to `target`, whatever name was asked for."""

    def __init__(self, target):
        self.target, self.asked = target, []

    async def connection(self, reader, writer):
        """Join one client to the target."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split()[1].decode())
        above, below = await asyncio.open_connection(*self.target)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_carry(reader, below), _carry(above, writer))


async def _carry(reader, writer):
    with contextlib.suppress(OSError):
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
    writer.close()
