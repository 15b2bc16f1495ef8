"""One gateway process: starts closed, reads its rules, and closes again whenever they cannot be read."""

import asyncio
import contextlib
import json
import signal
import socket
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hostkit.gateway.inspect.budgets import Meter
from hostkit.gateway.records import Records
from hostkit.gateway.requests import Book
from hostkit.gateway.resolve import Known
from hostkit.gateway.rules import Rules, RulesError, parse
from hostkit.gateway.server import PROXY_ONLY, Gateway, Ports
from hostkit.gateway.switch import NAME, throw, thrown

_POLL = 0.25
"""Seconds between two looks at the rules file."""
_SETTLE = 0.1
"""Seconds after which rules that cannot be read are read once more, for they may be half written."""
_LIMIT = 1024 * 1024
"""Octets that rules may take."""


class Keeper:
    """Watches the rules file, applies what it says, and writes the status.

    Rules that are broken, older than the last good ones, unreadable or gone close the gateway at once, its live
    connections included. (A policy that does not validate never gets here: `hostkit launch` refuses it and the rules
    stay as they were. A rules file that does not validate was damaged, and nobody knows what it said.)
    """

    def __init__(self, file: Path, directory: Path, ports: Ports, name: str) -> None:
        self._file, self._name, self._places = file, name, (file.parent, directory)
        self._records = Records(directory, 4 * 1024 * 1024, 256 * 1024 * 1024)
        self._book = Book(self._records, "")
        self.gateway = Gateway(self._book, Known(), ports)
        self._seen: tuple[int, ...] | None = None
        self._why, self._generation = "no rules yet", _last_generation(self._records.previous, name)
        self._told: tuple[float, tuple[object, ...]] = (0.0, ())
        self._signalled: tuple[int, ...] | None = None
        self._ledger = Ledger(directory, self.gateway.house.meter)

    async def run(self) -> None:
        """Keep the gateway by its rules until the process ends."""
        loop = asyncio.get_running_loop()
        again = asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, again.set)
        loop.add_signal_handler(signal.SIGUSR1, self._stop, again)
        while True:
            await self.look()
            self.tell(loop.time())
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(again.wait(), _POLL)
                self._seen = None
            again.clear()

    def _stop(self, again: asyncio.Event) -> None:
        """Throw the kill switch, as SIGUSR1 asks: at once, and over a restart."""
        throw(self._places[1], "a signal", time.time(), after=self._places[0])
        self._signalled = _identity(self._places[0] / NAME)
        again.set()

    def _stopped(self) -> str:
        """Return why nothing may leave: what the files say, or a signal that no disk had room for."""
        if self._signalled is not None and self._signalled != _identity(self._places[0] / NAME):
            self._signalled = None
        return thrown(*self._places) or ("stopped by a signal" if self._signalled is not None else "")

    async def look(self) -> None:
        """Apply the rules file if it is not what was applied last; with the kill switch thrown go by none."""
        if why := self._stopped():
            self._why, self._seen = why, None
            if self.gateway.rules is not None:
                self.gateway.apply(None)
            return
        seen = _identity(self._file)
        if seen == self._seen and self.gateway.rules is not None:
            return
        self._seen = seen
        try:
            rules = await self._settled()
            await self.gateway.listen(rules)
            self.gateway.apply(rules)
        except (RulesError, OSError, UnicodeDecodeError) as why:
            self._why = f"{self._file.name}: {getattr(why, 'strerror', None) or why}"
            self.gateway.apply(None)
            return
        self._why, self._generation = "", rules.generation
        self._book.client, self._records.reserve, self._records.budget = rules.client, rules.reserve, rules.budget

    async def _settled(self) -> Rules:
        with contextlib.suppress(RulesError, OSError, UnicodeDecodeError):
            return _read(self._file, self._generation)
        if self.gateway.rules is not None:
            await asyncio.sleep(_SETTLE)
        return _read(self._file, self._generation)

    def tell(self, now: float) -> None:
        """Write the status each second, and at once when it changed; with no room for records cut what is open."""
        self._ledger.write(now)
        full = self._records.full()
        if full:
            self.gateway.cut()
        why = self._why or full
        said = ("closed" if why else "open", why, self._generation)
        if said == self._told[1] and now < self._told[0] + 1:
            return
        self._told = now, said
        counts = {"allowed": self._book.allowed, "denied": self._book.denied}
        self._records.status(state=said[0], why=why, generation=self._generation, name=self._name, **counts)


class Ledger:
    """Keeps what the budgets have counted over a restart: one file beside the records, written once a second."""

    def __init__(self, directory: Path, meter: Meter) -> None:
        self._file, self._meter, self._written, self._next = directory / "budgets.json", meter, "", 0.0
        with contextlib.suppress(OSError, ValueError, TypeError):
            meter.restore(json.loads(self._file.read_text(encoding="utf-8")))

    def write(self, now: float) -> None:
        """Write the counts if they changed, a second or more after the last time."""
        if now < self._next:
            return
        self._next, counts = now + 1, json.dumps(self._meter.kept())
        if counts == self._written:
            return
        with contextlib.suppress(OSError):
            beside = self._file.with_suffix(".new")
            beside.write_text(counts, encoding="utf-8")
            beside.replace(self._file)
            self._written = counts


def _last_generation(previous: dict[str, object], name: str) -> int:
    """Return the generation that this very container last ran by, 0 if its records tell of another or of none."""
    generation = previous.get("generation")
    return generation if isinstance(generation, int) and previous.get("name") == name else 0


def _identity(file: Path) -> tuple[int, ...]:
    try:
        facts = file.stat()
    except OSError:
        return ()
    return facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size


def _read(file: Path, at_least: int) -> Rules:
    if not stat.S_ISREG(file.stat().st_mode):
        raise RulesError("not a regular file")
    with file.open("rb") as opened:
        data = opened.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise RulesError(f"over {_LIMIT} bytes")
    rules = parse(data.decode("utf-8"))
    if rules.generation < at_least:
        raise RulesError(f"generation {rules.generation} is older than {at_least}")
    return rules


def keeper_for(words: Sequence[str]) -> Keeper:
    """Return the keeper of a container's gateway, or with `--proxy RULES RECORDS` that of a host's own."""
    if not words:
        return Keeper(Path("/rules/rules.json"), Path("/records"), Ports(), socket.gethostname())
    flag, rules, records = words
    if flag != "--proxy":
        raise ValueError(f"{flag!a}: not --proxy")
    return Keeper(Path(rules), Path(records), PROXY_ONLY, socket.gethostname())


def main() -> None:
    """Run the gateway of this container, or of this host."""
    keeper = keeper_for(sys.argv[1:])
    try:
        import uvloop  # noqa: PLC0415 - optional: asyncio's own loop does as well, a little slower
    except ImportError:
        asyncio.run(keeper.run())
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(keeper.run())


if __name__ == "__main__":
    main()
