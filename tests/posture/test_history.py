import fcntl
import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest

from hostkit.posture import history, written
from hostkit.posture.history import KEPT, Run, append, last, record, runs
from hostkit.posture.model import check, fail, ok
from hostkit.posture.run import Report, Result

START = datetime(2026, 1, 1, tzinfo=UTC)


def made(number, *, whole=True, word="ok"):
    return Run(START + timedelta(hours=number), "0.1.0", whole, {word: 1}, {"a-one": word})


def test_a_run_is_read_back_as_it_was_kept(tmp_path):
    append(tmp_path, made(1))
    append(tmp_path, made(2, whole=False, word="fail"))
    assert runs(tmp_path) == (made(1), made(2, whole=False, word="fail"))


def test_a_narrowed_run_is_never_compared_as_if_it_were_whole(tmp_path):
    assert last(tmp_path) is None
    append(tmp_path, made(1))
    append(tmp_path, made(2, whole=False))
    assert last(tmp_path) == made(1)


def test_a_failure_under_a_waiver_is_kept_as_waived():
    def judge(host, policy):
        """A thing is so."""

    one = check("a-one", severity="low", why="Because.", fix="Do this.")(judge)
    two = check("a-two", severity="low", why="Because.", fix="Do this.")(judge)
    found = record(Report((Result(one, fail("x"), "until then"), Result(two, ok()))), START, whole=True)
    assert (found.answers, found.counts) == ({"a-one": "waived", "a-two": "ok"}, {"waived": 1, "ok": 1})
    assert found.whole


def test_only_the_newest_are_kept_and_a_narrowed_one_goes_before_a_whole_one(tmp_path):
    folder = written.private_folder(tmp_path, "checks")
    kept = [made(number, whole=number % 2 == 0) for number in range(KEPT)]
    (folder / "history.jsonl").write_text("".join(_line(run) for run in kept))
    append(tmp_path, made(KEPT))
    append(tmp_path, made(KEPT + 1, whole=False))
    found = runs(tmp_path)
    assert len(found) == KEPT
    assert [run for run in found if run.whole] == [*kept[::2], made(KEPT)]
    assert found[-1] == made(KEPT + 1, whole=False)


def test_four_hundred_whole_runs_stay_when_somebody_asks_for_single_checks(tmp_path):
    folder = written.private_folder(tmp_path, "checks")
    (folder / "history.jsonl").write_text("".join(_line(made(number)) for number in range(KEPT)))
    append(tmp_path, made(KEPT, whole=False))
    assert runs(tmp_path) == tuple(made(number) for number in range(KEPT))


def _line(run):
    told = {"at": history.stamp(run.at), "version": run.version, "whole": run.whole}
    return json.dumps({**told, "counts": run.counts, "answers": run.answers}) + "\n"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b'{"at": "2026-01-01T00:00:00Z"}',
        b"\xff\x00\xfe",
        b"[" * 100_000,
        b'{"at":"2026-01-01T00:00:00","version":"","whole":true,"counts":{},"answers":{}}',
        b'{"at":"2026-01-01T00:00:00Z","version":"","whole":"perhaps","counts":{},"answers":{}}',
    ],
)
def test_a_line_that_is_no_run_is_left_out_and_hides_no_other(tmp_path, line):
    append(tmp_path, made(1))
    file = tmp_path / "checks/history.jsonl"
    file.write_bytes(line + b"\n" + file.read_bytes() + line)
    assert runs(tmp_path) == (made(1),)
    append(tmp_path, made(2))
    assert runs(tmp_path) == (made(1), made(2))


def test_only_its_owner_reads_it(tmp_path):
    state = tmp_path / "state"
    append(state, made(1))
    shown = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (state, *state.rglob("*"))}
    assert shown == {"state": 0o700, "checks": 0o700, "history.jsonl": 0o600, "lock": 0o600}


def test_on_a_full_disk_the_line_is_whole_or_not_there(tmp_path, monkeypatch):
    append(tmp_path, made(1))
    write = os.write
    monkeypatch.setattr(history.os, "write", lambda fd, line: write(fd, line[:20]))
    with pytest.raises(OSError, match="No space left"):
        append(tmp_path, made(2))
    assert (tmp_path / "checks/history.jsonl").read_bytes() == history._line(made(1))


def test_letting_the_oldest_go_is_done_whole_or_not_at_all(tmp_path, monkeypatch):
    folder = written.private_folder(tmp_path, "checks")
    (folder / "history.jsonl").write_text("".join(_line(made(number)) for number in range(KEPT + 40)))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(written.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            append(tmp_path, made(KEPT + 40))
    assert runs(tmp_path) == tuple(made(number) for number in range(41, KEPT + 41))
    assert {path.name for path in folder.iterdir()} == {"history.jsonl", "lock"}
    append(tmp_path, made(KEPT + 41))
    assert len((folder / "history.jsonl").read_text().splitlines()) == KEPT
    assert last(tmp_path) == made(KEPT + 41)


def test_half_a_line_of_a_power_cut_takes_no_other_with_it(tmp_path):
    append(tmp_path, made(1))
    with (tmp_path / "checks/history.jsonl").open("ab") as file:
        file.write(history._line(made(2))[:30])
    append(tmp_path, made(3))
    assert runs(tmp_path) == (made(1), made(3))


def test_of_two_runs_that_end_at_the_same_time_the_second_waits_for_the_first(tmp_path):
    append(tmp_path, made(1))
    second = threading.Thread(target=append, args=(tmp_path, made(3)))
    with (tmp_path / "checks/lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second.start()
        second.join(0.5)
        assert second.is_alive()
        (tmp_path / "checks/history.jsonl").write_text(_line(made(1)) + _line(made(2)))
    second.join(30)
    assert runs(tmp_path) == (made(1), made(2), made(3))


def test_a_link_or_a_folder_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "folder").mkdir()
    for name in ("link", "folder"):
        with pytest.raises(Exception, match="is there and no plain file"):
            written.refuse_unwritable(tmp_path / name)
    with pytest.raises(Exception, match="no such folder"):
        written.refuse_unwritable(tmp_path / "none/file")
    written.refuse_unwritable(tmp_path / "new")
