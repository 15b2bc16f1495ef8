"""All hosts side by side: checked, or hardened and each fence confirmed over a new connection."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from hostkit.bootstrap.guard import UP, WINDOW
from hostkit.fleet import words
from hostkit.fleet.inventory import Target
from hostkit.fleet.judge import Row, row
from hostkit.fleet.ssh import Said, talk

SIDE_BY_SIDE = 16
CHECK_SECONDS = 90.0
BOOTSTRAP_SECONDS = 3600.0
Say = Callable[[str, str], None]
T = TypeVar("T")


def check(targets: tuple[Target, ...], known: Collection[str]) -> tuple[Row, ...]:
    """Return what every host says of itself, in their order; `known` are the checks that each must answer."""
    return asyncio.run(_each(targets, partial(_check, known=known)))


async def _check(target: Target, known: Collection[str]) -> Row:
    said = await talk(words.ssh(target, words.check(target)), CHECK_SECONDS)
    return row(target.name, said, known)


@dataclass(frozen=True)
class Hardened:
    """How a host's bootstrap ended; `kept` is what the new connection was told that confirmed its fence."""

    name: str
    said: Said
    kept: Said | None = None


def bootstrap(targets: tuple[Target, ...], options: tuple[str, ...], say: Say, *, dry: bool) -> tuple[Hardened, ...]:
    """Harden every host, in their order; `say` gets a host's name and each line it says as it comes."""
    return asyncio.run(_each(targets, partial(_bootstrap, options=options, say=say, dry=dry)))


async def _bootstrap(target: Target, options: tuple[str, ...], say: Say, *, dry: bool) -> Hardened:
    confirming: list[asyncio.Task[Said]] = []

    def heard(line: str) -> None:
        say(target.name, line)
        if line.startswith(UP) and not (dry or confirming):
            confirming.append(asyncio.ensure_future(_confirm(target)))

    said = await talk(words.ssh(target, words.bootstrap(target, options, dry=dry)), BOOTSTRAP_SECONDS, heard)
    return Hardened(target.name, said, await confirming[0] if confirming else None)


async def _confirm(target: Target) -> Said:
    """Keep a fence from here, over a connection of its own: what cannot get in does not keep it."""
    return await talk(words.ssh(target, words.confirm(target)), WINDOW)


async def _each(targets: tuple[Target, ...], job: Callable[[Target], Awaitable[T]]) -> tuple[T, ...]:
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(target: Target) -> T:
        async with room:
            return await job(target)

    return tuple(await asyncio.gather(*(one(target) for target in targets)))
