"""What a run keeps lies in memory, is root's own and goes; and there is one run at a time."""

import multiprocessing
import os
import stat

import pytest

from hostkit.bootstrap.scratch import alone, private_folder, refuse_disk
from hostkit.errors import HostkitError

ROOT = "1 0 8:1 / / rw - ext4 /dev/vda rw"
RUN = "2 1 0:2 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,mode=755"


@pytest.mark.parametrize("lines", [(ROOT, RUN), (RUN, ROOT)])
def test_a_tmpfs_on_run_will_do(lines):
    refuse_disk("\n".join(lines))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((ROOT,), "/run/hostkit lies on /, which is ext4, not tmpfs; mount a tmpfs on /run"),
        ((ROOT, "2 1 0:2 / /runs rw - tmpfs tmpfs rw"), "lies on /, which is ext4"),
        ((ROOT, RUN, "3 2 8:2 / /run/hostkit rw - ext4 /dev/vdb rw"), "lies on /run/hostkit, which is ext4"),
        ((ROOT, RUN, "3 2 8:2 / /run rw - xfs /dev/vdb rw"), "lies on /run, which is xfs"),
        ((), "lies on /, which is nothing"),
    ],
)
def test_a_disk_is_refused_by_name(lines, says):
    with pytest.raises(HostkitError, match=says):
        refuse_disk("\n".join(lines))


def test_a_second_bootstrap_is_refused_in_one_line_and_a_later_one_is_not(tmp_path):
    with alone(tmp_path / "run"), pytest.raises(HostkitError) as caught, alone(tmp_path / "run"):
        pass
    assert str(caught.value) == "another bootstrap is under way on this machine; wait until it has ended"
    with alone(tmp_path / "run"):
        pass


def test_the_folder_is_roots_own_and_goes_even_when_the_run_fails(tmp_path):
    with pytest.raises(IsADirectoryError), private_folder(tmp_path) as folder:
        _fail(folder)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path):
    context = multiprocessing.get_context("spawn")
    told = context.SimpleQueue()
    process = context.Process(target=_killed, args=(tmp_path, told))
    process.start()
    left = told.get()
    process.join()
    assert process.exitcode == -9
    assert (tmp_path / left / "env").read_text() == "secret"
    with private_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def _fail(folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "env").write_text("secret")
    folder.write_text("in between")


def _killed(parent, told):
    with private_folder(parent) as folder:
        (folder / "env").write_text("secret")
        told.put(folder.name)
        os.kill(os.getpid(), 9)


def test_a_live_runs_folder_is_left_alone(tmp_path):
    with private_folder(tmp_path) as one, private_folder(tmp_path) as other:
        assert {one, other} == set(tmp_path.iterdir())


def test_a_link_in_the_locks_place_is_not_followed(tmp_path):
    (tmp_path / "bootstrap.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"), alone(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()
