"""The ports: TLS, whose version depends on the name, the log's own, and a resolver for the names."""

import asyncio
import socket
import ssl
import struct

from tests.lookalikes.names import NAMES, OLD_TLS, UNSOUND
from tests.lookalikes.server import BROKEN, end
from tests.lookalikes.wire import Wire


async def listen_tls(sites, address, port):
    """Take TLS connections; a name decides on the version too, which OpenSSL settles before it tells the name."""
    loop, listener = asyncio.get_running_loop(), socket.create_server((address, port), backlog=512)
    listener.setblocking(False)
    modern, old, tasks = sites.tls(), old_tls(sites.certificates), set()

    async def begin(wire):
        context = old if OLD_TLS.encode() in await _peek(loop, wire) else modern
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader, sites.connection)
        try:
            await loop.connect_accepted_socket(lambda: protocol, wire, ssl=context)
        except BROKEN as why:
            sites.seen.add(broken=f"{type(why).__name__}: {why}")

    while True:
        wire, _ = await loop.sock_accept(listener)
        tasks.add(task := asyncio.create_task(begin(wire)))
        task.add_done_callback(tasks.discard)


async def _peek(loop, wire):
    wire.setblocking(False)
    there = loop.create_future()
    loop.add_reader(wire, lambda: there.done() or there.set_result(None))
    await there
    loop.remove_reader(wire)
    try:
        return wire.recv(4096, socket.MSG_PEEK)
    except OSError:
        return b""


def old_tls(certificates):
    """Return a context that speaks TLS 1.1 at most."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{OLD_TLS}.crt", certificates / f"{OLD_TLS}.key")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return context


async def listen_log(seen, address, port):
    """Serve the log: GET /__seen gives its lines, DELETE forgets them."""

    async def serve(reader, writer):
        exchange = await Wire(reader, writer, {}).next()
        if exchange.method == "DELETE":
            seen.forget()
        found = exchange.path == "/__seen"
        await exchange.answer(200 if found else 404, seen.text().encode(), kind="application/x-ndjson")
        await end(writer)

    await asyncio.start_server(serve, address, port)


class Resolver(asyncio.DatagramProtocol):
    """Answers A queries for the names with one address, others with NXDOMAIN; over UDP, without EDNS."""

    def __init__(self, address):
        self.octets = bytes(map(int, address.split(".")))

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        end = data.index(0, 12) + 5
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode("latin-1").lower())
            at += data[at] + 1
        known, wanted = ".".join(labels) in (*NAMES, *UNSOUND), data[end - 4 : end - 2] == b"\0\1"
        head = data[:2] + struct.pack("!5H", 0x8580 if known else 0x8583, 1, int(known and wanted), 0, 0)
        record = b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", 60, 4) + self.octets if known and wanted else b""
        self.transport.sendto(head + data[12:end] + record, peer)
