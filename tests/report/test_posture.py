import json

from hostkit.posture.model import check, collect, fail, ok, unknown
from hostkit.posture.run import Report, Result
from hostkit.report import posture as report


def made(name, verdict, waived=""):
    def judge(host, policy):
        """A thing is so."""
        return verdict

    return Result(check(name, severity="high", why="Because.", fix="Do this.")(judge), verdict, waived)


REPORT = Report(
    (made("a-one", ok("fine")), made("b-one", ok()), made("b-two", fail("it is open")), made("c-x", unknown("?")))
)


def test_what_fails_comes_first_with_what_to_do():
    lines = report.as_text(REPORT).splitlines()
    assert lines[0].startswith("fail     b-two")
    assert lines[1].split() == ["seen:", "it", "is", "open"]
    assert lines[2].split() == ["do:", "Do", "this."]
    assert lines[-1] == "4 checks: 2 ok, 1 fail, 1 unknown"


def test_a_waived_failure_is_shown_and_counted():
    text = report.as_text(Report((made("a-one", fail("open"), "the office, until 2027-01-01"),)))
    assert text.startswith("waived")
    assert "waived: the office, until 2027-01-01" in text
    assert text.endswith("1 checks: 1 waived")


def test_json_has_a_schema_version_and_the_exit_code():
    plain = json.loads(report.as_json(REPORT))
    assert (plain["schema_version"], plain["exit"]) == (1, 1)
    assert [entry["status"] for entry in plain["results"]] == ["ok", "ok", "fail", "unknown"]


def test_a_process_name_cannot_forge_a_line_or_colour_the_terminal():
    forged = Report((made("a-one", fail("x\nok       b-two  All is well\x1b[32m\u202e")),))
    text = report.as_text(forged)
    assert len(text.splitlines()) == 5
    assert "\\x1b[32m\\u202e" in text


def test_a_detail_of_a_megabyte_is_cut():
    assert len(report.as_text(Report((made("a-one", fail("x" * 1_000_000)),)))) < 1000


def test_every_check_is_listed_and_explained():
    checks = collect()
    assert [entry["id"] for entry in json.loads(report.list_json(checks))] == [entry.id for entry in checks]
    assert len(report.list_text(checks).splitlines()) == len(checks)
    assert all(entry.why in report.explain(entry) and entry.fix in report.explain(entry) for entry in checks)
