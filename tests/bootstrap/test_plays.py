"""What must hold of every play; no edit when one is added."""

import re

import pytest
import yaml

from hostkit.bootstrap.guard import WINDOW
from hostkit.bootstrap.mac.known import named
from hostkit.bootstrap.mac.stand import Ground
from hostkit.bootstrap.mac.values import variables as mac_variables
from hostkit.bootstrap.plays import FOLDER, KINDS, Machine, distribution, plays, variables
from hostkit.bootstrap.run import GIVEN
from hostkit.bootstrap.touched import touched
from hostkit.errors import HostkitError
from hostkit.posture.model import collect
from tests.conftest import make_policy

LINUX, MAC = plays(), plays("darwin")
PLAYS = (*LINUX, *MAC)
MINI = Ground(True, "15.5", {}, (), {}, ("ann",), (), ("/Applications/Example App.app",))


def by_name(play):
    return f"{play.file.parent.name}/{play.file.stem}"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_the_plays_run_in_the_order_of_their_numbers_the_fence_last(platform):
    names = [play.file.name for play in plays(platform)]
    assert names == sorted(names)
    assert names[-1] == "90-fence.yml"


def test_a_platform_without_plays_is_refused():
    with pytest.raises(HostkitError, match="there are no plays for freebsd"):
        plays("freebsd")


@pytest.mark.parametrize("play", PLAYS, ids=by_name)
def test_every_check_that_a_play_proves_exists_and_tells_of_the_play(play):
    checks = {check.id: check for check in collect()}
    assert play.proves
    for name in play.proves:
        assert f"play {play.file.stem}" in checks[name].fix
        assert checks[name].play == play.file.stem


IN_PART = {
    *("apparmor-boot", "journal-persistent", "listeners-ssh", "egress-counted", "reach-processes"),
    *("filevault-login", "alf-incoming"),
    *("egress-denied", "egress-lan", "egress-metadata", "egress-listed", "egress-unlisted"),
}
"""Checks that need more than their play: a hand besides, or a network in which what they send means something."""


@pytest.mark.parametrize("check", [one for one in collect() if one.play], ids=lambda check: check.id)
def test_the_play_that_a_check_names_is_there_and_proves_it(check):
    for every in [each for name, each in (("linux", LINUX), ("darwin", MAC)) if name in check.platforms]:
        proves = {play.file.stem: play.proves for play in every}
        assert check.play in proves
        assert (check.id in proves[check.play]) is (check.id not in IN_PART)
    assert f"play {check.play}" in check.fix


@pytest.mark.parametrize("play", PLAYS, ids=by_name)
def test_a_play_says_why_it_matters_and_what_it_may_touch(play):
    assert play.why.endswith(".")
    assert play.touches
    assert set(play.touches) <= KINDS


def test_a_distribution_is_known_by_its_os_release():
    assert distribution('NAME="Debian"\nID=debian\nVERSION_ID="12"\n')["name"] == "Debian 12"
    assert distribution("ID=ubuntu\nVERSION_ID='24.04'\n")["name"] == "Ubuntu 24.04"
    assert distribution("ID=arch\n") is None


def tasks(play):
    """Return a play's tasks, and those of the files that it includes."""
    own = yaml.safe_load(play.file.read_text())[0]["tasks"]
    included = [task["ansible.builtin.include_tasks"] for task in own if "ansible.builtin.include_tasks" in task]
    return own + [task for name in included for task in yaml.safe_load((play.file.parent / name).read_text())]


@pytest.mark.parametrize("play", PLAYS, ids=by_name)
def test_every_task_uses_what_comes_with_ansible_itself_and_has_a_name(play):
    for task in tasks(play):
        assert task["name"]
        modules = [key for key in task if "." in key]
        assert [key for key in modules if not key.startswith("ansible.builtin.")] == []
        assert len(modules) == 1


@pytest.mark.parametrize("play", PLAYS, ids=by_name)
def test_every_command_is_predicted_by_a_dry_run(play):
    for task in tasks(play):
        if "not ansible_check_mode" in str(task.get("when")):  # it looks at what a change came to
            continue
        if words := task.get("ansible.builtin.command"):  # ansible counts one in check mode only beside a file's name
            assert task.get("check_mode") is False or {"creates", "removes"} & words.keys(), task["name"]


@pytest.mark.parametrize("play", PLAYS, ids=by_name)
def test_a_play_takes_only_variables_that_bootstrap_gives_it(play):
    text = play.file.read_text()
    linux, mac = variables(make_policy(), "console", Machine({})), mac_variables(make_policy(), "console", MINI)
    given = set(mac if play in MAC else linux) | GIVEN | {"touches"}
    used = set(re.findall(r"\{\{-? *\(*'?([a-z_]+)", text))
    own = set(yaml.safe_load(text)[0]["vars"]) | set(re.findall(r"register: (\w+)", text)) | {"item"}
    own |= {name for pair in re.findall(r"\{% for (\w+)(?:, (\w+))? in", text) for name in pair}
    assert used - own <= given


@pytest.mark.parametrize("program", ["linux/files/hostkit-fence", "mac/files/hostkit-pf"])
def test_the_programs_window_is_the_one_that_is_told(program):
    assert f"seconds={WINDOW}" in (FOLDER / program).read_text()


@pytest.mark.parametrize("play", MAC, ids=by_name)
def test_root_writes_nothing_in_a_folder_that_the_agents_account_writes(play):
    for task in tasks(play):
        for module in ("copy", "file", "template", "replace", "lineinfile"):
            told = task.get(f"ansible.builtin.{module}", {})
            assert "{{ home }}/" not in str(told.get("dest") or told.get("path")), task["name"]
            assert "{{ home }}/" not in str(task.get("loop")), task["name"]


@pytest.mark.parametrize("play", MAC, ids=by_name)
def test_a_job_and_a_setting_that_a_play_changes_are_ones_that_undo_knows_of(play):
    jobs = mac_variables(make_policy(), "console", MINI)["jobs"]
    for task in yaml.safe_load(play.file.read_text())[0]["tasks"]:
        match task.get("ansible.builtin.include_tasks"):
            case "tasks/job.yml":
                label = jobs[re.search(r"jobs\.(\w+)", task["vars"]["job"])[1]]["label"]
                assert label in play.touches["jobs"]
                assert f"/Library/LaunchDaemons/{label}.plist" in play.touches["files"]
            case "tasks/setting.yml":
                assert task["loop"] == "{{ touches.settings | flatten }}"


@pytest.mark.parametrize("play", MAC, ids=by_name)
def test_every_setting_that_a_play_of_a_mac_names_is_one_that_is_known(play):
    given = mac_variables(make_policy(), "console", MINI)
    found = [touch.name for touch in touched([play], given) if touch.kind == "setting"]
    assert [named(name).name for name in found] == found
