"""Which plays a run takes, by the words of --only and --skip."""

import pytest

from hostkit.bootstrap.choice import choose
from hostkit.bootstrap.plays import plays
from hostkit.errors import HostkitError

EVERY = plays()


def subjects(only=(), skip=()):
    return [play.subject for play in choose(EVERY, only, skip)]


def test_without_a_word_every_play_runs():
    assert choose(EVERY) == EVERY


@pytest.mark.parametrize("words", [("fence,account",), ("fence", "account"), ("90-fence, 10-account",)])
def test_only_takes_the_named_plays_in_their_own_order(words):
    assert subjects(only=words) == ["account", "fence"]


def test_skip_takes_all_but_the_named_and_beats_only():
    assert subjects(skip=("fence",)) == [play.subject for play in EVERY if play.subject != "fence"]
    assert subjects(only=("fence,account",), skip=("fence",)) == ["account"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("fense",), "no play is called 'fense'; did you mean fence? plays: account, "),
        (("Fence",), "no play is called 'Fence'; did you mean fence?"),
        (("fence,",), "no play is called ''; plays: account, "),
        (("zzz",), "no play is called 'zzz'; plays: account, "),
    ],
)
def test_a_word_that_names_no_play_is_one_line_with_the_nearest(words, says):
    for given in ({"only": words}, {"skip": words}):
        with pytest.raises(HostkitError) as caught:
            subjects(**given)
        assert str(caught.value).startswith(says)
        assert len(str(caught.value).splitlines()) == 1


def test_what_leaves_no_play_is_a_refusal_not_a_run_of_nothing():
    with pytest.raises(HostkitError, match="--only and --skip leave no play"):
        subjects(only=("fence",), skip=("fence",))
