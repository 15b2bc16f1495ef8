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
OTHERS = placeholder(shape("sk-"), "globex")
CREDENTIAL = Credential("key", HELD, ("header:authorization=Bearer {}", "header:x-api-key={}"))
ANY = Route(("GET", "POST", "HEAD", "PUT"), "/**", credential="key")
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def impatient(monkeypatch, **seconds):
    """Have waits end sooner: `long` and `silence` of an answer, `idle` of an agent; they are looked at each 20 ms."""
    monkeypatch.setattr("hostkit.gateway.inspect.patience.TICK", 0.02)
    places = {"long": "watch.LONG", "silence": "watch.SILENCE", "idle": "session.IDLE"}
    for word, much in seconds.items():
        monkeypatch.setattr(f"hostkit.gateway.inspect.{places[word]}", much)


def run(coroutine, timeout=20):
    """Run a story to its end."""
    return asyncio.run(asyncio.wait_for(coroutine, timeout))


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def dripping(*pieces, pause=0.15, end=b"0\r\n\r\n"):
    """Return an upstream that says its pieces one after the other."""

    async def say(_got, _reader, writer):
        writer.write(SSE)
        for piece in pieces:
            writer.write(chunk(piece))
            await writer.drain()
            await asyncio.sleep(pause)
        writer.write(end)
        await writer.drain()
        return b"" if end else None

    return say


def answer(body=b"", *lines, status="200 OK"):
    """Return an answer of this body, with a Content-Length."""
    head = (f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "", "")
    return "\r\n".join(head).encode() + body


class Lab:
    """`async with Lab(tmp_path, routes=...) as lab`: `lab.answer` is what the upstream says, `lab.got` what it saw."""

    def __init__(self, directory, routes=(ANY,), budgets=(), room=50_000_000, **service):
        self.directory, self.got, self.tasks, self.budgets, self.room = directory, [], set(), budgets, room
        self.answer = OK
        self.fields = {"credentials": (CREDENTIAL,), "hosts": ("api.example",), "routes": routes, **service}
        self.dialled = 0

    async def __aenter__(self):
        self.gone = asyncio.Event()  # an upstream connection has ended
        hosts = self.fields["hosts"]
        far = authority.issue("upstream", hosts, 1, NOW, self.directory / "far")
        near = authority.issue("acme", hosts, 1, NOW, self.directory / "near")
        self.root, self.leaves = near.root_pem.decode(), near.leaves
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (self.directory / "far.pem").write_bytes(far.leaves[0].chain_pem + far.leaves[0].key_pem)
        context.load_cert_chain(self.directory / "far.pem")
        self.origin = await asyncio.start_server(self._origin, "127.0.0.1", 0, ssl=context, limit=1 << 22)
        self.port = self.origin.sockets[0].getsockname()[1]
        self.lay(1, KEY)
        self.proxy, self.http, self.tls, self.dns = free_ports(4)
        (self.directory / "records").mkdir()
        self.records = Records(self.directory / "records", 0, self.room)
        ports = Ports(self.http, self.tls, self.dns, self.proxy)
        self.gateway = Gateway(Book(self.records, "acme"), self._resolve, ports, self.directory / "vault")
        self.fields.setdefault("roots", far.root_pem.decode())
        self.rules = self.rules_of(1)
        await self.gateway.listen(self.rules)
        self.gateway.apply(self.rules)
        self._connect, self.house.connect = self.house.connect, self._connected
        return self

    async def __aexit__(self, *_):
        for server in (self.origin, *self.gateway._servers.values()):
            server.close()
        self.gateway._datagrams.close()
        for task in (*self.gateway._live, *self.tasks):
            task.cancel()
        await asyncio.sleep(0.05)
        assert not self.gateway._live

    @property
    def house(self):
        return self.gateway.house

    def lay(self, generation, key):
        """Lay a generation's key and leaves into the vault."""
        place = self.directory / "vault" / str(generation)
        place.mkdir(parents=True)
        (place / "key-key").write_text(key)
        for leaf in self.leaves:
            (place / leaf_file(leaf.name)).write_bytes(leaf.chain_pem + leaf.key_pem)

    def rules_of(self, generation, **changed):
        service = Service(name="api", **{**self.fields, **changed})
        grants = tuple(Grant(host, (self.port,), LOOPBACK) for host in service.hosts)
        return Rules("acme", generation, "127.0.0.1", grants, services=(service,), budgets=self.budgets)

    def reload(self, generation, key=KEY, **changed):
        """Go by another generation from now on."""
        self.lay(generation, key)
        self.gateway.apply(self.rules_of(generation, **changed))

    async def _connected(self, *words):
        self.upstream = await self._connect(*words)
        return self.upstream

    async def _resolve(self, _name, _resolvers):
        return (ip_address("127.0.0.1"),)

    async def _origin(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        self.dialled += 1
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
                while await self._one(reader, writer):
                    pass
        finally:
            self.gone.set()
            writer.close()

    async def _one(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        at = len(self.got)
        self.got.append(head)
        size = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if size and b"x-early" not in head:
            self.got[at] += await reader.readexactly(int(size[0].partition(b":")[2]))
        elif b"transfer-encoding: chunked" in head.lower() and b"x-early" not in head:
            while (
                not self.got[at].endswith((b"\r\n0\r\n\r\n", b"\r\n\r\n0\r\n\r\n")) and b"\r\n0\r\n" not in self.got[at]
            ):
                self.got[at] += await reader.readuntil(b"\r\n")
            while not self.got[at].endswith(b"\r\n\r\n"):
                self.got[at] += await reader.readuntil(b"\r\n")
        said = self.answer(self.got[at], reader, writer) if callable(self.answer) else self.answer
        if asyncio.iscoroutine(said):
            said = await said
        if said is None:
            return False
        writer.write(said)
        await writer.drain()
        return True

    @contextlib.asynccontextmanager
    async def agent(self, name="api.example", host=None):
        """Yield (reader, writer) of an agent's TLS connection through the proxy."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy)
        try:
            writer.write(f"CONNECT {name}:{self.port} HTTP/1.1\r\nHost: {name}:{self.port}\r\n\r\n".encode())
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            context = ssl.create_default_context(cadata=self.root)
            context.set_alpn_protocols(["h2", "http/1.1"])
            await writer.start_tls(context, server_hostname=host or name)
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    async def ask(self, request, *, name="api.example"):
        """Send one request on a connection of its own and return the whole answer."""
        async with self.agent(name) as (reader, writer):
            writer.write(request if isinstance(request, bytes) else request.encode())
            await writer.drain()
            return await whole(reader, head=request[:4] in {"HEAD", b"HEAD"})

    async def plain(self, request):
        """Send one request to the gateway's own port 80 and return the whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.http)
        writer.write(request if isinstance(request, bytes) else request.encode())
        try:
            return await whole(reader)
        finally:
            writer.close()

    def head(self, line="GET /v1/x", extra="", key=HELD):
        """Return a request's head with the placeholder."""
        bearer = f"Authorization: Bearer {key}\r\n" if key else ""
        return f"{line} HTTP/1.1\r\nHost: api.example:{self.port}\r\n{bearer}{extra}\r\n"

    def post(self, body=b"{}", extra="", line="POST /v1/x", kind="application/json", key=HELD):
        """Return a request with a body."""
        body = body if isinstance(body, bytes) else body.encode()
        lines = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}"
        return self.head(line, lines, key).encode() + body

    def lines(self, event=None):
        text = (self.directory / "records" / "requests.jsonl").read_text()
        found = [json.loads(line) for line in text.splitlines()]
        return [line for line in found if event in {None, line["event"]}]

    def denied(self):
        """Return the rules that denied, in their order."""
        return [line["rule"] for line in self.lines("denied")]

    def outcomes(self):
        """Return the rules by which requests that had left ended, in their order."""
        return [line["rule"] for line in self.lines("outcome")]


def refused(said):
    """Return (status, rule) of a refusal as the agent reads it."""
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)["rule"]


async def whole(reader, *, head=False):
    """Return one answer: its head, and a body of its Content-Length, or chunked with its trailers, or to the end."""
    said = await reader.readuntil(b"\r\n\r\n")
    lines = (line.partition(b":") for line in said.split(b"\r\n")[1:])
    fields = {name.strip().lower(): value.strip() for name, _, value in lines}
    if head or b" 204 " in said[:13] or b" 304 " in said[:13]:
        return said
    if b"content-length" in fields:
        return said + await reader.readexactly(int(fields[b"content-length"]))
    if fields.get(b"transfer-encoding") == b"chunked":
        return said + await chunked(reader)
    return said + await reader.read()


async def chunked(reader):
    """Return what a chunked body holds, and behind it its trailers."""
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        body += line
    return body


async def until(true, seconds=3):
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - there is nothing that would say so
            await asyncio.sleep(0.01)
