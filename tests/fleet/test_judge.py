"""From a host's words to what is believed of it."""

import json

import pytest

from hostkit.errors import Exit
from hostkit.fleet.judge import Row, State, exit_code, row
from hostkit.fleet.ssh import TOO_LATE, TOO_MUCH, UNREACHED, Said
from hostkit.report.check import render
from tests.report.check.runs import EVERY, NASTY, result, run

KNOWN = ("fence-up", "ssh-keys")


def answered(*results, code=0, **more):
    plain = {"schema_version": 1, "exit": 0, "results": [{"detail": "", "waived": "", **entry} for entry in results]}
    return Said(code, json.dumps({**plain, **more}))


def both(first="ok", second="ok", **more):
    return answered({"id": "fence-up", "status": first, **more}, {"id": "ssh-keys", "status": second})


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (both(), State.OK),
        (both("fail"), State.FAIL),
        (both("fail", "unknown"), State.FAIL),
        (both("unknown"), State.UNKNOWN),
        (both("fail", waived="a reason, until 2027-01-01"), State.OK),
        (both("skip", "skip"), State.UNKNOWN),
        (both("skip"), State.OK),
        (answered({"id": "fence-up", "status": "ok"}), State.UNKNOWN),  # it was not asked about ssh-keys
    ],
)
def test_the_answers_make_the_state_and_not_the_exit_code_that_came_with_them(said, state):
    assert row("mini-1", said, KNOWN).state is state


@pytest.mark.parametrize(
    "out",
    [
        "",
        "ok",
        "[]",
        "{}",
        '{"schema_version": 2, "results": []}',
        '{"schema_version": 1, "results": []}',
        json.dumps({"schema_version": 1, "results": [{"id": "fence-up", "status": "OK"}]}),
        json.dumps({"schema_version": 1, "results": [{"id": "fence-up", "status": True}]}),
        json.dumps({"schema_version": 1, "results": [{"id": "../x\x1b[2J", "status": "ok"}]}),
        json.dumps({"schema_version": 1, "results": [{"id": "fence-up", "status": "ok"}] * 2}),
        json.dumps({"schema_version": 1, "results": [{"id": f"c{n}", "status": "ok"} for n in range(1001)]}),
        "[" * 100_000,
    ],
)
def test_an_answer_that_is_none_is_unknown_and_never_green(out):
    found = row("mini-1", Said(0, out), ())
    assert (found.state, bool(found.why)) == (State.UNKNOWN, True)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Said(UNREACHED, "", "\nssh: connect to x port 22: Connection refused\n"), "cannot be reached: ssh: connect"),
        (Said(UNREACHED, both().out), "cannot be reached: no word why"),
        (Said(TOO_LATE, both().out), "did not answer in time"),
        (Said(TOO_MUCH, both().out), "says more than an answer can be"),
        (Said(127, "", "sh: 1: exec: hostkit: not found\n"), "hostkit is not there: sh: 1: exec: hostkit: not found"),
        (Said(1, "", "sudo: a password is required\n"), "sudo wants more than a command there: sudo: a password"),
        (Said(2, "", "hostkit: /x: no such policy; run it\n"), "refused there: hostkit: /x: no such policy"),
    ],
)  # fmt: skip
def test_a_host_that_gave_no_answer_is_unknown_and_says_why(said, why):
    found = row("mini-1", said, KNOWN)
    assert found.state is State.UNKNOWN
    assert found.why.startswith(why)


def test_one_failing_host_makes_1_one_unknown_3_and_only_all_green_0():
    assert exit_code([State.OK, State.UNKNOWN, State.FAIL]) is Exit.FOUND
    assert exit_code([State.OK, State.UNKNOWN]) is Exit.CANNOT_TELL
    assert exit_code([State.OK, State.OK]) is Exit.STANDS
    assert exit_code([]) is Exit.CANNOT_TELL
    assert Row("mini-1").state is State.UNKNOWN


def test_what_a_host_of_this_hostkit_says_is_heard_whatever_is_in_its_words():
    told = run(*EVERY, *(result(f"n-{number}", "unknown", word) for number, word in enumerate(NASTY)))
    heard = row("mini-1", Said(1, render("json", told)), {line.id for line in told.lines})
    assert (heard.why, len(heard.findings), heard.state) == ("", len(told.lines), State.FAIL)
