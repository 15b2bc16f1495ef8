"""Trials side by side; none waits on another's clock, and none keeps a slot for ever."""

import threading
import time

import pytest

from hostkit.posture import trials
from hostkit.posture.model import DEADLINES, check, ok
from tests.conftest import FakeHost, make_policy

HOST, POLICY = FakeHost(), make_policy()


def made(name, does=ok, kind="reading"):
    def judge(host, policy):
        """A thing is so."""
        return does()

    return check(name, severity="high", why="w", fix="f", kind=kind)(judge)


def hang():
    threading.Event().wait(20)


def answers(*checks, told=None, patience=0.0):
    return trials.answers(checks, HOST, POLICY, told, patience)


def test_answers_come_in_the_order_of_the_checks():
    slow = made("a-slow", lambda: time.sleep(0.1) or ok("slow"))
    assert [answer.verdict.detail for answer in answers(slow, made("a-quick", lambda: ok("quick")))] == [
        "slow",
        "quick",
    ]


def test_no_more_than_the_slots_run_at_once():
    running, most, lock = [0], [0], threading.Lock()

    def counted():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        return ok()

    found = answers(*(made(f"a-{number}", counted) for number in range(3 * trials.SLOTS)))
    assert {answer.verdict.status for answer in found} == {"ok"}
    assert 1 < most[0] <= trials.SLOTS


def test_waiting_in_line_takes_nothing_of_a_deadline(monkeypatch):
    monkeypatch.setattr(trials, "SLOTS", 1)
    monkeypatch.setitem(DEADLINES, "reading", 0.4)
    found = answers(*(made(f"a-{number}", lambda: time.sleep(0.25) or ok()) for number in range(4)))
    assert [answer.verdict.status for answer in found] == ["ok"] * 4


def test_a_check_that_hangs_gives_its_slot_back_at_its_deadline(monkeypatch):
    monkeypatch.setattr(trials, "SLOTS", 2)
    monkeypatch.setitem(DEADLINES, "reading", 0.2)
    began = time.monotonic()
    found = answers(*(made(f"a-{number}", hang) for number in range(4)), made("a-last"))
    assert [answer.verdict.status for answer in found] == ["unknown"] * 4 + ["ok"]
    assert found[0].verdict.detail == "no answer within 0.2 s (a slow machine? hostkit check --patience 60)"
    assert time.monotonic() - began < 2


def test_who_is_patient_waits_for_what_comes_after_its_deadline(monkeypatch):
    monkeypatch.setitem(DEADLINES, "reading", 0.1)
    slow = made("a-slow", lambda: time.sleep(0.5) or ok("slow"))
    assert [answer.verdict.detail for answer in answers(slow, patience=10)] == ["slow"]
    assert [answer.verdict.detail for answer in answers(slow)] == [
        "no answer within 0.1 s (a slow machine? hostkit check --patience 60)"
    ]


def test_a_reading_that_was_late_is_asked_once_more_alone(monkeypatch):
    monkeypatch.setitem(DEADLINES, "reading", 0.2)
    asked = []

    def crowded():
        asked.append("once")
        return ok("alone") if len(asked) == 2 else hang()

    found = answers(made("a-crowded", crowded), made("a-hangs", hang))
    assert [(answer.verdict.status, answer.late) for answer in found] == [("ok", False), ("unknown", True)]
    assert len(asked) == 2


def test_late_readings_are_not_asked_again_for_ever_and_no_probe_is(monkeypatch):
    monkeypatch.setitem(DEADLINES, "reading", 0.2)
    monkeypatch.setitem(DEADLINES, "probe", 0.2)
    monkeypatch.setattr(trials, "_AGAIN", 0.3)
    asked = []
    checks = [made(f"a-{number}", lambda: asked.append("reading") or hang()) for number in range(6)]
    answers(*checks, made("a-probe", lambda: asked.append("probe") or hang(), kind="probe"))
    assert (asked.count("reading"), asked.count("probe")) == (8, 1)


def test_what_is_said_after_the_deadline_is_not_heard_as_another_checks_word(monkeypatch):
    monkeypatch.setattr(trials, "SLOTS", 1)
    monkeypatch.setitem(DEADLINES, "reading", 0.2)
    late = made("a-late", lambda: time.sleep(0.3) or ok("late"))
    first, second = answers(late, made("a-next", lambda: time.sleep(0.15) or ok("next")))
    assert (first.verdict.status, second.verdict.detail) == ("unknown", "next")


def test_a_whole_run_has_an_end_and_what_did_not_run_is_unknown(monkeypatch):
    monkeypatch.setattr(trials, "SLOTS", 1)
    monkeypatch.setattr(trials, "_GRACE", -2.5)
    found = answers(made("a-hangs", hang), made("a-waits"))
    assert [answer.verdict.detail for answer in found] == ["the whole run has 0.5 s, and they were over"] * 2
    assert {answer.verdict.status for answer in found} == {"unknown"}


def test_scans_are_first_in_line_and_probes_before_readings(monkeypatch):
    monkeypatch.setattr(trials, "SLOTS", 1)
    order = []
    kinds = ("reading", "probe", "scan", "reading")
    answers(*(made(f"a-{n}", lambda kind=kind: order.append(kind) or ok(), kind) for n, kind in enumerate(kinds)))
    assert order == ["scan", "probe", "reading", "reading"]


def test_progress_says_what_ended_and_what_goes_on():
    told, heard = [], threading.Event()

    def hear(progress):
        told.append(progress)
        heard.set()

    answers(made("a-one", lambda: heard.wait(2) and ok()), made("a-two"), told=hear)
    assert told[0].running == ("a-one",)
    assert [(one.ended, one.total) for one in told] == [(1, 2), (2, 2)]


def test_a_check_that_cannot_be_started_is_unknown(monkeypatch):
    def full(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    (found,) = answers(made("a-one"))
    assert (found.verdict.status, "can't start new thread" in found.verdict.detail) == ("unknown", True)


def test_the_size_of_other_threads_stays_as_it_was():
    before = threading.stack_size()
    answers(made("a-one"))
    assert threading.stack_size() == before


@pytest.mark.parametrize("count", [0, 1])
def test_few_checks_are_a_run_too(count):
    assert len(answers(*[made("a-one")] * count)) == count
