"""What `make demo` refuses before it installs or builds anything."""

import os
import subprocess
from pathlib import Path

import pytest

PREPARE = Path(__file__).parents[1] / "scripts" / "prepare"


@pytest.mark.parametrize("planted", ["link", "theirs"])
def test_a_working_folder_that_somebody_else_planted_is_refused(tmp_path, planted):
    (tmp_path / "own").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "own")
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)
    for name in ("apt-get", "dockerd", "systemctl"):
        (tmp_path / name).symlink_to(tmp_path / "docker")
    there = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOSTKIT_WORK": str(tmp_path / planted)}
    done = subprocess.run([PREPARE, "demo"], env=there, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert done.stderr == (
        f"hostkit: {tmp_path}/{planted} is there and not this account's; remove it, or set HOSTKIT_WORK\n"
    )
