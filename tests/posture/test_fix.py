import pytest

from hostkit.errors import CannotTell
from hostkit.posture.fix import Close, Hand, Step, meant, plan
from hostkit.posture.model import Status, Verdict, check
from hostkit.posture.result import Result
from tests.conftest import FakeHost, make_policy

COMMAND = ("systemctl", "enable", "--now", "x.timer")


def result(name, word="fail", mend=None, play="", **more):
    def judge(host, policy):
        """A thing is so."""

    status = Status.FAIL if word == "waived" else Status(word)
    made = check(name, severity="high", why="w", fix="Do this.", play=play, mend=mend)(judge)
    return Result(made, Verdict(status, "seen"), "because" if word == "waived" else "", **more)


def planned(*results, **more):
    return plan(results, FakeHost(), make_policy(), **more)


def mend(*commands):
    return lambda host, policy: commands


def test_what_fails_is_mended_at_once_by_its_play_or_by_hand():
    found = planned(
        result("a-one", mend=mend(COMMAND)),
        result("b-one", play="30-ssh"),
        result("b-two", play="30-ssh"),
        result("c-x"),
    )
    assert found.safe == (Step("a-one", (COMMAND,)),)
    assert found.plays == (("30-ssh", ("b-one", "b-two")),)
    assert found.by_hand == (Hand("c-x", "Do this."),)


@pytest.mark.parametrize("word", ["ok", "unknown", "skip", "waived"])
def test_what_does_not_fail_is_never_mended(word):
    found = planned(result("a-one", word, mend(COMMAND), "30-ssh"))
    assert (found.safe, found.plays, found.by_hand) == ((), (), ())


@pytest.mark.parametrize("excused", ["covered", "baseline"])
def test_what_is_excused_in_part_is_left_to_its_owner(excused):
    found = planned(result("a-one", mend=mend(COMMAND), **{excused: ("web: privileged",)}))
    assert (found.safe, found.plays) == ((), ())
    assert found.by_hand[0].do.startswith("a part of it is excused")


def test_a_mend_goes_before_the_play_and_the_play_follows_where_it_was_not_enough():
    both = result("a-one", mend=mend(COMMAND), play="30-ssh")
    assert (planned(both).safe, planned(both).plays) == ((Step("a-one", (COMMAND,)),), ())
    assert (planned(both, safe=False).safe, planned(both, safe=False).plays) == ((), (("30-ssh", ("a-one",)),))


def cannot_tell(host, policy):
    raise CannotTell("x")


@pytest.mark.parametrize(
    "made",
    [mend(), cannot_tell, lambda host, policy: 1 / 0, mend(("sh", "-c", "x")), mend(("chmod", "+x", "--", "/a"))],
)
def test_a_mend_that_has_nothing_breaks_or_may_not_be_run_leaves_it_to_the_play(made):
    found = planned(result("a-one", mend=made, play="30-ssh"))
    assert (found.safe, found.plays) == ((), (("30-ssh", ("a-one",)),))


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        (("chmod", "o-rwx", "--", "/a", "/b c"), Close(("/a", "/b c"), 0o7770)),
        (("chmod", "--", "g-w,o-rwx", "/a"), Close(("/a",), 0o7750)),
        (("/bin/chmod", "0640", "--", "/a"), Close(("/a",), 0o640)),
        (("chmod", "go=", "/a"), Close(("/a",), 0o4700)),
        (("chmod", "a-s", "--", "-rf"), Close(("-rf",), 0o1777)),
        (("chown", "-h", "root:root", "--", "/a"), Close(("/a",), 0o7777, 0, 0)),
        (("chown", "root", "/a"), Close(("/a",), 0o7777, 0, -1)),
        (COMMAND, COMMAND),
    ],
)
def test_paths_are_closed_by_hostkit_itself_and_other_commands_are_run(command, wanted):
    assert meant(command) == wanted


@pytest.mark.parametrize(
    "command",
    [
        ("sh", "-c", "chmod 600 x"), ("/usr/bin/env", "x"), ("sudo", "x"), ("rm", "-f", "--", "/a"), ("mv", "/a", "/b"),
        ("chmod", "g+w", "--", "/a"), ("chmod", "u=rwx,g+r", "--", "/a"), ("chmod", "-R", "0600", "/a"),
        ("chown", "agent", "--", "/a"), ("chown", "-R", "root", "/a"),
    ],
)  # fmt: skip
def test_what_a_mend_must_not_hold_is_refused(command):
    with pytest.raises((ValueError, KeyError)):
        meant(command)
