"""What would make failed checks true again: at once, by a play, or by hand. A plan; nothing is done here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Command
from hostkit.posture.result import Result


@dataclass(frozen=True)
class Close:
    """Paths closed without following a link: `mode` holds the bits that may stay, owner and group are as chown(2)'s."""

    paths: tuple[str, ...]
    mode: int
    owner: int = -1
    group: int = -1


@dataclass(frozen=True)
class Step:
    """The commands that make one check true at once."""

    id: str
    commands: tuple[Command, ...]


@dataclass(frozen=True)
class Hand:
    """A failed check that is left to its owner, and what there is to do."""

    id: str
    do: str


@dataclass(frozen=True)
class Plan:
    """What can be done about a report: `plays` names plays by their files' stems, each with the checks it is for."""

    safe: tuple[Step, ...] = ()
    plays: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by_hand: tuple[Hand, ...] = ()


def plan(results: Iterable[Result], host: Host, policy: Policy, *, safe: bool = True) -> Plan:
    """Return what can be done about those that fail; without `safe`, as if no command could mend any of them.

    What is ok, unknown, waived or in the baseline is left alone; what is so in part is its owner's to mend.
    """
    failing = [entry for entry in results if entry.fails]
    steps, hands = [], []
    plays: dict[str, list[str]] = {}
    for entry in failing:
        check = entry.check
        if entry.covered or entry.baseline:
            hands.append(Hand(check.id, f"a part of it is excused, so it is left as it is. {check.fix}"))
        elif safe and (commands := _commands(entry, host, policy)):
            steps.append(Step(check.id, commands))
        elif check.play:
            plays.setdefault(check.play, []).append(check.id)
        else:
            hands.append(Hand(check.id, check.fix))
    return Plan(tuple(steps), tuple((play, tuple(plays[play])) for play in sorted(plays)), tuple(hands))


def _commands(entry: Result, host: Host, policy: Policy) -> tuple[Command, ...]:
    """Return what mends a check at once; nothing if its mend breaks, cannot tell, or is not one that may be run."""
    if entry.check.mend is None:
        return ()
    try:
        commands = entry.check.mend(host, policy)
        for command in commands:
            meant(command)
    except Exception:  # noqa: BLE001 - as a check that breaks: the play or its owner mends what it does not
        return ()
    return commands


_NEVER = frozenset(
    {"bash", "cp", "dash", "dd", "env", "find", "install", "ln", "mv", "perl", "python3", "rm", "sed", "sh", "sudo"}
    | {"tee", "xargs", "zsh", "chgrp"}
)
"""Programs that no mend is made of: they run words as commands, or follow links to wherever somebody laid them."""
_ROOTS = {"root": (0, -1), "0": (0, -1), "root:root": (0, 0), "0:0": (0, 0)}
_CLAUSE = re.compile(r"([ugoa]*)([-=])([rwxst]*)")
_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007}
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}


def meant(command: Command) -> Command | Close:
    """Return what is done for a command of a mend: chmod and chown by hostkit itself, no link followed.

    Raise ValueError for one that a mend must not hold: a shell, a mover of files, a mode that opens; KeyError for an
    owner that is not root.
    """
    program, words = command[0].rpartition("/")[2], command[1:]
    if program in _NEVER:
        raise ValueError(f"a mend does not run {program}")
    if program not in {"chmod", "chown"}:
        return command
    marked = words.index("--") if "--" in words else len(words)
    options = [word for word in words[:marked] if program == "chown" and word == "-h"]
    target, *paths = [word for number, word in enumerate(words) if number != marked and word not in options]
    if program == "chown":
        return Close(tuple(paths), 0o7777, *_ROOTS[target])
    return Close(tuple(paths), _allowed(target))


def _allowed(mode: str) -> int:
    """Return the bits that a mode lets stay: an octal one, or clauses that take away."""
    if re.fullmatch(r"0?[0-7]{3,4}", mode):
        return int(mode, 8)
    allowed = 0o7777
    for clause in mode.split(","):
        found = _CLAUSE.fullmatch(clause)
        if found is None:
            raise ValueError(f"a mend does not chmod {mode!r}: it takes away, and opens nothing")
        who = sum(_WHO[word] for word in set(found[1].replace("a", "ugo") or "ugo"))
        bits = sum(_BITS[word] for word in set(found[3]))
        allowed &= ~(who & bits) if found[2] == "-" else ~who | bits
    return allowed
