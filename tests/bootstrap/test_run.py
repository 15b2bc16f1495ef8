"""Plays through the real ansible-runner: what it keeps of a run holds no secret, and is gone afterwards."""

import functools
import os
import stat

import pytest

from hostkit.bootstrap import run as module
from hostkit.bootstrap.plays import Machine, Play, variables
from hostkit.bootstrap.scratch import private_folder
from hostkit.errors import CannotTell
from tests.conftest import client, make_policy

SECRET = "a-value-that-nobody-may-see"
PLAY = """\
- name: Nothing changes
  hosts: all
  gather_facts: false
  tasks:
    - name: Say what came with it
      ansible.builtin.command:
        argv: [env]
      changed_when: true
    - name: {word}
      ansible.builtin.command:
        argv: ["{program}"]
"""


def play(tmp_path, program="true"):
    file = tmp_path / "30-nothing.yml"
    file.write_text(PLAY.format(word="Run it", program=program))
    return Play(file, "Nothing changes", "Why.", (), {}, 2)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(module, "private_folder", functools.partial(private_folder, folder))
    return folder


def told():
    secrets = {"token": {"source": "env:HOSTKIT_TEST_TOKEN"}}
    policy = make_policy({}, {"acme": {**client(), "secrets": secrets}})
    return variables(policy, "console", Machine({}))


def texts(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_secret_of_the_policy_or_the_environment_is_in_what_ansible_keeps_or_says(tmp_path, scratch, monkeypatch):
    monkeypatch.setenv("HOSTKIT_TEST_TOKEN", SECRET)
    kept, modes = {}, set()

    def look(_):
        kept.update(texts(scratch))
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in scratch.iterdir())

    steps = module.run([play(tmp_path)], told(), look, dry=False, diff=True)
    assert [step.what for step in steps] == ["changed", "changed"]
    assert all(step.seconds > 0 for step in steps)
    assert any(name.endswith("/command") for name in kept)  # the file in which ansible-runner writes the environment
    assert not [name for name, text in kept.items() if SECRET.encode() in text]
    assert SECRET not in repr(steps)
    assert modes == {0o700}
    assert not list(scratch.iterdir())
    assert os.environ["HOSTKIT_TEST_TOKEN"] == SECRET


def test_a_run_that_fails_says_where_and_leaves_nothing(tmp_path, scratch):
    with pytest.raises(CannotTell, match="Nothing changes: Run it: "):
        module.run([play(tmp_path, program="false")], told(), lambda _: None, dry=False, diff=False)
    assert not list(scratch.iterdir())


def test_an_interpreter_that_does_not_start_is_told_as_the_task_that_it_kept_from_running(
    tmp_path, scratch, monkeypatch
):
    monkeypatch.setitem(module._LOCAL, "ansible_python_interpreter", "/not/there/python3")
    with pytest.raises(CannotTell, match=r"Nothing changes: Say what came with it: .*/not/there/python3"):
        module.run([play(tmp_path)], told(), lambda _: None, dry=False, diff=False)
    assert not list(scratch.iterdir())


def test_where_ansible_runs_nothing_it_is_told_how_it_ended(tmp_path, scratch):
    made = play(tmp_path)
    made.file.write_text("no: play\n")
    with pytest.raises(CannotTell, match="ansible ran no task at all: failed, code 4"):
        module.run([made], told(), lambda _: None, dry=False, diff=False)
    assert not list(scratch.iterdir())


def test_a_dry_run_predicts_a_command_and_does_not_run_it(tmp_path, scratch):
    mark = tmp_path / "ran"
    made = play(tmp_path, "true")
    text = made.file.read_text().replace('argv: ["true"]', f"argv: [touch, {mark}]\n        removes: /bin/sh")
    made.file.write_text(text)
    steps = module.run([made], told(), lambda _: None, dry=True, diff=False)
    assert [(step.task, step.what) for step in steps][-1:] == [("Run it", "changed")]
    assert not mark.exists()


def test_a_command_that_fails_is_told_by_its_own_words(tmp_path, scratch):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho 'another change of the fence is under way' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(CannotTell, match="Nothing changes: Run it: another change of the fence is under way"):
        module.run([play(tmp_path, str(program))], told(), lambda _: None, dry=False, diff=False)
