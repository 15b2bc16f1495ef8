import dataclasses

import pytest

from hostkit.drill.judge import alone, exit_code, judge
from hostkit.drill.model import Answer, Missing, Trial, collect_all

PROBES, CONTROLS = collect_all()
every_probe = pytest.mark.parametrize("probe", PROBES, ids=lambda entry: entry.id)


def held(probe):
    return Trial(probe.held, witnessed=True)


def escaped(probe):
    return Trial(probe.escaped, collected=probe.collected)


@every_probe
def test_held_inside_and_escaped_in_the_twin_is_held(probe):
    assert judge(probe, held(probe), escaped(probe)).answer is Answer.HELD


@every_probe
def test_the_escape_word_inside_is_an_escape(probe):
    assert judge(probe, Trial(probe.escaped), escaped(probe)).answer is Answer.ESCAPED


def test_an_escape_says_what_it_got_through():
    probe = next(entry for entry in PROBES if entry.id == "network-host-bridge")
    outcome = judge(probe, Trial("reached", told="10.0.0.1:22 refused\x1b"), escaped(probe))
    assert outcome.why == r"it said reached: '10.0.0.1:22 refused\x1b'"


@every_probe
def test_any_other_word_inside_is_inconclusive(probe):
    outcome = judge(probe, Trial("odd"), escaped(probe))
    assert outcome.answer is Answer.INCONCLUSIVE
    assert "'odd'" in outcome.why


@every_probe
def test_a_twin_that_holds_proves_nothing(probe):
    assert judge(probe, held(probe), Trial(probe.held)).answer is Answer.INCONCLUSIVE


@every_probe
def test_a_twin_that_could_not_be_made_is_not_shown_here(probe):
    outcome = judge(probe, held(probe), Missing("no engine to spare"))
    assert (outcome.answer, outcome.why) == (Answer.NOT_SHOWN, "no engine to spare")


def test_what_the_collector_saw_beats_the_word_inside():
    probe = PROBES[0]
    assert judge(probe, Trial(probe.held, collected=True), escaped(probe)).answer is Answer.ESCAPED


def test_an_escape_that_the_collector_did_not_see_is_inconclusive():
    probe = next(entry for entry in PROBES if entry.collected)
    assert judge(probe, held(probe), Trial(probe.escaped)).answer is Answer.INCONCLUSIVE


def test_a_block_without_its_declared_witness_is_a_failure():
    probe = next(entry for entry in PROBES if entry.witness.kind == "gateway")
    outcome = judge(probe, Trial(probe.held, witnessed=False), escaped(probe))
    assert outcome.answer is Answer.UNWITNESSED
    assert exit_code([outcome]) == 1


def test_a_witness_that_cannot_be_read_is_inconclusive():
    probe = next(entry for entry in PROBES if entry.witness.kind == "bridge")
    assert judge(probe, Trial(probe.held, witnessed=None), escaped(probe)).answer is Answer.INCONCLUSIVE


def test_a_group_whose_control_fails_is_never_held():
    probe = PROBES[0]
    assert judge(probe, held(probe), escaped(probe), control=False).answer is Answer.INCONCLUSIVE


def test_a_broken_control_does_not_hide_an_escape():
    probe = PROBES[0]
    assert judge(probe, escaped(probe), escaped(probe), control=False).answer is Answer.ESCAPED


def test_each_single_wall_is_told_apart():
    probe = dataclasses.replace(PROBES[0], walls=("a", "b", "c", "d"))
    singles = {"a": held(probe), "b": Trial(probe.escaped), "c": Trial("odd")}
    assert alone(probe, singles) == {"a": True, "b": False, "c": None, "d": None}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([], 3),
        ([Answer.HELD], 0),
        ([Answer.HELD, Answer.NOT_SHOWN], 3),
        ([Answer.INCONCLUSIVE], 3),
        ([Answer.INCONCLUSIVE, Answer.ESCAPED], 1),
    ],
)
def test_the_exit_code_is_never_kinder_than_the_worst_answer(answers, code):
    held_one = judge(PROBES[0], held(PROBES[0]), escaped(PROBES[0]))
    assert exit_code([dataclasses.replace(held_one, answer=answer) for answer in answers]) == code
