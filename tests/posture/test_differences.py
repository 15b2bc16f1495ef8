import pytest

from hostkit.posture.differences import differences, words
from hostkit.posture.model import Status, Verdict, check
from hostkit.posture.result import Report, Result


def result(name, word):
    def judge(host, policy):
        """A thing is so."""

    status = Status.FAIL if word in {"waived", "baseline"} else Status(word)
    made = check(name, severity="high", why="w", fix="f")(judge)
    return Result(made, Verdict(status, "seen"), "because" if word == "waived" else "", accepted=word == "baseline")


def report(**now):
    return Report(tuple(result(name.replace("_", "-"), word) for name, word in now.items()))


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        ("ok", "fail", "new"),
        ("", "fail", "new"),
        ("unknown", "fail", "new"),
        ("waived", "fail", "new"),
        ("skip", "fail", "new"),
        ("ok", "unknown", "unseen"),
        ("fail", "unknown", "unseen"),
        ("fail", "ok", "mended"),
        ("waived", "ok", "mended"),
        ("baseline", "ok", "mended"),
        ("unknown", "ok", "seen"),
        ("fail", "waived", "excused"),
        ("ok", "baseline", "excused"),
        ("fail", "skip", "gone"),
        ("ok", "skip", "gone"),
        ("", "ok", ""),
        ("", "skip", ""),
        ("skip", "ok", ""),
        *((word, word, "") for word in ("ok", "fail", "unknown", "skip", "waived")),
    ],
)
def test_each_pair_of_words_means_one_change(before, now, kind):
    found = differences({"a-one": before} if before else {}, report(a_one=now), whole=True)
    assert [change.kind for change in found] == ([kind] if kind else [])


def test_new_failures_come_first():
    before = {"a-one": "fail", "b-one": "ok", "c-one": "ok"}
    found = differences(before, report(a_one="ok", b_one="fail", c_one="unknown"), whole=True)
    assert [(change.id, change.kind) for change in found] == [
        ("b-one", "new"),
        ("c-one", "unseen"),
        ("a-one", "mended"),
    ]


def test_what_is_not_asked_any_more_is_gone_but_not_in_a_narrowed_run():
    before = {"a-one": "ok", "z-old": "fail"}
    (gone,) = differences(before, report(a_one="ok"), whole=True)
    assert (gone.id, gone.kind, gone.result) == ("z-old", "gone", None)
    assert differences(before, report(a_one="ok"), whole=False) == ()


def test_words_are_those_that_the_next_run_is_compared_with():
    now = report(a_one="ok", b_one="waived")
    assert words(now) == {"a-one": "ok", "b-one": "waived"}
    assert differences(words(now), now, whole=True) == ()
