"""The kill switch: the later of two hands is obeyed, and what cannot be read stops."""

import pytest

from hostkit.gateway.switch import NAME, text, throw, thrown


@pytest.fixture
def places(tmp_path):
    rules, records = tmp_path / "rules", tmp_path / "records"
    rules.mkdir()
    records.mkdir()
    return rules, records


def lay(place, *, stopped, at):
    (place / NAME).write_text(text(stopped=stopped, by="somebody", at=at))


def test_without_a_switch_nothing_is_stopped(places):
    assert thrown(*places) == ""


@pytest.mark.parametrize("place", [0, 1])
def test_either_hand_stops(places, place):
    lay(places[place], stopped=True, at=1)
    assert thrown(*places) == "stopped by somebody"


def test_the_later_word_counts_whoever_said_it(places):
    throw(places[1], "a signal", 10)
    lay(places[0], stopped=False, at=9)
    assert thrown(*places) == "stopped by a signal"
    lay(places[0], stopped=False, at=11)
    assert thrown(*places) == ""
    throw(places[1], "a signal", 12)
    assert thrown(*places) == "stopped by a signal"


def test_of_two_at_one_moment_the_stop_counts(places):
    lay(places[0], stopped=False, at=5)
    lay(places[1], stopped=True, at=5)
    assert thrown(*places) == "stopped by somebody"


@pytest.mark.parametrize(
    "broken", ["", "[]", "{", '{"stopped": false}', '{"stopped": false, "by": "x", "at": "soon"}', "\xff"]
)
def test_one_that_cannot_be_read_stops_whatever_the_other_says(places, broken):
    (places[0] / NAME).write_bytes(broken.encode("latin-1"))
    lay(places[1], stopped=False, at=10**12)
    assert "cannot be read" in thrown(*places)


@pytest.mark.parametrize("at", ["NaN", "Infinity"])
def test_no_time_that_is_none_wins(places, at):
    (places[0] / NAME).write_text(f'{{"stopped": false, "by": "x", "at": {at}}}')
    assert "cannot be read" in thrown(*places)


def test_a_signal_counts_after_an_earlier_go_of_a_clock_that_is_ahead(places):
    lay(places[0], stopped=False, at=1000)
    throw(places[1], "a signal", 990, after=places[0])
    assert thrown(*places) == "stopped by a signal"
