"""TLS over bytes that were read: what came is read once, a goodbye is the end however it came."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime

from hostkit.gateway.inspect.tls import Tls, server_context
from hostkit.secrets import authority


class Agent:
    """An agent whose TLS is spoken by hand, over a wire that stays open."""

    def __init__(self, directory):
        made = authority.issue("acme", ("api.example",), 1, datetime.now(UTC), directory / "made")
        leaf = directory / "leaf.pem"
        leaf.write_bytes(made.leaves[0].chain_pem + made.leaves[0].key_pem)
        self.reader, self.incoming, self.outgoing = asyncio.StreamReader(), ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cadata=made.root_pem.decode())
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="api.example")
        self.step(self.tls.do_handshake)
        self.far = Tls(self.reader, self, server_context(leaf), self.outgoing.read())

    def step(self, do):
        with contextlib.suppress(ssl.SSLWantReadError):
            do()
            return True
        return False

    def write(self, data):
        self.incoming.write(data)

    async def drain(self):
        pass

    def send(self):
        self.reader.feed_data(self.outgoing.read())

    async def shake_hands(self):
        shaking = asyncio.ensure_future(self.far.handshake())
        while not shaking.done():
            await asyncio.sleep(0)
            self.step(self.tls.do_handshake)
            if self.outgoing.pending:
                self.send()
        await shaking


def spoken(tmp_path, scene):
    async def story():
        agent = Agent(tmp_path)
        await agent.shake_hands()
        await asyncio.wait_for(scene(agent), 5)

    asyncio.run(story())


def test_a_goodbye_that_comes_with_the_last_words_is_the_end_although_the_wire_stays_open(tmp_path):
    async def scene(agent):
        agent.tls.write(b"hello")
        agent.step(agent.tls.unwrap)
        agent.send()
        assert await agent.far.read() == b"hello"
        assert [await agent.far.read(), await agent.far.read()] == [b"", b""]

    spoken(tmp_path, scene)


def test_what_came_in_many_records_is_read_in_one_go_and_a_record_in_two_pieces_once(tmp_path):
    async def scene(agent):
        for word in (b"a", b"b", b"c" * 40_000):
            agent.tls.write(word)
        agent.send()
        assert await agent.far.read() == b"ab" + b"c" * 40_000
        agent.tls.write(b"halves")
        record = agent.outgoing.read()
        agent.reader.feed_data(record[:9])
        reading = asyncio.ensure_future(agent.far.read())
        await asyncio.sleep(0.01)
        assert not reading.done()
        agent.reader.feed_data(record[9:])
        assert await reading == b"halves"

    spoken(tmp_path, scene)


def test_a_wire_that_ends_without_a_goodbye_is_the_end_too(tmp_path):
    async def scene(agent):
        agent.reader.feed_eof()
        assert await agent.far.read() == b""

    spoken(tmp_path, scene)
