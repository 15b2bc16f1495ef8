"""Waiting for the drill's far end: what is said of one that ended, and of one that never opens."""

from types import SimpleNamespace

import pytest

from hostkit.drill import lab
from hostkit.errors import CannotTell

NAME = "hostkit-acme-drill-gateway"


class Engine:
    """An engine with one container, which runs or has ended."""

    def __init__(self, running):
        self._running = running

    def inspect(self, name):
        assert name == NAME
        return {"State": {"Running": self._running}}

    def logs(self, name, lines):
        assert (name, lines) == (NAME, 1)
        return "OSError: no address\n"


def waited(running):
    made = lab.EngineLab(SimpleNamespace(engine=Engine(running)), None, "acme")
    with pytest.raises(CannotTell) as told:
        made._wait(NAME, "open", lambda: False)
    return told.value.what


def test_a_far_end_that_ended_is_told_at_once_with_its_last_words():
    assert waited(running=False) == f"{NAME} ended before it was open: 'OSError: no address'"


def test_a_far_end_that_runs_and_never_opens_is_told_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr(lab, "_PATIENCE", 0.1)
    assert waited(running=True) == f"the drill's far end, {NAME}, is not open after 0.1 s"
