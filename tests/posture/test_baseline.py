from datetime import date, timedelta

import pytest

from hostkit.errors import Exit, HostkitError
from hostkit.posture import baseline
from hostkit.posture.model import check, every, fail, unknown
from hostkit.posture.run import Wish, run
from hostkit.report.notes import notes
from tests.conftest import FakeHost, make_policy

TODAY = date(2026, 11, 24)
WEB, DB = "web: privileged", "db: privileged"


def made(verdict, severity="high"):
    def judge(host, policy):
        """A thing is so."""
        return verdict

    return check("test-one", severity=severity, why="w", fix="f")(judge)


def asked(verdict, known=None, severity="high", today=TODAY, waive=None):
    policy = make_policy({"waive": waive or {}})
    return run(FakeHost(), policy, today, (made(verdict, severity),), Wish(baseline=known))


def known(verdict, severity="high"):
    return baseline.taken(asked(verdict, severity=severity).results, TODAY)


def test_what_was_known_does_not_fail_and_is_counted():
    done = asked(every([WEB, DB], ""), known(every([WEB, DB], "")))
    assert (done.exit, done.results[0].word) == (Exit.STANDS, "baseline")
    assert notes(done) == ["the baseline hides 2 known faults of 1 checks"]


def test_what_is_new_fails_alone_and_the_rest_is_told():
    done = asked(every([WEB, DB], ""), known(fail(WEB)))
    assert (done.exit, done.results[0].verdict.faults) == (Exit.FOUND, (DB,))
    assert done.results[0].verdict.detail == f"{DB} (1 more known by the baseline)"
    assert notes(done) == ["the baseline hides 1 known faults of 1 checks"]


def test_what_was_mended_since_leaves_the_rest_known():
    assert asked(fail(DB), known(every([WEB, DB], ""))).exit is Exit.STANDS


def test_a_critical_failure_is_never_taken_and_never_hidden():
    assert known(fail(WEB), "critical").known == {}
    assert asked(fail(WEB), known(fail(WEB)), severity="critical").exit is Exit.FOUND


def test_unknown_is_never_taken_and_never_hidden():
    assert known(unknown("x")).known == {}
    assert asked(unknown(WEB), known(fail(WEB))).exit is Exit.CANNOT_TELL


def test_a_fault_of_one_check_is_not_known_of_another():
    of_another = baseline.Baseline(TODAY, {"test-two": known(fail(WEB)).known["test-one"]})
    assert asked(fail(WEB), of_another).exit is Exit.FOUND
    moved = baseline.Baseline(TODAY, {"test-one": frozenset({"0" * 32})})
    assert asked(fail(WEB), moved).exit is Exit.FOUND


@pytest.mark.parametrize(
    ("days", "says"),
    [(91, "the baseline of 2026-11-24 is over 90 days old, so it hides nothing"),
     (-1, "the baseline of 2026-11-24 is of a day to come, so it hides nothing")],
)  # fmt: skip
def test_it_runs_out_as_a_waiver_does(days, says):
    done = asked(fail(WEB), known(fail(WEB)), today=TODAY + timedelta(days=days))
    assert (done.exit, notes(done)) == (Exit.FOUND, [says])
    assert asked(fail(WEB), known(fail(WEB)), today=TODAY + timedelta(days=90)).exit is Exit.STANDS


def test_what_is_waived_is_not_taken_and_stays_waived():
    waive = {"test-one": {"why": "it is moved in spring", "owner": "ann", "until": "2026-12-24"}}
    assert baseline.taken(asked(fail(WEB), waive=waive).results, TODAY).known == {}
    assert asked(fail(WEB), known(fail(WEB)), waive=waive).results[0].word == "waived"


def test_it_is_read_as_it_was_written_and_names_no_fault(tmp_path):
    taken = known(every([WEB, DB], ""))
    path = tmp_path / "known.json"
    path.write_text(baseline.as_text(taken))
    path.chmod(0o600)
    assert baseline.read(str(path)) == taken
    assert "web" not in path.read_text()


def test_a_name_that_is_half_a_character_has_a_digest_too():
    assert asked(fail("\ud800"), known(fail("\ud800"))).exit is Exit.STANDS


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_one_that_others_may_write_is_refused(tmp_path, mode):
    path = tmp_path / "known.json"
    path.write_text(baseline.as_text(known(fail(WEB))))
    path.chmod(mode)
    with pytest.raises(HostkitError, match="it decides what is hidden"):
        baseline.read(str(path))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"schema_version": 2, "made": "2026-11-24", "known": {}}', "\0"])
def test_what_is_no_baseline_is_refused(tmp_path, text):
    path = tmp_path / "known.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(HostkitError, match="is no baseline of this hostkit; write a new one"):
        baseline.read(str(path))


def test_a_link_or_nothing_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("link", "nothing"):
        with pytest.raises(HostkitError, match="--write-baseline FILE writes one"):
            baseline.read(str(tmp_path / name))
