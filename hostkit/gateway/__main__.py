"""One gateway process: starts closed, reads its rules, and closes again whenever they cannot be read."""

import asyncio
import contextlib
import signal
from pathlib import Path

from hostkit.gateway.records import Records
from hostkit.gateway.requests import Book
from hostkit.gateway.resolve import resolve
from hostkit.gateway.rules import Rules, RulesError, parse
from hostkit.gateway.server import Gateway, Ports

_POLL = 0.5
"""Seconds between two looks at the rules file."""


class Keeper:
    """Watches the rules file, applies what it says, and writes the status each second."""

    def __init__(self, file: Path, directory: Path, ports: Ports) -> None:
        self._file, self._records = file, Records(directory, 4 * 1024 * 1024, 256 * 1024 * 1024)
        self._book = Book(self._records, "")
        self.gateway = Gateway(self._book, resolve, ports)
        self._seen: tuple[int, ...] = ()
        self._why, self._generation = "no rules yet", 0

    async def run(self) -> None:
        """Keep the gateway by its rules until the process ends."""
        loop = asyncio.get_running_loop()
        again = asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, again.set)
        while True:
            await self._look()
            self._tell()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(again.wait(), _POLL)
                self._seen = ()
            again.clear()

    async def _look(self) -> None:
        seen = _identity(self._file)
        if seen == self._seen and not (self.gateway.rules is None and seen):
            return
        self._seen = seen
        try:
            rules = _read(self._file, self._generation)
            await self.gateway.listen(rules)
        except (RulesError, OSError, UnicodeDecodeError) as why:
            self._why = f"{self._file.name}: {why}"
            self.gateway.apply(None)
            return
        self._why, self._generation = "", rules.generation
        self._book.client, self._records.reserve, self._records.budget = rules.client, rules.reserve, rules.budget
        self.gateway.apply(rules)

    def _tell(self) -> None:
        why = self._why or self._records.full()
        counts = {"allowed": self._book.allowed, "denied": self._book.denied}
        self._records.status(state="closed" if why else "open", why=why, generation=self._generation, **counts)


def _identity(file: Path) -> tuple[int, ...]:
    try:
        facts = file.stat()
    except OSError:
        return ()
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def _read(file: Path, at_least: int) -> Rules:
    rules = parse(file.read_text(encoding="utf-8"))
    if rules.generation < at_least:
        raise RulesError(f"generation {rules.generation} is older than {at_least}")
    return rules


def main() -> None:
    """Run the gateway of this container."""
    keeper = Keeper(Path("/rules/rules.json"), Path("/records"), Ports())
    try:
        import uvloop  # noqa: PLC0415 - optional: asyncio's own loop does as well, a little slower
    except ImportError:
        asyncio.run(keeper.run())
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(keeper.run())


if __name__ == "__main__":
    main()
