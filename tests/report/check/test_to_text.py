from hostkit.report.check.to_text import render
from tests.conftest import FakeHost
from tests.report.check.runs import EVERY, HOST, WAIVE, result, run


def lines(*results, **more):
    return render(run(*results, **more)).split("\n")


def test_what_fails_comes_first_with_its_severity_and_what_to_do():
    shown = lines(*EVERY)
    assert shown[0].split()[:3] == ["fail", "critical", "a-two"]
    assert shown[1].split(maxsplit=1) == ["seen:", "it is open"]
    assert shown[2].split(maxsplit=1) == ["do:", "Do this."]
    assert shown[3].split()[:3] == ["ok", "high", "a-one"]
    assert shown[-1] == "5 checks: 1 ok, 1 fail, 1 unknown, 1 waived, 1 skip"


def test_within_a_subject_the_graver_failure_comes_first():
    shown = lines(result("a-one", "fail", severity="low"), result("a-two", "fail", severity="critical"))
    assert [line.split()[2] for line in shown if line.startswith("fail")] == ["a-two", "a-one"]


def test_a_waived_failure_is_shown_and_counted():
    text = render(run(result(status="fail", detail="open", waived="the office, until 2027-01-01")))
    assert text.startswith("waived")
    assert "waived: the office, until 2027-01-01" in text
    assert text.endswith("1 checks: 1 waived")


def test_how_many_waivers_are_in_force_is_always_said_whatever_is_run():
    assert "waivers in force: 0" in lines(*EVERY)
    told = lines(
        result("z-one"),
        waive={**WAIVE, "d-one": {"why": "it ran out long ago", "owner": "ann", "until": "2026-11-28"}},
        whole=False,
    )
    assert "waivers in force: 1 (c-one until 2027-01-01, ann)" in told
    assert told[-1] == "1 checks (not all of them): 1 ok"


def test_a_waiver_is_in_force_through_its_last_day():
    waive = {"c-one": {"why": "the office needs it", "owner": "ann", "until": "2026-11-29"}}
    assert "waivers in force: 1 (c-one until 2026-11-29, ann)" in lines(*EVERY, waive=waive)


def test_what_to_do_next_names_the_plays_what_is_by_hand_and_what_was_not_seen():
    shown = lines(*EVERY, result("d-one", "fail"), result("d-two", "fail", play="10-ssh"))
    start = shown.index("what to do next:")
    assert shown[start + 1] == "  hostkit bootstrap --check --only mounts,ssh: what would change to make 2 true"
    assert shown[start + 2].startswith("  by hand: 1,")
    assert shown[start + 3] == "  1 could not be seen: as its `seen` says"


def test_whoever_is_not_root_is_told_to_look_as_root():
    shown = lines(*EVERY, host=FakeHost(files=HOST.files, root=False))
    assert "  1 could not be seen: first as root: sudo hostkit check" in shown


def test_where_all_holds_there_is_nothing_to_do():
    assert "what to do next:" not in lines(result())


def test_a_process_name_cannot_forge_a_line_or_colour_the_terminal():
    shown = lines(result(status="fail", detail="x\nok       b-two  All is well\x1b[32m\u202e"))
    assert [line for line in shown if line.startswith("ok")] == []
    assert "\\x1b[32m\\u202e" in shown[1]


def test_a_detail_of_a_megabyte_is_cut():
    assert len(render(run(result(status="fail", detail="x" * 1_000_000)))) < 1000
