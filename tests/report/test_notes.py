from hostkit.posture.model import Verdict, check, skip
from hostkit.posture.result import LEFT_OUT, Report, Result
from hostkit.report.notes import notes


def result(name, status, severity="high"):
    def judge(host, policy):
        """A thing is so."""

    verdict = skip(LEFT_OUT) if status == "left" else Verdict(status, "x")
    return Result(check(name, severity=severity, why="w", fix="f")(judge), verdict)


def test_what_the_floor_leaves_out_of_the_exit_code_is_counted():
    made = Report((result("a-one", "fail", "low"), result("a-two", "unknown", "medium"), result("a-x", "ok")), "high")
    assert (int(made.exit), notes(made)) == (
        0, ["below --fail-on high, so not in the exit code: 1 medium, 1 low failed or unknown"]
    )  # fmt: skip


def test_what_the_profile_does_not_ask_is_named():
    assert notes(Report((result("a-one", "left"),), profile="solo")) == ["graded by solo, which does not ask: a-one"]


def test_where_nothing_is_kinder_nothing_is_said():
    assert notes(Report((result("a-one", "fail"), result("a-two", "unknown", "low")))) == []
