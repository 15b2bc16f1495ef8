"""The keeper: what a rules file does to a gateway, in the second it does it."""

import asyncio
import contextlib
import dataclasses
import json
import os
import socket

import pytest

from hostkit.gateway.__main__ import Keeper, keeper_for
from hostkit.gateway.server import PROXY_ONLY, Ports
from hostkit.gateway.switch import NAME, text
from tests.gateway.test_decide import RULES


class Watched:
    """A keeper of a rules file in a directory of its own; `looks` is how a test lets time pass."""

    def __init__(self, directory, name="one"):
        self.file = directory / "rules.json"
        probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
        http, tls, dns, proxy, self.raw = (probe.getsockname()[1] for probe in probes)
        for probe in probes:
            probe.close()
        self.rules = dataclasses.replace(
            RULES, generation=5, address="127.0.0.1", reserve=0, forwards=(), resolvers=("127.0.0.1",)
        )
        self.keeper = Keeper(self.file, directory, Ports(http, tls, dns, proxy), name)
        self.directory = directory

    def write(self, **changes):
        self.file.write_text(dataclasses.replace(self.rules, **changes).to_json())

    async def look(self):
        await self.keeper.look()
        self.keeper.tell(asyncio.get_running_loop().time())
        said = json.loads((self.directory / "status.json").read_text())
        return said["state"], said["why"]

    def close(self):
        gateway = self.keeper.gateway
        for server in gateway._servers.values():
            server.close()
        if gateway._datagrams:
            gateway._datagrams.close()


def play(scene, directory, **more):
    async def played():
        watched = Watched(directory, **more)
        try:
            await scene(watched)
        finally:
            watched.close()
            await asyncio.sleep(0)

    asyncio.run(played())


def deep(watched):
    watched.file.write_text("[" * 100_000)


def pipe(watched):
    watched.file.unlink()
    os.mkfifo(watched.file)


BREAKS = {
    "gone": (lambda w: w.file.unlink(), "rules.json: No such file or directory"),
    "cut short": (lambda w: w.file.write_text(w.file.read_text()[:50]), "rules.json: not JSON"),
    "another type": (lambda w: w.file.write_text("[]"), "rules.json: rules: not an object"),
    "older": (lambda w: w.write(generation=4), "rules.json: generation 4 is older than 5"),
    "not text": (lambda w: w.file.write_bytes(b"\xff\xfe"), "rules.json: 'utf-8' codec"),
    "too deep": (deep, "rules.json: not JSON"),
    "a pipe": (pipe, "rules.json: not a regular file"),
    "a directory": (lambda w: (w.file.unlink(), w.file.mkdir()), "rules.json: not a regular file"),
    "too long": (lambda w: w.file.write_text(" " * 2_000_000), "rules.json: over 1048576 bytes"),
    "elsewhere": (lambda w: w.write(address="127.0.0.2"), "rules.json: the address changed"),
}


@pytest.mark.parametrize(("break_it", "says"), BREAKS.values(), ids=BREAKS)
def test_rules_that_break_close_the_gateway_and_whole_ones_open_it_again(tmp_path, break_it, says):
    async def scene(watched):
        watched.write()
        assert await watched.look() == ("open", "")
        assert watched.keeper.gateway.rules == watched.rules
        break_it(watched)
        state, why = await watched.look()
        assert (state, why[: len(says)]) == ("closed", says)
        assert watched.keeper.gateway.rules is None
        if watched.file.is_dir():
            watched.file.rmdir()
        watched.file.unlink(missing_ok=True)
        watched.write(generation=6)
        assert await watched.look() == ("open", "")

    play(scene, tmp_path)


def test_a_gateway_starts_closed_and_says_that_there_are_no_rules(tmp_path):
    async def scene(watched):
        assert watched.keeper.gateway.rules is None
        assert await watched.look() == ("closed", "rules.json: No such file or directory")

    play(scene, tmp_path)


def test_rules_that_vanish_while_a_reload_is_asked_for_are_seen_to_be_gone(tmp_path):
    async def scene(watched):
        watched.write()
        assert await watched.look() == ("open", "")
        watched.file.unlink()
        watched.keeper._seen = None  # what SIGHUP does
        assert (await watched.look())[0] == "closed"

    play(scene, tmp_path)


def test_rules_that_lose_their_reader_are_noticed_though_their_content_is_the_same(tmp_path):
    async def scene(watched):
        watched.write()
        assert await watched.look() == ("open", "")
        before = watched.keeper._seen
        watched.file.chmod(0)
        await watched.look()
        assert watched.keeper._seen != before

    play(scene, tmp_path)


def test_the_same_container_does_not_go_back_to_older_rules_after_a_restart_and_another_one_may(tmp_path):
    async def open_it(watched):
        watched.write()
        assert await watched.look() == ("open", "")

    async def restarted(watched):
        watched.write(generation=4)
        assert await watched.look() == ("closed", "rules.json: generation 4 is older than 5")
        assert await watched.look() == ("closed", "rules.json: generation 4 is older than 5")

    async def another(watched):
        watched.write(generation=1)
        assert await watched.look() == ("open", "")

    play(open_it, tmp_path)
    play(restarted, tmp_path)
    play(restarted, tmp_path)
    play(another, tmp_path, name="two")


def test_rules_that_are_being_written_are_read_once_more_before_anything_is_cut(tmp_path):
    async def scene(watched):
        watched.write()
        assert await watched.look() == ("open", "")
        whole = dataclasses.replace(watched.rules, generation=6).to_json()
        watched.file.write_text(whole[:50])
        looking = asyncio.ensure_future(watched.look())
        await asyncio.sleep(0.02)
        watched.file.write_text(whole)
        assert await looking == ("open", "")
        assert watched.keeper.gateway.rules.generation == 6

    play(scene, tmp_path)


def test_used_up_records_close_the_gateway_cut_what_is_open_and_a_larger_budget_opens_it(tmp_path):
    async def scene(watched):
        watched.write(budget=100)
        assert await watched.look() == ("open", "")
        with contextlib.suppress(OSError):
            for _ in range(3):
                watched.keeper._records.write(event="denied", name="x" * 100)
        cut = []
        watched.keeper.gateway.cut = lambda: cut.append(True)
        assert await watched.look() == ("closed", "the records' budget of 100 bytes is used up")
        assert cut
        watched.write(budget=1_000_000)
        assert await watched.look() == ("open", "")

    play(scene, tmp_path)


def test_a_hosts_gateway_is_a_proxy_and_takes_no_other_port(tmp_path):
    keeper = keeper_for(["--proxy", str(tmp_path / "rules.json"), str(tmp_path)])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    rules = dataclasses.replace(RULES, address="127.0.0.1", forwards=(), proxy_port=port, reserve=0)

    async def scene():
        (tmp_path / "rules.json").write_text(rules.to_json())
        await keeper.look()
        gateway = keeper.gateway
        assert (set(gateway._servers), gateway._datagrams, gateway._ports) == ({port}, None, PROXY_ONLY)
        gateway._servers[port].close()

    asyncio.run(scene())


def test_words_that_it_does_not_know_start_nothing():
    with pytest.raises(ValueError, match="--open"):
        keeper_for(["--open", "rules.json", "."])


def test_a_signal_stops_and_is_kept_though_no_disk_takes_it_until_somebody_says_go(tmp_path, monkeypatch):
    async def scene(watched):
        watched.write()
        assert await watched.look() == ("open", "")
        monkeypatch.setattr("hostkit.gateway.__main__.throw", lambda *_, **__: None)  # as on a disk that is full
        watched.keeper._stop(asyncio.Event())
        assert await watched.look() == ("closed", "stopped by a signal")
        assert watched.keeper.gateway.rules is None
        assert await watched.look() == ("closed", "stopped by a signal")
        (tmp_path / NAME).write_text(text(stopped=False, by="hostkit gateway go", at=1))
        assert await watched.look() == ("open", "")

    play(scene, tmp_path)
