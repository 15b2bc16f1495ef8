"""What `make demo` says where it cannot go on: one line, exit 2, nothing installed."""

import os
import subprocess
from pathlib import Path

import pytest

PREPARE = Path(__file__).parents[2] / "scripts/prepare"


@pytest.fixture
def prepare(tmp_path):
    """Run scripts/prepare on a machine whose `uname -s` and `id -u` say what they are told, and that has no engine."""

    def run(system, uid):
        for name, word in (("uname", system), ("id", uid)):
            (tmp_path / name).write_text(f"#!/bin/sh\necho {word}\n")
            (tmp_path / name).chmod(0o755)
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "DOCKER_HOST": "unix:///nonexistent"}
        environment["HOSTKIT_WORK"] = str(tmp_path / "work")
        command = [str(PREPARE), "demo"]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)

    return run


def test_a_mac_without_an_engine_is_told_what_to_install(prepare, tmp_path):
    done = prepare("Darwin", 501)
    says = "install Colima and the client: brew install colima docker && colima start --mount none"
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert not (tmp_path / "work").exists()


def test_without_root_it_says_so_and_prepares_nothing(prepare, tmp_path):
    done = prepare("Linux", 1000)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "hostkit: preparing this machine needs root; run: sudo make demo\n"
    assert not (tmp_path / "work").exists()
