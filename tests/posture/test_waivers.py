from datetime import date, timedelta

import pytest

from hostkit.errors import Exit, HostkitError
from hostkit.posture.model import check, every, fail, unknown
from hostkit.posture.run import Wish, run
from hostkit.posture.waivers import LONGEST, in_scope, refuse_far
from tests.conftest import FakeHost, make_policy

TODAY = date(2026, 11, 24)
LAST = TODAY + LONGEST


def waiver(until=TODAY, **more):
    return {"why": "the office has no other socket", "owner": "ann", "until": str(until), **more}


def found(verdict, severity="high", wish=None, **given):
    def judge(host, policy):
        """A thing is so."""
        return verdict

    made = check("test-one", severity=severity, why="w", fix="f")(judge)
    policy = make_policy({"waive": {"test-one": waiver(**given)}})
    return run(FakeHost(), policy, TODAY, (made,), wish or Wish())


WEB, DB = "web: privileged", "db: /srv of the host"


def test_a_waiver_holds_to_its_last_day_and_no_day_longer():
    assert found(fail("x"), until=TODAY).results[0].waived == "the office has no other socket, ann, until 2026-11-24"
    late = found(fail("x"), until=TODAY - timedelta(days=1))
    assert (late.exit, late.results[0].word) == (Exit.FOUND, "fail")
    assert late.results[0].verdict.detail == "x (its waiver ran out on 2026-11-23)"


def test_a_waiver_that_ends_too_far_ahead_is_not_in_force_and_says_so():
    assert found(fail("x"), until=LAST).results[0].word == "waived"
    far = found(fail("x"), until=LAST + timedelta(days=1))
    assert far.exit is Exit.FOUND
    assert far.results[0].verdict.detail == ("x (its waiver, until 2027-02-23, is not in force: 90 days ahead at most)")


def test_the_policy_check_refuses_what_ends_too_far_ahead_in_one_line():
    policy = make_policy({"waive": {"disk-swap": waiver(LAST + timedelta(days=1))}})
    with pytest.raises(HostkitError, match=r"host\.waive\.disk-swap\.until: 2027-02-23 is too far; 2027-02-22 at the"):
        refuse_far(policy, TODAY)
    refuse_far(make_policy({"waive": {"disk-swap": waiver(LAST)}}), TODAY)


def test_what_lies_outside_the_scope_still_fails():
    (entry,) = found(every([WEB, DB], ""), scope="web").results
    assert (entry.word, entry.verdict.faults, entry.covered) == ("fail", (DB,), (WEB,))
    assert entry.verdict.detail == f"{DB} (1 more waived by ann)"


def test_a_scope_that_covers_every_fault_waives_the_whole():
    done = found(every([WEB, DB], ""), scope=["web", "db"])
    assert (done.exit, done.results[0].word, done.results[0].covered) == (Exit.STANDS, "waived", (WEB, DB))


def test_a_scope_that_covers_nothing_that_fails_is_told():
    (entry,) = found(fail("mail: privileged"), scope="web").results
    assert (entry.word, entry.waiver) == ("fail", None)
    assert entry.verdict.detail == "mail: privileged (its waiver is for web only)"


def test_more_faults_than_are_told_are_judged_all_the_same():
    (entry,) = found(every([f"web: {n}" for n in range(9)] + [DB], ""), scope="web").results
    assert (entry.word, entry.verdict.faults, len(entry.covered)) == ("fail", (DB,), 9)


@pytest.mark.parametrize(
    ("fault", "scope", "covered"),
    [
        ("web: privileged", (), True),
        ("web: privileged", ("web",), True),
        ("web", ("web",), True),
        ("web2: privileged", ("web",), False),
        ("web-two: privileged", ("web",), False),
        ("mail: web of the host", ("web",), False),
        ("/srv/x (nfs4)", ("/srv/x",), True),
        ("/srv/x/y (nfs4)", ("/srv/x",), False),
        ("/srv/x/y (nfs4)", ("/srv/x/",), True),
        ("tcp 0.0.0.0:80 (nginx)", ("tcp 0.0.0.0:80",), True),
        ("tcp 0.0.0.0:8080 (nginx)", ("tcp 0.0.0.0:80",), False),
        ("tcp 0.0.0.0:8080 (/srv/x)", ("/srv/x",), False),
    ],
)
def test_a_scope_is_the_whole_word_that_a_fault_begins_with(fault, scope, covered):
    assert in_scope(fault, scope) is covered


def test_unknown_is_never_waived():
    assert found(unknown("x")).exit is Exit.CANNOT_TELL


def test_a_critical_failure_can_be_waived():
    assert found(fail("x"), "critical").exit is Exit.STANDS


@pytest.mark.parametrize("lack", ["why", "owner", "until"])
def test_a_waiver_says_why_who_and_until_when(lack):
    plain = waiver()
    del plain[lack]
    with pytest.raises(ValueError, match=lack):
        make_policy({"waive": {"test-one": plain}})
