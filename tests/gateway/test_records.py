import json
import time

import pytest

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
    with pytest.raises(RecordsFull, match="budget of 200 bytes is used up"):
        for _ in range(10):
            records.write(event="intent", name="x" * 50)


def test_too_little_free_space_refuses_a_record(tmp_path):
    with pytest.raises(RecordsFull, match="are free for records"):
        Records(tmp_path, 2**62, 10_000).write(event="intent")


def test_the_status_keeps_its_size_and_says_the_last_thing(tmp_path):
    records = Records(tmp_path, 0, 10_000)
    records.status(state="open", why="")
    records.status(state="closed", why="x" * 9000)
    assert (tmp_path / "status.json").stat().st_size == STATUS_SIZE
    said = json.loads((tmp_path / "status.json").read_text())
    assert said["state"] == "closed"
    assert abs(said["at"] - time.time()) < 5
