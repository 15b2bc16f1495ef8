import dataclasses
import json
import subprocess
import sys
import time

import pytest

from hostkit.drill.model import Answer, Witness, control, probe
from hostkit.drill.run import Place, attempt, drill


@control("network")
def works() -> str:
    """It works."""
    return "works"


@probe("network-echo", group="network", walls=("user", "seccomp"), held="no", escaped="yes", witness=Witness.gateway())
def echo(word: str, marker: str) -> str:
    """Says what it was given."""
    return word


@probe(
    "network-far",
    group="network",
    walls=("user",),
    held="no",
    escaped="yes",
    witness=Witness.none("nothing leaves it"),
    collected=True,
)
def far(word: str, marker: str) -> str:
    """Says what it was given; the collector is said to have seen it."""
    return word


class LocalRunner:
    def exec_python(self, source, arguments, timeout):
        done = subprocess.run(
            [sys.executable, "-", *arguments],
            input=source,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        self.last = json.loads(arguments[0])
        return done.stdout + done.stderr


class FakeLab:
    throwaway = False

    def __init__(self, inside="no", record=True):
        self.inside, self.record, self.twins, self.up = inside, record, [], 0

    def _place(self, word):
        self.up += 1
        runner = LocalRunner()

        def records():
            entry = {
                "at": time.time(),
                "client": "acme",
                "event": "denied",
                "kind": "connect",
                "name": runner.last.get("marker", "") + ".example",
            }
            return (json.dumps(entry),) if self.record else ()

        return Place("acme", runner, {"word": word}, collected=lambda: (), records=records)

    def sandbox(self):
        return self._place(self.inside)

    def twin(self, walls):
        self.twins.append(walls)
        return self._place("yes" if len(walls) == 2 or "user" in walls else "no")

    def stop(self, place):
        self.up -= 1


def test_a_probe_runs_inside_in_the_twin_and_with_each_single_wall():
    lab = FakeLab()
    (outcome,) = drill(lab, [echo], [works], singles=True)
    assert outcome.answer is Answer.HELD
    assert outcome.alone == {"user": True, "seccomp": False}
    assert lab.up == 0


def test_a_probe_without_its_record_is_unwitnessed():
    (outcome,) = drill(FakeLab(record=False), [echo], [works])
    assert outcome.answer is Answer.UNWITNESSED


def test_an_escape_inside_is_told():
    (outcome,) = drill(FakeLab(inside="yes"), [echo], [works])
    assert outcome.answer is Answer.ESCAPED


def test_a_group_without_a_working_control_is_inconclusive():
    (outcome,) = drill(FakeLab(), [echo], [])
    assert outcome.answer is Answer.INCONCLUSIVE


def test_a_missing_target_is_not_shown_here():
    (outcome,) = drill(FakeLab(inside=""), [echo], [works])
    assert (outcome.answer, outcome.why) == (Answer.NOT_SHOWN, "there is no word here")


class LateCollector(FakeLab):
    """Its collector's lines come behind its answers, for a place that said one of `arrives`."""

    def __init__(self, inside, arrives):
        super().__init__(inside)
        self.arrives = arrives

    def _place(self, word):
        place, asked = super()._place(word), []

        def lines():
            asked.append(1)
            late = len(asked) > 3 and word in self.arrives
            return (f'{{"data": "{place.runner.last["marker"]}"}}',) if late else ()

        return dataclasses.replace(place, collected=lines)

    def twin(self, walls):
        return self._place("yes")


@pytest.mark.parametrize(
    ("arrives", "answer"),
    [({"yes"}, Answer.HELD), ({"yes", "no"}, Answer.ESCAPED), (set(), Answer.INCONCLUSIVE)],
)
def test_the_collectors_lines_may_come_behind_its_answers(arrives, answer):
    (outcome,) = drill(LateCollector("no", arrives), [far], [works])
    assert outcome.answer is answer


class Speechless(LocalRunner):
    """An engine that loses what the first attempts wrote."""

    def __init__(self, lost):
        self.lost = lost

    def exec_python(self, source, arguments, timeout):
        self.lost -= 1
        said = super().exec_python(source, arguments, timeout)
        return "" if self.lost >= 0 else said


@pytest.mark.parametrize(("lost", "word"), [(0, "yes"), (1, "yes"), (2, "nothing")])
def test_an_attempt_that_said_nothing_is_made_once_more(lost, word):
    place = Place("acme", Speechless(lost), {"word": "yes"}, collected=lambda: (), records=lambda: ())
    assert attempt(place, echo, watched=False).word == word
