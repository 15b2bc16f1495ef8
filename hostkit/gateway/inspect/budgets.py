"""How much of each thing went, in this minute and this day; what is over its budget is refused until the next one."""

import time
from collections.abc import Callable
from typing import Any

from hostkit.gateway.requests import Denied
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import SPANS, Budget

Counts = dict[tuple[str, str, str, int], int]
"""How much, by service (empty for the whole client), thing, stretch of time, and that stretch's number."""


_MINUTE = 60
"""Seconds; every stretch of time is of whole minutes."""


class Meter:
    """Counts what a client's services took; `kept` is what an earlier run of the gateway had counted."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now, self._counts = now, Counts()
        self._fresh: dict[tuple[str, str], int] = {}
        self._minute = 0

    def add(self, service: str, **amounts: int) -> None:
        """Count amounts of things, for the service and for the whole client."""
        if (minute := int(self._now() // _MINUTE)) != self._minute:
            self._settle()
            self._minute = minute
        for of, amount in amounts.items():
            self._fresh[service, of] = self._fresh.get((service, of), 0) + amount

    def _settle(self) -> None:
        """Count what came in this minute in each stretch of time; many requests come between two that ask for it."""
        for (service, of), amount in self._fresh.items():
            for per, seconds in SPANS.items():
                for whose in (service, ""):
                    key = (whose, of, per, self._minute * _MINUTE // seconds)
                    self._counts[key] = self._counts.get(key, 0) + amount
        self._fresh.clear()

    def admit(self, rules: Rules, service: str, **more: int) -> None:
        """Raise Denied `over-budget` if a request that takes `more` has no room, or anything it may take is used up."""
        self._judge(rules, service, more, lambda budget, spent: spent >= budget.most)

    def take(self, rules: Rules, service: str, **more: int) -> None:
        """Count more of a request under way; raise Denied `over-budget`, with nothing counted, if it is over."""
        self._judge(rules, service, more, lambda _budget, _spent: False)
        self.add(service, **more)

    def _judge(self, rules: Rules, service: str, more: dict[str, int], used_up: Callable[[Budget, int], bool]) -> None:
        if not rules.budgeted:
            return
        self._settle()
        own = next((found.budgets for found in rules.services if found.name == service), ())
        for whose, budgets in ((service, own), ("", rules.budgets)):
            for budget in budgets:
                spent = self._spent(whose, budget)
                extra = more.get(budget.of)
                if used_up(budget, spent) if extra is None else spent + extra > budget.most:
                    who = whose or "this client"
                    raise Denied("over-budget", f"{who} may have {budget.most} {budget.of} a {budget.per}")

    def _spent(self, whose: str, budget: Budget) -> int:
        return self._counts.get((whose, budget.of, budget.per, int(self._now()) // SPANS[budget.per]), 0)

    def kept(self) -> list[list[Any]]:
        """Return the counts of the current stretches, for a later run; what is over is forgotten."""
        self._settle()
        now = int(self._now())
        self._counts = {key: much for key, much in self._counts.items() if key[3] == now // SPANS[key[2]]}
        return [[*key, much] for key, much in sorted(self._counts.items())]

    def restore(self, plain: Any) -> None:
        """Take up what `kept` returned; raise ValueError for anything else."""
        for entry in plain:
            service, of, per, number, much = entry
            if per not in SPANS or not isinstance(number, int) or not isinstance(much, int):
                raise ValueError("no counts")
            key = (str(service), str(of), per, number)
            self._counts[key] = max(self._counts.get(key, 0), much)
