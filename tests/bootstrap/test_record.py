"""The record: what was there first is never replaced, and whose work lies there now is told apart."""

import pytest

from hostkit.bootstrap.record import ABSENT, Record, Thing, as_json, closed, opened, parse
from hostkit.bootstrap.touched import Touch
from hostkit.errors import HostkitError

FILE = Touch("30-ssh", "file", "/etc/a")
KEY = ("file", "/etc/a")


def text(word):
    return {"kind": "file", "mode": 0o644, "uid": 0, "gid": 0, "digest": word}


def run(record, before, after):
    """Return the record after a run that found `before` and left `after`."""
    return closed(opened(record, [FILE], {KEY: before}), [FILE], {KEY: after})


def killed(record, before):
    return opened(record, [FILE], {KEY: before})


def only(record):
    (thing,) = record.things
    return thing


def test_what_was_there_first_is_kept_over_every_later_run():
    thing = only(run(run(Record(), text("theirs"), text("ours")), text("ours"), text("ours, newer")))
    assert (thing.was, thing.wrote, thing.sure) == (text("theirs"), text("ours, newer"), True)


def test_what_a_run_left_alone_is_not_hostkits_whoever_changes_it_later():
    first = run(Record(), text("theirs"), text("theirs"))
    assert not only(first).changed
    assert not only(run(first, text("theirs, newer"), text("theirs, newer"))).changed


def test_what_the_owner_wrote_between_two_runs_is_not_taken_for_hostkits():
    first = run(Record(), ABSENT, text("ours"))
    unchanged = only(run(first, text("theirs"), text("theirs")))
    assert (unchanged.wrote, unchanged.sure) == (text("ours"), True)  # so what is there now is not what it wrote
    both = only(run(first, text("theirs"), text("theirs and ours")))
    assert (both.wrote, both.sure) == (text("theirs and ours"), False)


def test_what_a_killed_run_changed_is_hostkits_but_not_for_sure():
    left = killed(Record(), ABSENT)
    assert left.running
    thing = only(run(left, text("half"), text("half")))
    assert (thing.was, thing.changed, thing.sure) == (ABSENT, True, False)


def test_what_a_killed_run_left_alone_is_as_sure_as_before():
    thing = only(run(killed(Record(), text("theirs")), text("theirs"), text("ours")))
    assert (thing.was, thing.wrote, thing.sure) == (text("theirs"), text("ours"), True)


def test_a_name_that_came_up_during_a_run_was_made_by_it():
    begun = opened(Record(), [], {})
    assert only(closed(begun, [FILE], {KEY: text("made")})) == Thing("30-ssh", *KEY, ABSENT, ABSENT, text("made"))
    assert closed(begun, [FILE], {KEY: ABSENT}).things == ()


def test_what_a_run_could_not_touch_is_not_said_to_be_its_work():
    begun = opened(Record(), [FILE], {KEY: text("theirs")})
    assert not only(closed(begun, [], {KEY: text("theirs, newer")})).changed


def test_it_is_read_back_as_it_was_written():
    record = run(killed(Record(), ABSENT), text("half"), text("whole"))
    assert parse(as_json(record), "index.json") == record


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ("{", "index.json is not readable as JSON"),
        ("[]", "index.json is not readable as JSON"),
        ('{"version": 2}', "index.json is of another version; use the hostkit that wrote it"),
    ],
)
def test_a_record_that_this_hostkit_did_not_write_is_refused_by_name(kept, says):
    with pytest.raises(HostkitError, match=says):
        parse(kept, "index.json")
