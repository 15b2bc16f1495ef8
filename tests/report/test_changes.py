"""The summary: what changed, why it matters, what the profile leaves out, and how long it took."""

import dataclasses

from hostkit.bootstrap.plays import plays
from hostkit.bootstrap.run import Step
from hostkit.report.changes import lines, summary
from tests.conftest import make_policy

ACCOUNT, FENCE = (next(play for play in plays() if play.subject == name) for name in ("account", "fence"))
STEPS = (
    Step(ACCOUNT.name, "Make the group", "ok", seconds=1.0),
    Step(FENCE.name, "Put the fence up", "changed", seconds=2.5),
    Step(FENCE.name, "Install nftables", "skipped"),
    Step(FENCE.name, "Write it", "changed", seconds=0.5),
)


def said(policy=None, fence=FENCE, *, dry=False):
    return summary((ACCOUNT, fence), STEPS, policy or make_policy(), 6.0, dry=dry).splitlines()


def test_each_play_that_changed_something_is_named_with_its_changes_and_why_they_matter():
    assert said() == [
        "2 changed, 1 as they should be, 1 not needed",
        "  fence        2  Without the fence every other wall is alone.",
        "6.0 s in all, 1.5 s a task; the longest, 2.5 s: Put the fence up",
    ]


def test_a_dry_run_says_what_would_change():
    assert said(dry=True)[0] == "2 would change, 1 as they should be, 1 not needed"


def test_at_solo_it_says_what_is_left_out():
    assert "at solo, these plays leave nothing out" in said(make_policy({"profile": "solo"}))
    less = dataclasses.replace(FENCE, solo_leaves_out="ping is answered.")
    found = said(make_policy({"profile": "solo", "exempt": ["hans"]}), less)
    assert found[2:4] == [
        "at solo, less than at strict: hans may send past the host's gateway (exempt)",
        "at solo, less than at strict: fence: ping is answered.",
    ]


def test_a_step_is_told_when_it_changed_or_failed_its_difference_where_asked():
    step = Step("play", "Write it", "changed", diff="+one\n\x1b[2J\n")
    assert lines(step, diff=False) == ["changed  Write it"]
    assert lines(step, diff=True) == ["changed  Write it", "    +one", "    \\x1b[2J"]
    assert lines(Step("play", "Write it", "ok"), diff=True) == []
