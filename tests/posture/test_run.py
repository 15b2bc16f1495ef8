import threading
from datetime import date

import pytest

from hostkit.errors import CannotTell, Exit, HostkitError
from hostkit.posture.model import check, fail, ok, unknown
from hostkit.posture.run import run
from tests.conftest import FakeHost, make_policy

TODAY = date(2026, 11, 24)


def made(verdict, name="test-one", platforms=("linux",)):
    def judge(host, policy):
        """A thing is so."""
        return verdict() if callable(verdict) else verdict

    return check(name, severity="high", why="w", fix="f", platforms=platforms)(judge)


def report(*checks, host=None, waive=None, **more):
    policy = make_policy({"waive": waive} if waive else None)
    return run(host or FakeHost(), policy, TODAY, checks, **more)


def test_all_ok_stands():
    assert report(made(ok()), made(ok(), "test-two")).exit is Exit.STANDS


def test_unknown_is_never_green():
    assert report(made(ok()), made(unknown("x"), "test-two")).exit is Exit.CANNOT_TELL


def test_a_failure_beats_unknown():
    assert report(made(fail("x")), made(unknown("x"), "test-two")).exit is Exit.FOUND


def test_nothing_looked_at_is_not_green():
    assert report(made(ok(), platforms=("darwin",))).exit is Exit.CANNOT_TELL
    assert report().exit is Exit.CANNOT_TELL


def test_what_the_host_cannot_tell_is_unknown_with_its_reason():
    def blind():
        raise CannotTell("no permission")

    (entry,) = report(made(blind)).results
    assert (entry.verdict.status, entry.verdict.detail) == ("unknown", "no permission")


def test_a_check_that_breaks_is_unknown_and_does_not_hide_the_others():
    first, second = report(made(lambda: 1 / 0), made(ok(), "test-two")).results
    assert (first.verdict.status, second.verdict.status) == ("unknown", "ok")
    assert "ZeroDivisionError" in first.verdict.detail


def test_a_check_that_hangs_is_unknown_after_its_deadline():
    (entry,) = report(made(lambda: threading.Event().wait(20)), deadline=0.2).results
    assert (entry.verdict.status, entry.verdict.detail) == ("unknown", "no answer within 0.2 s")


WAIVER = {"test-one": {"why": "the office has no other socket", "until": "2026-11-24"}}


def test_a_waived_failure_does_not_count_and_shows_why_and_until_when():
    done = report(made(fail("x")), made(ok(), "test-two"), waive=WAIVER)
    assert done.exit is Exit.STANDS
    assert done.results[0].waived == "the office has no other socket, until 2026-11-24"


def test_a_waiver_that_ran_out_fails_and_says_so():
    old = {"test-one": {**WAIVER["test-one"], "until": "2026-11-23"}}
    done = report(made(fail("x")), waive=old)
    assert done.exit is Exit.FOUND
    assert "its waiver ran out on 2026-11-23" in done.results[0].verdict.detail


def test_unknown_cannot_be_waived():
    assert report(made(unknown("x")), waive=WAIVER).exit is Exit.CANNOT_TELL


def test_a_waiver_for_a_check_that_does_not_exist_is_refused():
    with pytest.raises(HostkitError, match="no check is called 'test-one'"):
        report(made(ok(), "test-two"), waive=WAIVER)
