import os
import stat

import pytest

from hostkit.errors import CannotTell
from hostkit.secrets import private


def test_what_is_made_is_its_owners_alone_and_read_back(tmp_path):
    private.make(tmp_path / "one/key", b"x")
    assert stat.S_IMODE((tmp_path / "one/key").stat().st_mode) == 0o600
    assert private.read(tmp_path / "one/key") == b"x"
    assert list((tmp_path / "one").iterdir()) == [tmp_path / "one/key"]


def test_of_two_makers_the_first_is_kept_and_a_replacement_is_whole(tmp_path):
    private.make(tmp_path / "key", b"first")
    private.make(tmp_path / "key", b"second")
    assert private.read(tmp_path / "key") == b"first"
    private.replace(tmp_path / "key", b"third")
    assert private.read(tmp_path / "key") == b"third"
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]


def test_what_is_not_there_is_nothing(tmp_path):
    assert private.read(tmp_path / "key") is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_could_read_or_write_is_refused(tmp_path, mode):
    private.make(tmp_path / "key", b"x")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(CannotTell, match="is no file that only its owner reads"):
        private.read(tmp_path / "key")


def test_a_link_and_a_pipe_are_refused(tmp_path):
    private.make(tmp_path / "key", b"x")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(CannotTell, match="symbolic links"):
        private.read(tmp_path / "link")
    with pytest.raises(CannotTell, match="is no file that only its owner reads"):
        private.read(tmp_path / "pipe")


def test_a_folder_that_others_enter_or_that_is_a_link_is_refused(tmp_path):
    assert stat.S_IMODE(private.folder(tmp_path / "mine").stat().st_mode) == 0o700
    (tmp_path / "mine").chmod(0o750)
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    for name in ("mine", "link"):
        with pytest.raises(CannotTell, match="is no folder that only its owner enters"):
            private.folder(tmp_path / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_is_somebody_elses_is_refused(tmp_path):
    private.make(private.folder(tmp_path / "mine") / "key", b"x")
    os.chown(tmp_path / "mine/key", 12345, 12345)
    os.chown(tmp_path / "mine", 12345, 12345)
    with pytest.raises(CannotTell, match="is no file that only its owner reads"):
        private.read(tmp_path / "mine/key")
    with pytest.raises(CannotTell, match="is no folder that only its owner enters"):
        private.folder(tmp_path / "mine")
