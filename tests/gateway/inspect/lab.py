"""A gateway that opens one service on loopback, an upstream that answers as told, and an agent that speaks TLS."""

import asyncio
import contextlib
import json
import ssl
from datetime import UTC, datetime
from ipaddress import ip_address

from hostkit.gateway.inspect.vault import leaf_file
from hostkit.gateway.records import Records
from hostkit.gateway.requests import Book
from hostkit.gateway.rules import Grant, Rules
from hostkit.gateway.server import Gateway, Ports
from hostkit.gateway.services import Credential, Route, Service
from hostkit.secrets import authority
from hostkit.secrets.placeholders import placeholder, shape
from tests.gateway.test_server import LOOPBACK, free_ports

NOW = datetime.now(UTC)
KEY = "sk-real-0123456789abcdef/+x"
HELD = placeholder(shape("sk-"), "acme")
CREDENTIAL = Credential("key", HELD, ("header:authorization=Bearer {}", "header:x-api-key={}"))
ANY = Route(("GET", "POST", "HEAD", "PUT"), "/**", credential="key")


class Lab:
    """`async with Lab(tmp_path, routes=...) as lab`: `lab.answer` is what the upstream says, `lab.got` what it saw."""

    def __init__(self, directory, routes=(ANY,), port=None, **service):
        self.directory, self.got, self.tasks = directory, [], set()
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.fields = {"credentials": (CREDENTIAL,), "hosts": ("api.example",), "routes": routes, **service}
        self.dialled = 0

    async def __aenter__(self):
        hosts = self.fields["hosts"]
        far = authority.issue("upstream", hosts, 1, NOW, self.directory / "far")
        near = authority.issue("acme", hosts, 1, NOW, self.directory / "near")
        self.root = near.root_pem.decode()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (self.directory / "far.pem").write_bytes(far.leaves[0].chain_pem + far.leaves[0].key_pem)
        context.load_cert_chain(self.directory / "far.pem")
        self.origin = await asyncio.start_server(self._origin, "127.0.0.1", 0, ssl=context)
        self.port = self.origin.sockets[0].getsockname()[1]
        self.lay(1, near.leaves, KEY)
        self.proxy, self.http, self.tls, self.dns = free_ports(4)
        (self.directory / "records").mkdir()
        self.records = Records(self.directory / "records", 0, 50_000_000)
        ports = Ports(self.http, self.tls, self.dns, self.proxy)
        self.gateway = Gateway(Book(self.records, "acme"), self._resolve, ports, self.directory / "vault")
        self.fields.setdefault("roots", far.root_pem.decode())
        self.rules = self.rules_of(1)
        await self.gateway.listen(self.rules)
        self.gateway.apply(self.rules)
        return self

    async def __aexit__(self, *_):
        for server in (self.origin, *self.gateway._servers.values()):
            server.close()
        self.gateway._datagrams.close()
        for task in (*self.gateway._live, *self.tasks):
            task.cancel()
        await asyncio.sleep(0.05)
        assert not self.gateway._live

    def lay(self, generation, leaves, key):
        place = self.directory / "vault" / str(generation)
        place.mkdir(parents=True)
        (place / "key-key").write_text(key)
        for leaf in leaves:
            (place / leaf_file(leaf.name)).write_bytes(leaf.chain_pem + leaf.key_pem)

    def rules_of(self, generation, **changed):
        service = Service(name="api", **{**self.fields, **changed})
        grants = tuple(Grant(host, (self.port,), LOOPBACK) for host in service.hosts)
        return Rules("acme", generation, "127.0.0.1", grants, services=(service,))

    async def _resolve(self, _name, _resolvers):
        return (ip_address("127.0.0.1"),)

    async def _origin(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        self.dialled += 1
        with contextlib.suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                seen = self.got
                seen.append(head)
                size = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if size:
                    seen[-1] += await reader.readexactly(int(size[0].partition(b":")[2]))
                elif b"transfer-encoding: chunked" in head.lower():
                    seen[-1] += await reader.readuntil(b"0\r\n\r\n")
                said = self.answer(seen[-1], reader, writer) if callable(self.answer) else self.answer
                if asyncio.iscoroutine(said):
                    said = await said
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def agent(self, name="api.example", host=None):
        """Yield (reader, writer) of an agent's TLS connection through the proxy."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy)
        writer.write(f"CONNECT {name}:{self.port} HTTP/1.1\r\nHost: {name}:{self.port}\r\n\r\n".encode())
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        context = ssl.create_default_context(cadata=self.root)
        context.set_alpn_protocols(["h2", "http/1.1"])
        await writer.start_tls(context, server_hostname=host or name)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    async def ask(self, request, *, close=True, name="api.example"):
        """Send one request on a connection of its own and return the whole answer."""
        async with self.agent(name) as (reader, writer):
            writer.write(request if isinstance(request, bytes) else request.encode())
            await writer.drain()
            return await (whole(reader) if close else reader.read())

    def head(self, line="GET /v1/x", extra="", key=HELD):
        """Return a request's head with the placeholder."""
        bearer = f"Authorization: Bearer {key}\r\n" if key else ""
        return f"{line} HTTP/1.1\r\nHost: api.example:{self.port}\r\n{bearer}{extra}\r\n"

    def lines(self, event=None):
        text = (self.directory / "records" / "requests.jsonl").read_text()
        found = [json.loads(line) for line in text.splitlines()]
        return [line for line in found if event in {None, line["event"]}]

    def denied(self):
        """Return the rules that denied, in their order."""
        return [line["rule"] for line in self.lines("denied")]


async def whole(reader):
    """Return one answer: its head, and a body of its Content-Length, or chunked, or to the end."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
    if b"content-length" in fields:
        return head + await reader.readexactly(int(fields[b"content-length"]))
    if fields.get(b"transfer-encoding") == b"chunked":
        return head + await reader.readuntil(b"0\r\n\r\n")
    return head + await reader.read()
