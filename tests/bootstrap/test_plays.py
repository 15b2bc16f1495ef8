"""What must hold of every play; no edit when one is added."""

import re

import pytest
import yaml

from hostkit.bootstrap.plays import FOLDER, KINDS, Machine, distribution, plays, variables
from hostkit.bootstrap.run import GIVEN
from hostkit.posture.model import collect
from tests.conftest import make_policy

PLAYS = plays()


def test_the_plays_run_in_the_order_of_their_numbers_the_fence_last():
    names = [play.file.name for play in PLAYS]
    assert names == sorted(names)
    assert names[-1] == "90-fence.yml"


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.file.stem)
def test_every_check_that_a_play_proves_exists_and_tells_of_the_play(play):
    checks = {check.id: check for check in collect()}
    assert play.proves
    for name in play.proves:
        assert f"play {play.file.stem}" in checks[name].fix


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.file.stem)
def test_a_play_says_why_it_matters_and_what_it_may_touch(play):
    assert play.why.endswith(".")
    assert play.touches
    assert set(play.touches) <= KINDS


def test_a_distribution_is_known_by_its_os_release():
    assert distribution('NAME="Debian"\nID=debian\nVERSION_ID="12"\n')["name"] == "Debian 12"
    assert distribution("ID=ubuntu\nVERSION_ID='24.04'\n")["name"] == "Ubuntu 24.04"
    assert distribution("ID=arch\n") is None


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.file.stem)
def test_every_task_uses_what_comes_with_ansible_itself_and_has_a_name(play):
    for task in yaml.safe_load(play.file.read_text())[0]["tasks"]:
        assert task["name"]
        modules = [key for key in task if "." in key]
        assert [key for key in modules if not key.startswith("ansible.builtin.")] == []
        assert len(modules) == 1


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.file.stem)
def test_a_play_takes_only_variables_that_bootstrap_gives_it(play):
    text = play.file.read_text()
    given = set(variables(make_policy(), "console", Machine({}))) | GIVEN
    used = set(re.findall(r"\{\{-? *\(*'?([a-z_]+)", text))
    own = set(yaml.safe_load(text)[0]["vars"]) | set(re.findall(r"register: (\w+)", text)) | {"item"}
    own |= {name for pair in re.findall(r"\{% for (\w+)(?:, (\w+))? in", text) for name in pair}
    assert used - own <= given


def test_the_programs_window_is_the_one_that_is_told():
    from hostkit.bootstrap.guard import WINDOW

    assert f"seconds={WINDOW}" in (FOLDER / "linux/files/hostkit-fence").read_text()
