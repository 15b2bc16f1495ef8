import json
import os
import time
from types import SimpleNamespace

import pytest

from hostkit.gateway import records as subject
from hostkit.gateway.records import STATUS_SIZE, Records, RecordsFull


def test_a_record_is_one_line_whatever_is_in_it(tmp_path):
    Records(tmp_path, 0, 10_000).write(event="denied", name='a\n{"event": "intent"}\x1b[2J', port=1)
    lines = (tmp_path / "requests.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["event"] == "denied"
    assert "\x1b" not in lines[0]


def test_a_field_that_is_too_long_is_cut(tmp_path):
    Records(tmp_path, 0, 10_000).write(event="denied", name="x" * 10_000)
    assert len((tmp_path / "requests.jsonl").read_text()) < 1000


def test_a_budget_that_is_used_up_refuses_the_next_record(tmp_path):
    records = Records(tmp_path, 0, 200)
    for _ in range(2):
        records.write(event="intent", name="x" * 50)
    with pytest.raises(RecordsFull, match="budget of 200 bytes is used up"):
        records.write(event="intent")


def test_too_little_free_space_refuses_a_record(tmp_path):
    with pytest.raises(RecordsFull, match="are free for records"):
        Records(tmp_path, 2**62, 10_000).write(event="intent")


def test_what_is_written_between_two_looks_at_the_volume_is_taken_off_it(tmp_path, monkeypatch):
    looks = []

    def volume(_fd):
        looks.append(1)
        return SimpleNamespace(f_bavail=1000, f_frsize=1)

    monkeypatch.setattr(subject, "_LOOK", 3600)
    monkeypatch.setattr("os.fstatvfs", volume)
    records = Records(tmp_path, 900, 10_000)
    records.write(event="intent", name="x" * 100)
    with pytest.raises(RecordsFull, match="under 900 bytes are free for records"):
        records.write(event="intent")
    assert looks == [1]


def test_the_status_keeps_its_size_and_says_the_last_thing(tmp_path):
    records = Records(tmp_path, 0, 10_000)
    records.status(state="open", why="")
    records.status(state="closed", why="x" * 9000)
    assert (tmp_path / "status.json").stat().st_size == STATUS_SIZE
    said = json.loads((tmp_path / "status.json").read_text())
    assert said["state"] == "closed"
    assert abs(said["at"] - time.time()) < 5


def test_how_a_request_ended_may_take_of_the_reserve(tmp_path):
    Records(tmp_path, 2**62, 10_000).write(last=True, event="outcome")
    assert json.loads((tmp_path / "requests.jsonl").read_text())["event"] == "outcome"


def test_half_a_record_is_taken_back_so_that_the_next_one_is_whole(tmp_path, monkeypatch):
    records, write = Records(tmp_path, 0, 10_000), os.write
    monkeypatch.setattr("os.write", lambda fd, line: write(fd, line[:20]))
    with pytest.raises(RecordsFull, match="cut short"):
        records.write(event="intent", name="lost")
    monkeypatch.undo()
    records.write(event="intent", name="kept")
    (line,) = (tmp_path / "requests.jsonl").read_text().splitlines()
    assert json.loads(line)["name"] == "kept"


def test_records_that_do_not_reach_the_disk_refuse_the_next_one(tmp_path, monkeypatch):
    def broken(fd):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fdatasync", broken)
    records = Records(tmp_path, 0, 10_000)
    records.write(event="intent")
    end = time.monotonic() + 5
    while not records.full() and time.monotonic() < end:
        time.sleep(0.01)
    with pytest.raises(RecordsFull, match="do not reach the disk: Input/output error"):
        records.write(event="intent")


def test_a_status_that_cannot_be_written_does_not_end_the_gateway(tmp_path, monkeypatch):
    def full(fd, data, at):
        raise OSError(28, "No space left on device")

    records = Records(tmp_path, 0, 10_000)
    monkeypatch.setattr("os.pwrite", full)
    records.status(state="closed")
    assert (tmp_path / "status.json").read_bytes() == b""


@pytest.mark.parametrize("left", [b"", b"\xff", b"[]", b"{", b'{"generation": 7}   '])
def test_what_an_earlier_run_left_is_read_or_counts_as_nothing(tmp_path, left):
    (tmp_path / "status.json").write_bytes(left)
    assert Records(tmp_path, 0, 1).previous == ({"generation": 7} if b"7" in left else {})
