import threading
from dataclasses import replace
from datetime import date

import pytest

from hostkit.bootstrap.plays import plays
from hostkit.errors import CannotTell, Exit, HostkitError
from hostkit.posture.model import DEADLINES, check, chosen, collect, fail, ok, unknown
from hostkit.posture.run import Wish, run
from tests.conftest import FakeHost, make_policy

TODAY = date(2026, 11, 24)


def made(verdict, name="test-one", platforms=("linux",), **more):
    def judge(host, policy):
        """A thing is so."""
        return verdict() if callable(verdict) else verdict

    return check(name, severity="high", why="w", fix="f", platforms=platforms, **more)(judge)


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


def test_a_check_that_hangs_is_unknown_after_its_deadline(monkeypatch):
    monkeypatch.setitem(DEADLINES, "reading", 0.2)
    (entry,) = report(made(lambda: threading.Event().wait(20))).results
    assert (entry.verdict.status, entry.verdict.detail) == (
        "unknown",
        "no answer within 0.2 s (a slow machine? hostkit check --patience 60)",
    )


WAIVER = {"test-one": {"why": "the office has no other socket", "owner": "ann", "until": "2026-11-24"}}


def test_a_waived_failure_does_not_count_and_shows_why_and_until_when():
    done = report(made(fail("x")), made(ok(), "test-two"), waive=WAIVER)
    assert done.exit is Exit.STANDS
    assert done.results[0].waived == "the office has no other socket, ann, until 2026-11-24"


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


CHOICE = (made(ok(), "ssh-one"), made(ok(), "ssh-two"), made(ok(), "net-one", kind="probe"), made(ok(), "net-two"))


@pytest.mark.parametrize(
    ("only", "skip", "left"),
    [
        ((), (), "ssh-one ssh-two net-one net-two"),
        (("ssh",), (), "ssh-one ssh-two"),
        (("net-one",), (), "net-one"),
        (("*-one",), (), "ssh-one net-one"),
        (("probes",), (), "net-one"),
        ((), ("probes", "ssh-two"), "ssh-one net-two"),
        (("net",), ("probes",), "net-two"),
    ],
)
def test_checks_are_chosen_by_id_subject_kind_or_pattern(only, skip, left):
    assert [entry.id for entry in chosen(CHOICE, only, skip)] == left.split()


@pytest.mark.parametrize("wish", [{"only": ("shh",)}, {"skip": ("net-*-one",)}])
def test_a_word_that_means_no_check_is_refused_by_name(wish):
    with pytest.raises(HostkitError, match=r"no check is meant by '(shh|net-)"):
        run(FakeHost(), make_policy(), TODAY, CHOICE, Wish(**wish))


STRICT_ONLY = made(fail("x"), "net-segment", solo=False)


def test_solo_leaves_out_what_a_single_machine_is_not_asked_and_says_so():
    policy = make_policy({"profile": "solo"})
    done = run(FakeHost(), policy, TODAY, (STRICT_ONLY, made(ok())))
    assert (done.exit, done.profile, [entry.id for entry in done.left_out]) == (Exit.STANDS, "solo", ["net-segment"])
    assert done.results[0].verdict.status == "skip"


@pytest.mark.parametrize(("own", "named", "code"), [("solo", "strict", Exit.FOUND), ("strict", "solo", Exit.STANDS)])
def test_another_profile_than_the_policys_grades_if_it_is_named(own, named, code):
    seen = []

    def judge(host, policy):
        """A thing is so."""
        seen.append(policy.host.profile)
        return ok()

    asked = (STRICT_ONLY, check("test-one", severity="high", why="w", fix="f")(judge))
    done = run(FakeHost(), make_policy({"profile": own}), TODAY, asked, Wish(profile=named))
    assert (done.exit, done.profile, seen) == (code, named, [named])


@pytest.mark.parametrize("wish", [Wish(only=("net-segment",)), Wish(whole=True)])
def test_who_asks_by_name_or_for_all_gets_an_answer_at_solo_too(wish):
    policy = make_policy({"profile": "solo"})
    assert run(FakeHost(), policy, TODAY, (STRICT_ONLY,), wish).exit is Exit.FOUND


def test_solo_asks_for_shared_credentials_and_file_shares_and_all_that_a_play_proves():
    subjects = {"credentials", "mounts", "sharing", "secrets", "keys"}
    proved = {name for play in plays() for name in play.proves}
    for entry in collect():
        assert entry.solo or not (entry.subject in subjects or entry.id in proved or entry.severity == "critical")


@pytest.mark.parametrize(
    ("severity", "verdict", "floor", "code"),
    [
        ("medium", fail("x"), "medium", Exit.FOUND),
        ("medium", fail("x"), "high", Exit.STANDS),
        ("critical", fail("x"), "critical", Exit.FOUND),
        ("low", fail("x"), "low", Exit.FOUND),
        ("medium", unknown("x"), "medium", Exit.CANNOT_TELL),
        ("medium", unknown("x"), "high", Exit.STANDS),
    ],
)
def test_only_what_is_at_or_above_the_floor_is_in_the_exit_code(severity, verdict, floor, code):
    below = replace(made(verdict), severity=severity)
    assert report(below, made(ok(), "test-two"), wish=Wish(floor=floor)).exit is code


def test_where_only_what_lies_below_the_floor_was_seen_to_fail_something_was_looked_at():
    assert report(replace(made(fail("x")), severity="low"), wish=Wish(floor="high")).exit is Exit.STANDS


def test_everything_counts_unless_somebody_says_otherwise():
    assert Wish().floor == "low"
    assert report(replace(made(fail("x")), severity="low")).exit is Exit.FOUND
