import json

from hostkit.posture.differences import Change, differences
from hostkit.posture.result import Report
from hostkit.report import differences as report
from tests.report.check.runs import EVERY, result, run

BEFORE = {"a-one": "fail", "a-two": "ok", "b-one": "ok", "b-two": "skip", "c-one": "waived", "z-old": "fail"}
CHANGES = differences(BEFORE, Report(EVERY), whole=True)


def test_what_changed_is_said_with_what_to_do_and_the_sum_of_the_whole_run():
    lines = report.as_text(CHANGES, "2026-11-28T06:00:00Z", run(*EVERY)).splitlines()
    assert lines[0] == "since 2026-11-28T06:00:00Z:"
    assert [line.split()[0] for line in lines[1:7]] == ["new", "seen:", "do:", "unseen", "seen:", "mended"]
    assert lines[7] == "gone     z-old (it was fail; it is not asked any more)"
    assert lines[-2:] == ["waivers in force: 0", "5 checks: 1 ok, 1 fail, 1 unknown, 1 waived, 1 skip"]


def test_where_nothing_changed_and_where_there_is_nothing_to_compare_with():
    assert "nothing changed" in report.as_text((), "2026-11-28T06:00:00Z", run(*EVERY))
    assert report.as_text((), "", run(*EVERY)).startswith("there is no earlier whole run to compare with")


def test_json_has_the_exit_code_of_the_whole_run():
    plain = json.loads(report.as_json(CHANGES, "2026-11-28T06:00:00Z", run(*EVERY)))
    assert (plain["exit"], plain["since"]) == (1, "2026-11-28T06:00:00Z")
    assert [(entry["id"], entry["kind"]) for entry in plain["changes"]] == [
        ("a-two", "new"), ("b-one", "unseen"), ("a-one", "mended"), ("z-old", "gone")
    ]  # fmt: skip


def test_a_process_name_cannot_forge_a_line_or_colour_the_terminal():
    entry = result("a-one", "fail", "x\nnew  critical  b-two\x1b[32m")
    rows = report.rows_of(Change("a-one", "new", "ok", entry))
    assert len(rows) == 3
    assert rows[1].endswith("x\\nnew  critical  b-two\\x1b[32m")
