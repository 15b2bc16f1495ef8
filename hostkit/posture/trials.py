"""Checks side by side, each with a clock of its own that starts when it does."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Check, Verdict, unknown

SLOTS = 16
"""Checks that run at once."""
_GRACE = 60.0
"""Seconds that a whole run has over the longest deadline in it."""
_STACK = 1024 * 1024
_FIRST = {"scan": 0, "probe": 1, "reading": 2}
"""What takes longest starts first, and the rest passes beside it."""
_TICK = 1.0
_AGAIN = 10.0
"""Seconds within which late readings are asked once more: fifteen neighbours may have been all that kept them."""


@dataclass(frozen=True)
class Answer:
    """What a check said, and how long that took; `late`: it said nothing before its deadline."""

    verdict: Verdict
    seconds: float
    late: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a run is: so many checks of so many have ended, and these go on."""

    ended: int
    total: int
    running: tuple[str, ...]


Told = Callable[[Progress], None]


def answers(
    checks: tuple[Check, ...], host: Host, policy: Policy, told: Told | None = None, patience: float = 0.0
) -> tuple[Answer, ...]:
    """Return every check's answer, in their order; none later than its deadline, all within one bound.

    With `patience` no deadline is nearer than so many seconds. A reading that was late is asked once more, alone, while
    that takes no more than ten seconds in all.
    """

    def judge(check: Check) -> Verdict:
        return judged(check, host, policy)

    said = _asked(checks, judge, told, patience)
    end = time.monotonic() + _AGAIN
    for place, check in enumerate(checks):
        if said[place].late and check.kind == "reading" and time.monotonic() < end:
            said[place] = _asked((check,), judge, None, patience)[0]
    return tuple(said)


def _asked(
    checks: tuple[Check, ...], judge: Callable[[Check], Verdict], told: Told | None, patience: float
) -> list[Answer]:
    run = _Run(checks, judge, patience)
    while not run.over():
        run.step()
        if told:
            told(run.progress())
    return run.answers()


def judged(check: Check, host: Host, policy: Policy) -> Verdict:
    """Return a check's verdict; what it could not see, and any error of its own, is unknown and says so."""
    try:
        return check(host, policy)
    except CannotTell as why:
        return unknown(str(why))
    except Exception as why:  # noqa: BLE001 - a check that breaks must not hide the others, nor be green
        return unknown(f"the check itself broke: {type(why).__name__}: {why}")


class _Run:
    """The checks that wait, those that run, and the answers so far; one thread works with it."""

    def __init__(self, checks: tuple[Check, ...], judge: Callable[[Check], Verdict], patience: float) -> None:
        self._checks, self._judge = checks, judge
        self._deadlines = [max(check.deadline, patience) for check in checks]
        order = sorted(range(len(checks)), key=lambda place: _FIRST[checks[place].kind])
        self._waiting = list(reversed(order))
        self._started: dict[int, float] = {}
        self._found: dict[int, Answer] = {}
        self._said: queue.SimpleQueue[tuple[int, Answer]] = queue.SimpleQueue()
        self._bound = max(self._deadlines, default=0.0) + _GRACE
        self._end = time.monotonic() + self._bound

    def over(self) -> bool:
        return len(self._found) == len(self._checks)

    def progress(self) -> Progress:
        return Progress(len(self._found), len(self._checks), tuple(self._checks[place].id for place in self._started))

    def answers(self) -> list[Answer]:
        return [self._found[place] for place in range(len(self._checks))]

    def step(self) -> None:
        """Fill the free slots, wait for one answer or the next deadline, and free the slots of those that hang."""
        self._fill()
        with contextlib.suppress(queue.Empty):
            self._hear(*self._said.get(timeout=self._patience()))
            while True:  # what came in time is heard before anything is called late
                self._hear(*self._said.get_nowait())
        now = time.monotonic()
        for place, started in tuple(self._started.items()):
            if now - started >= self._deadlines[place]:
                why = f"no answer within {self._deadlines[place]:g} s (a slow machine? hostkit check --patience 60)"
                self._hear(place, _none(why, now - started, late=True))
        if now >= self._end:
            self._give_up(now)

    def _fill(self) -> None:
        with _small_stacks():
            while self._waiting and len(self._started) < SLOTS:
                place = self._waiting.pop()
                self._started[place] = time.monotonic()
                self._start(place)

    def _start(self, place: int) -> None:
        try:  # a daemon: a check that hangs keeps neither its slot nor hostkit itself
            threading.Thread(target=self._ask, args=(place,), daemon=True).start()
        except RuntimeError as why:
            self._hear(place, _none(f"the check could not be started: {why}", 0.0))

    def _ask(self, place: int) -> None:
        started = time.monotonic()
        verdict = self._judge(self._checks[place])
        self._said.put((place, Answer(verdict, time.monotonic() - started)))

    def _patience(self) -> float:
        ends = [started + self._deadlines[place] for place, started in self._started.items()]
        return max(0.0, min((*ends, self._end, time.monotonic() + _TICK)) - time.monotonic())

    def _hear(self, place: int, answer: Answer) -> None:
        """Take an answer, unless it comes after its deadline: then it was given up already."""
        if self._started.pop(place, None) is not None:
            self._found[place] = answer

    def _give_up(self, now: float) -> None:
        why = f"the whole run has {self._bound:g} s, and they were over"
        for place in (*self._started, *self._waiting):
            self._found[place] = _none(why, now - self._started.get(place, now))
        self._started.clear()
        self._waiting.clear()


def _none(why: str, seconds: float, *, late: bool = False) -> Answer:
    return Answer(unknown(why), seconds, late)


@contextlib.contextmanager
def _small_stacks() -> Iterator[None]:
    before = threading.stack_size(_STACK)
    try:
        yield
    finally:
        threading.stack_size(before)
