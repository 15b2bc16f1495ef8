"""Asking again: at once, no more than half of the time, and once more when the time is over."""

import pytest

from hostkit.engine import tries


class Clock:
    """A clock that goes on only while somebody sleeps or asks."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr("hostkit.engine.asking.time", made)
    return made


def asked(clock, patience, cost):
    """Return when each try began, one that costs so many seconds."""
    began = []
    for _ in tries(patience):
        began.append(round(clock.now - 100, 2))
        clock.now += cost
    return began


def test_what_is_cheap_is_asked_every_50_ms(clock):
    assert asked(clock, 0.22, 0.0) == [0.0, 0.05, 0.1, 0.15, 0.2, 0.25]


def test_what_is_dear_is_asked_for_half_of_the_time(clock):
    assert asked(clock, 10.0, 2.0) == [0.0, 4.0, 8.0, 12.0]
    assert clock.slept == pytest.approx([2.0, 2.0, 2.0])


def test_it_is_asked_once_where_there_is_no_time_at_all(clock):
    assert asked(clock, 0.0, 0.5) == [0.0]
