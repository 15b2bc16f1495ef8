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
