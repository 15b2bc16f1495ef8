"""The whole pipeline on loopback: a real gateway, a real origin, each refusal by its rule."""

import asyncio
import contextlib
import dataclasses
import json
import random
import socket
from ipaddress import ip_address

import pytest

from hostkit.gateway.records import Records
from hostkit.gateway.requests import Book
from hostkit.gateway.resolve import NoAddress
from hostkit.gateway.rules import Forward, Grant, Rules
from hostkit.gateway.server import Gateway, Ports
from tests.gateway.test_hello import hello

LOOPBACK = ("127.0.0.0/8",)


def free_ports(count):
    """Return ports that are free now, each another one: all are held until the last is chosen."""
    with contextlib.ExitStack() as held:
        found = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in found]


class House:
    """A gateway, an origin that says what it got, and the records."""

    def __init__(self, directory, budget=1_000_000):
        self.directory, self.budget = directory, budget
        self.asked, self.got, self.serving = [], [], set()

    async def __aenter__(self):
        self.origin = await asyncio.start_server(self._origin, "127.0.0.1", 0)
        self.port = self.origin.sockets[0].getsockname()[1]
        self.proxy, self.http, self.tls, self.dns, self.raw = free_ports(5)
        self.records = Records(self.directory, 0, self.budget)
        ports = Ports(self.http, self.tls, self.dns, self.proxy)
        self.gateway = Gateway(Book(self.records, "acme"), self._resolve, ports)
        self.rules = Rules(
            "acme",
            1,
            "127.0.0.1",
            (Grant("listed.example", (self.port,), LOOPBACK), Grant("private.example", (self.port,))),
            (Forward("db.example", self.port, self.raw, LOOPBACK),),
        )
        await self.gateway.listen(self.rules)
        self.gateway.apply(self.rules)
        return self

    async def __aexit__(self, *_):
        for server in (self.origin, *self.gateway._servers.values()):
            server.close()
        self.gateway._datagrams.close()
        for task in (*self.gateway._live, *self.serving):
            task.cancel()
        await asyncio.sleep(0.05)
        assert not self.gateway._live

    async def _resolve(self, name, _resolvers):
        self.asked.append((name, [record["event"] for record in self.lines()]))
        if name == "nowhere.example":
            raise NoAddress("no resolver knows it")
        return (ip_address("127.0.0.1"),)

    async def _origin(self, reader, writer):
        self.serving.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.CancelledError):
            data = await reader.read(4096)
            self.got.append(data)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            await writer.drain()
            if not data.startswith(b"GET"):
                while await reader.read(4096):
                    pass
        writer.close()

    def lines(self):
        text = (self.directory / "requests.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def last(self):
        return self.lines()[-1]

    async def say(self, port, data, more=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        if more:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(more)
        try:
            answer = await asyncio.wait_for(reader.read(4096), 5)
        except ConnectionResetError:
            answer = b""
        writer.close()
        await asyncio.sleep(0.05)
        return answer


def run(scene, tmp_path, **more):
    async def play():
        async with House(tmp_path, **more) as house:
            await scene(house)

    asyncio.run(play())


def test_a_listed_name_is_reached_with_its_intent_on_record_before_anyone_is_asked(tmp_path):
    async def scene(house):
        request = f"GET http://listed.example:{house.port}/ HTTP/1.1\r\nHost: listed.example:{house.port}\r\n\r\n"
        assert (await house.say(house.proxy, request.encode())).endswith(b"hello")
        assert house.asked == [("listed.example", ["intent"])]
        intent, outcome = house.lines()
        assert (intent["event"], outcome["event"], outcome["rule"]) == ("intent", "outcome", "done")
        assert outcome["address"] == "127.0.0.1"
        assert outcome["bytes_down"] > 0
        assert intent["id"] == outcome["id"]

    run(scene, tmp_path)


def test_a_tunnel_carries_the_hello_that_was_read(tmp_path):
    async def scene(house):
        connect = f"CONNECT listed.example:{house.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        assert b"hello" in await house.say(house.proxy, connect, hello("listed.example"))
        assert house.got == [hello("listed.example")] or house.got[0][:1] == b"\x16"

    run(scene, tmp_path)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        (hello("private.example"), "sni-mismatch"),
        (hello(None), "sni-missing"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not-tls"),
    ],
)
def test_a_tunnel_whose_inside_is_not_what_was_asked_for_is_cut(tmp_path, more, rule):
    async def scene(house):
        connect = f"CONNECT listed.example:{house.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        assert await house.say(house.proxy, connect, more) == b""
        assert (house.last()["event"], house.last()["rule"]) == ("denied", rule)
        assert (house.asked, house.got) == ([], [])

    run(scene, tmp_path)


@pytest.mark.parametrize(
    ("request_line", "rule"),
    [
        ("CONNECT evil.example:443", "not-listed"),
        ("CONNECT listed.example:1", "port-not-listed"),
        ("CONNECT 127.0.0.1:443", "ip-literal"),
        ("CONNECT 2130706433:443", "ip-literal"),
        ("GET http://evil.example/", "not-listed"),
        ("CONNECT listed.example%2eevil.example:443", "bad-name"),
    ],
)
def test_a_refusal_is_told_typed_recorded_and_nobody_was_asked(tmp_path, request_line, rule):
    async def scene(house):
        host = request_line.split("/")[2] if "//" in request_line else "x"
        answer = await house.say(house.proxy, f"{request_line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        told = json.loads(answer.split(b"\r\n\r\n")[1])
        assert (told["rule"], house.last()["rule"]) == (rule, rule)
        assert house.asked == []

    run(scene, tmp_path)


def test_a_listed_name_that_turns_private_is_not_dialled(tmp_path):
    async def scene(house):
        request = f"GET http://private.example:{house.port}/ HTTP/1.1\r\nHost: private.example:{house.port}\r\n\r\n"
        assert b"private-address" in await house.say(house.proxy, request.encode())
        assert house.got == []

    run(scene, tmp_path)


def test_the_hosts_own_address_is_not_dialled_though_it_is_listed(tmp_path):
    async def scene(house):
        house.gateway.apply(dataclasses.replace(house.rules, refuse=("127.0.0.1/32",)))
        await house.say(house.raw, b"ping")
        assert (house.last()["rule"], house.got) == ("host-address", [])

    run(scene, tmp_path)


def test_raw_tls_is_steered_by_its_name(tmp_path):
    async def scene(house):
        assert await house.say(house.tls, hello("evil.example")) == b""
        assert (house.last()["kind"], house.last()["rule"]) == ("tls", "not-listed")

    run(scene, tmp_path)


def test_a_raw_port_leads_to_its_name(tmp_path):
    async def scene(house):
        assert b"hello" in await house.say(house.raw, b"ping")
        assert house.asked[0][0] == "db.example"
        assert house.got == [b"ping"]

    run(scene, tmp_path)


def test_a_second_request_on_the_same_connection_never_leaves(tmp_path):
    async def scene(house):
        one = f"GET http://listed.example:{house.port}/ HTTP/1.1\r\nHost: listed.example:{house.port}\r\n\r\n"
        await house.say(house.proxy, (one + "GET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n").encode())
        assert len(house.got) == 1
        assert b"smuggled" not in house.got[0]

    run(scene, tmp_path)


def test_with_no_room_for_a_record_there_is_no_request(tmp_path):
    async def scene(house):
        while not house.records.full():
            house.records.write(event="filler", name="x" * 400)
        request = f"GET http://listed.example:{house.port}/ HTTP/1.1\r\nHost: listed.example:{house.port}\r\n\r\n"
        assert b"records-full" in await house.say(house.proxy, request.encode())
        assert (house.asked, house.got) == ([], [])

    run(scene, tmp_path, budget=1000)


def test_losing_the_rules_cuts_what_is_open_and_denies_what_comes(tmp_path):
    async def scene(house):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.raw)
        writer.write(b"ping")
        await reader.readuntil(b"hello")
        house.gateway.apply(None)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()
        answer = await house.say(house.proxy, b"CONNECT listed.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert json.loads(answer.split(b"\r\n\r\n")[1])["rule"] == "closed"

    run(scene, tmp_path)


def test_rules_that_narrow_cut_only_what_they_no_longer_allow(tmp_path):
    async def scene(house):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.raw)
        writer.write(b"ping")
        await reader.readuntil(b"hello")
        house.gateway.apply(dataclasses.replace(house.rules, generation=2, grants=()))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        house.gateway.apply(dataclasses.replace(house.rules, generation=3, forwards=()))
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()

    run(scene, tmp_path)


def test_an_asked_name_is_recorded_by_the_resolver(tmp_path):
    async def scene(house):
        import dns.message

        query = dns.message.make_query("leak.evil.example", "A").to_wire()
        answer = await house.say(house.dns, len(query).to_bytes(2) + query)
        assert dns.message.from_wire(answer[2:]).rcode() == 3
        assert (house.last()["kind"], house.last()["name"]) == ("dns", "leak.evil.example")

    run(scene, tmp_path)


def narrowed(house, **changes):
    """Return the rules with the listed grant changed."""
    listed, private = house.rules.grants
    return dataclasses.replace(house.rules, generation=2, grants=(dataclasses.replace(listed, **changes), private))


async def tunnel(house):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.proxy)
    writer.write(f"CONNECT listed.example:{house.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.write(hello("listed.example"))
    return reader, writer


async def plain(house):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.proxy)
    host = f"listed.example:{house.port}"
    writer.write(f"POST http://{host}/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\r\n".encode())
    return reader, writer


async def is_cut(reader):
    try:
        return await asyncio.wait_for(reader.read(), 2) == b""
    except ConnectionResetError:
        return True


NARROWER = {
    "the name": lambda house: dataclasses.replace(house.rules, generation=2, grants=()),
    "the port": lambda house: narrowed(house, ports=(1,)),
    "the private network": lambda house: narrowed(house, networks=()),
    "the host's address": lambda house: dataclasses.replace(house.rules, generation=2, refuse=("127.0.0.1/32",)),
    "everything": lambda house: None,
}


@pytest.mark.parametrize("narrower", NARROWER.values(), ids=NARROWER)
@pytest.mark.parametrize("form", [tunnel, plain])
def test_rules_that_take_back_any_part_of_a_grant_cut_what_stands_on_it(tmp_path, form, narrower):
    async def scene(house):
        reader, writer = await form(house)
        await reader.readuntil(b"hello")
        house.gateway.apply(dataclasses.replace(house.rules, generation=2))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        house.gateway.apply(narrower(house))
        assert await is_cut(reader)
        assert (house.last()["event"], house.last()["rule"]) == ("outcome", "cut")
        writer.close()

    run(scene, tmp_path)


def test_rules_that_change_while_a_name_is_looked_up_are_the_ones_that_count(tmp_path):
    async def scene(house):
        async def slow(name, resolvers):
            house.gateway.apply(narrowed(house, networks=()))
            return (ip_address("127.0.0.1"),)

        house.gateway._resolver = slow
        host = f"listed.example:{house.port}"
        answer = await house.say(house.proxy, f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert json.loads(answer.split(b"\r\n\r\n")[1])["rule"] == "rules-changed"
        assert house.got in ([], [b""])

    run(scene, tmp_path)


def test_a_forward_that_leads_elsewhere_now_cuts_what_it_carried(tmp_path):
    async def scene(house):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.raw)
        writer.write(b"ping")
        await reader.readuntil(b"hello")
        elsewhere = dataclasses.replace(house.rules.forwards[0], name="other.example")
        house.gateway.apply(dataclasses.replace(house.rules, generation=2, forwards=(elsewhere,)))
        assert await is_cut(reader)
        writer.close()

    run(scene, tmp_path)


def test_one_refused_address_among_several_refuses_the_name(tmp_path):
    async def scene(house):
        async def mixed(name, resolvers):
            return (ip_address("127.0.0.1"), ip_address("10.0.0.1"))

        house.gateway._resolver = mixed
        await house.say(house.raw, b"ping")
        assert (house.last()["rule"], house.got) == ("private-address", [])
        assert "10.0.0.1 is private" in house.last()["reason"]

    run(scene, tmp_path)


def test_more_connections_than_fit_are_cut_on_record_and_the_place_of_one_that_ends_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr("hostkit.gateway.server.MOST", 3)

    async def scene(house):
        held = [await asyncio.open_connection("127.0.0.1", house.raw) for _ in range(3)]
        for _, writer in held:
            writer.write(b"ping")
        assert [await reader.readuntil(b"hello") for reader, _ in held]
        assert await house.say(house.raw, b"ping") == b""
        assert house.last()["rule"] == "too-many"
        held[0][1].close()
        await asyncio.sleep(0.1)
        assert b"hello" in await house.say(house.raw, b"ping")
        for _, writer in held:
            writer.close()

    run(scene, tmp_path)


def test_what_nobody_thought_of_is_denied_on_record_and_the_gateway_goes_on(tmp_path):
    async def scene(house):
        async def odd(name, resolvers):
            raise KeyError(name)

        resolver, house.gateway._resolver = house.gateway._resolver, odd
        await house.say(house.raw, b"ping")
        assert (house.last()["rule"], house.last()["reason"]) == ("internal", "KeyError")
        house.gateway._resolver = resolver
        assert b"hello" in await house.say(house.raw, b"ping")

    run(scene, tmp_path)


def test_with_no_room_for_records_what_has_left_is_cut_and_what_is_told_no_is_told(tmp_path):
    async def scene(house):
        reader, writer = await tunnel(house)
        await reader.readuntil(b"hello")
        house.records.budget = 1
        house.gateway.cut()
        assert await is_cut(reader)
        assert (house.last()["event"], house.last()["rule"]) == ("outcome", "cut")
        answer = await house.say(house.proxy, b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"not-listed" in answer
        writer.close()

    run(scene, tmp_path)


@pytest.mark.parametrize("framing", [b"\0\0", b"\0\5abc", b"\xff\xff" + bytes(100), b"\0"])
def test_a_broken_dns_frame_is_answered_by_nothing(tmp_path, framing):
    async def scene(house):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.dns)
        writer.write(framing)
        writer.write_eof()
        assert await is_cut(reader)
        writer.close()

    run(scene, tmp_path)


def test_a_closed_gateway_answers_no_name_and_says_closed(tmp_path):
    async def scene(house):
        import dns.message

        house.gateway.apply(None)
        query = dns.message.make_query("listed.example", "A").to_wire()
        answer = await house.say(house.dns, len(query).to_bytes(2) + query)
        assert dns.message.from_wire(answer[2:]).rcode() == 3
        assert (house.last()["rule"], house.last()["name"]) == ("closed", "listed.example")

    run(scene, tmp_path)


def test_random_bytes_at_every_door_reach_nobody_and_end_nothing(tmp_path, monkeypatch):
    """Bytes that begin like each protocol and go wrong after; seeded, so that a failure can be played again."""
    monkeypatch.setattr("hostkit.gateway.wire.PATIENCE", 0.3)
    chance = random.Random(20240607)
    starts = (
        b"",
        b"GET ",
        b"CONNECT ",
        b"\x16\x03\x01",
        hello("evil.example")[:60],
        b"\0\x1d\x12\x34\1\0\0\1",
        b"\r\n",
    )

    async def throw(house, port):
        data = chance.choice(starts) + chance.randbytes(chance.choice([0, 1, 40, 3000, 40_000]))
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            if chance.random() < 0.5:
                writer.write_eof()
            await asyncio.wait_for(reader.read(100), 0.5)
            writer.transport.abort() if chance.random() < 0.5 else writer.close()

    async def scene(house):
        doors = (house.proxy, house.http, house.tls, house.dns)
        udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", house.dns)
        )
        for _ in range(40):
            udp.sendto(chance.randbytes(chance.randrange(600)))
            await asyncio.gather(*(throw(house, port) for port in doors))
        udp.close()
        assert (house.asked, house.got) == ([], [])
        assert {record["event"] for record in house.lines()} == {"denied"}
        assert "internal" not in {record["rule"] for record in house.lines()}
        request = f"GET http://listed.example:{house.port}/ HTTP/1.1\r\nHost: listed.example:{house.port}\r\n\r\n"
        assert (await house.say(house.proxy, request.encode())).endswith(b"hello")

    run(scene, tmp_path)
