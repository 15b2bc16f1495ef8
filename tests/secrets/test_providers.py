import os

import pytest

from hostkit.errors import HostkitError
from hostkit.secrets.providers import fetch


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "token"
    path.write_text("the-value\n")
    path.chmod(0o600)
    return path


def test_a_file_of_ones_own_is_read_without_its_line_end(file):
    assert fetch("token", f"file:{file}") == b"the-value"


def test_a_variable_is_read(monkeypatch):
    monkeypatch.setenv("ACME_TOKEN", "the-value")
    assert fetch("token", "env:ACME_TOKEN") == b"the-value"


def test_a_missing_variable_is_named(monkeypatch):
    monkeypatch.delenv("ACME_TOKEN", raising=False)
    with pytest.raises(HostkitError, match="variable ACME_TOKEN is not set"):
        fetch("token", "env:ACME_TOKEN")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_with_its_mode_and_never_its_value(file, mode):
    file.chmod(mode)
    with pytest.raises(HostkitError, match=f"mode {mode:04o}; others can read it; chmod 600") as caught:
        fetch("token", f"file:{file}")
    assert "the-value" not in str(caught.value)


def test_a_link_is_refused(file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(HostkitError, match="not a link"):
        fetch("token", f"file:{tmp_path / 'link'}")


def test_a_pipe_is_refused_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(HostkitError, match="is not a plain file"):
        fetch("token", f"file:{tmp_path / 'pipe'}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(file, monkeypatch):
    os.chown(file, 12345, 12345)
    with pytest.raises(HostkitError, match="belongs to uid 12345"):
        fetch("token", f"file:{file}")


def test_an_empty_file_is_refused(file):
    file.write_text("")
    with pytest.raises(HostkitError, match="is empty"):
        fetch("token", f"file:{file}")
