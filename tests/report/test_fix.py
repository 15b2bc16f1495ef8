"""check --fix from its plan to its outcome, on a host that does what it is told, or not."""

import pytest

from hostkit.errors import CannotTell, Exit, HostkitError
from hostkit.posture.model import check, every, unknown
from hostkit.posture.run import Wish
from hostkit.report import fix
from tests.conftest import FakeHost, make_policy


class Ground:
    """A host of three failing checks: one that a path's closing mends, one of a play, one by hand."""

    def __init__(self, monkeypatch):
        self.broken = {"safe", "play", "hand"}
        self.played, self.calls = [], []
        self.host = FakeHost({("systemctl", "start", "x"): lambda: self._mended("safe")})
        self.host.close = lambda path, *_: self._mended("safe")
        self.mend = ("chmod", "o-rwx", "--", "/srv/a b;\x1b[31m")
        monkeypatch.setattr("hostkit.report.fix.run", self._run)
        monkeypatch.setattr("hostkit.report.bootstrap.run_bootstrap", self._bootstrap)
        monkeypatch.setattr("hostkit.report.fix.sys.stdin.isatty", lambda: False, raising=False)

    def _mended(self, word):
        self.calls.append(word)
        self.broken.discard(word)
        return ""

    def _bootstrap(self, host, policy, wish):
        self.played.append(wish.only)
        self.broken.discard("play")
        return Exit.STANDS

    def checks(self):
        return (
            self._check("a-safe", "safe", mend=lambda host, policy: (self.mend,)),
            self._check("b-play", "play", play="30-ssh"),
            self._check("c-hand", "hand"),
            self._check("d-fine", "fine", mend=lambda host, policy: (("never", "run"),)),
            check("e-blind", severity="high", why="w", fix="f", mend=lambda *_: (("never", "run"),))(_blind),
        )

    def _check(self, name, word, **more):
        def judge(host, policy):
            """A thing is so."""
            return every(["open"] if word in self.broken else [], "closed")

        return check(name, severity="high", why="w", fix="Do this.", **more)(judge)

    def _run(self, host, policy, today, wish):
        from hostkit.posture.run import run

        return run(host, policy, today, self.checks(), wish)

    def __call__(self, *, sure=True, dry=False, **waive):
        policy = make_policy({"waive": {name.replace("_", "-"): one for name, one in waive.items()}})
        return fix.run_fix(self.host, policy, Wish(), sure=sure, dry=dry)


def _blind(host, policy):
    """A thing is so."""
    return unknown("not seen")


@pytest.fixture
def ground(monkeypatch):
    return Ground(monkeypatch)


def test_safe_at_once_the_play_by_bootstrap_the_rest_told_and_checked_again(ground, capsys):
    assert ground() is Exit.FOUND
    said = capsys.readouterr().out
    assert (ground.calls, ground.played) == (["safe"], [("30-ssh",)])
    assert [line.split()[:2] for line in said.splitlines()[-3:]] == [
        ["mended", "a-safe"], ["mended", "b-play"], ["still", "failing"]
    ]  # fmt: skip
    assert "by hand:\n  c-hand: Do this." in said
    assert "\x1b" not in said


def test_where_all_is_mended_what_was_unknown_is_still_in_the_exit_code(ground):
    ground.broken.discard("hand")
    assert ground() is Exit.CANNOT_TELL


def test_a_dry_run_changes_nothing_and_asks_nobody(ground, capsys):
    assert ground(dry=True, sure=False) is Exit.FOUND
    said = capsys.readouterr().out
    assert (ground.calls, ground.played, ground.host.ran) == ([], [], [])
    assert "a-safe: chmod o-rwx -- '/srv/a b;\\x1b[31m'" in said
    assert "by hostkit bootstrap --only ssh:\n  30-ssh: b-play" in said


def test_where_nobody_can_be_asked_nothing_is_done(ground):
    with pytest.raises(HostkitError, match="nobody sits at a terminal to be asked; --yes fixes without asking"):
        ground(sure=False)
    assert (ground.calls, ground.played) == ([], [])


def test_each_level_is_asked_for_and_no_is_no(ground, monkeypatch):
    asked = []
    monkeypatch.setattr("hostkit.report.fix.sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr("click.confirm", lambda question, **_: asked.append(question))
    assert ground(sure=False) is Exit.FOUND
    assert (ground.calls, ground.played) == ([], [])
    assert ["at once" in asked[0], "hostkit bootstrap --only ssh" in asked[1]] == [True, True]


def test_a_mend_that_fails_is_told_and_the_others_go_on(ground, capsys):
    def refused(path, *_):
        raise CannotTell("a link stands in its way at 'ssh'")

    ground.host.close = refused
    assert ground() is Exit.FOUND
    told = capsys.readouterr()
    assert "a-safe: not done: a link stands in its way at 'ssh'" in told.err
    assert "still failing  a-safe" in told.out
    assert ground.played == [("30-ssh",)]


def test_a_command_is_run_as_its_words(ground):
    ground.mend = ("systemctl", "start", "x")
    ground()
    assert ("systemctl", "start", "x") in ground.host.ran


def test_what_bootstrap_refuses_is_raised_after_all_else_was_told(ground, monkeypatch, capsys):
    def refused(*_):
        raise HostkitError("this session would be cut")

    monkeypatch.setattr("hostkit.report.bootstrap.run_bootstrap", refused)
    with pytest.raises(HostkitError, match="this session would be cut"):
        ground()
    assert "still failing  b-play" in capsys.readouterr().out


def test_a_waived_failure_is_left_alone(ground):
    waiver = {"why": "it is moved in spring", "owner": "ann", "until": "2099-01-01"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hostkit.posture.waivers.lapsed", lambda *_: "")
        ground(a_safe=waiver, b_play=waiver)
    assert (ground.calls, ground.played) == ([], [])


def test_without_root_it_says_so_and_does_nothing(ground):
    ground.host.is_root = False
    with pytest.raises(HostkitError, match="run it as root: sudo hostkit check --fix"):
        ground()
    assert ground.calls == []


def test_where_nothing_fails_nothing_is_done(ground, capsys):
    ground.broken.clear()
    assert ground(sure=False) is Exit.CANNOT_TELL
    assert "at once: nothing" in capsys.readouterr().out
