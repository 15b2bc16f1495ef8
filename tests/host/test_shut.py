"""A path is closed, and only that one: links and second names that others laid lead nowhere."""

import os
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from hostkit.errors import CannotTell
from hostkit.host import LocalHost
from hostkit.host.shut import shut

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root closes what belongs to others")
AGENT = 64123


@pytest.fixture
def agents(tmp_path):
    """A folder that an agent owns, beside a file of root's that it would like to see closed or opened."""
    folder = tmp_path / "agent"
    folder.mkdir()
    os.chown(folder, AGENT, AGENT)
    (tmp_path / "roots").write_text("root's")
    (tmp_path / "roots").chmod(0o644)
    return folder


def mode(path):
    return path.lstat().st_mode & 0o7777


@pytest.mark.parametrize(
    ("before", "allowed", "after"),
    [(0o644, 0o600, 0o600), (0o400, 0o600, 0o400), (0o666, 0o7755, 0o644), (0o4755, 0o755, 0o755), (0, 0o777, 0)],
)
def test_bits_are_taken_away_and_never_added(agents, before, allowed, after):
    path = agents / "-rf; $(id)\n\x1b[31m"
    path.write_text("x")
    path.chmod(before)
    LocalHost().close(str(path), allowed)
    assert mode(path) == after


def test_a_folder_and_a_socket_are_closed_too(agents):
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(str(agents / "s"))
        for path in (agents, agents / "s"):
            path.chmod(0o777)
            shut(str(path), 0o700)
            assert mode(path) == 0o700


def test_what_is_given_to_root_is_roots(agents):
    path = agents / "file"
    path.write_text("x")
    os.chown(path, AGENT, AGENT)
    shut(str(path), 0o600, 0, 0)
    assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (0, 0, 0o600)


def test_a_link_at_the_end_is_not_followed(agents):
    (agents / "key").symlink_to(agents.parent / "roots")
    with pytest.raises(CannotTell, match="a link stands in its way at 'key'"):
        shut(str(agents / "key"), 0o600)
    assert mode(agents.parent / "roots") == 0o644


def test_a_link_on_the_way_is_not_followed(agents):
    (agents / "ssh").symlink_to(agents.parent)
    with pytest.raises(CannotTell, match="a link stands in its way at 'ssh'"):
        shut(str(agents / "ssh" / "roots"), 0o600)
    assert mode(agents.parent / "roots") == 0o644


def test_below_a_folder_of_the_agents_no_link_is_trusted_whoever_owns_what_is_between(agents):
    inner = agents / "inner"
    inner.mkdir()
    (inner / "key").symlink_to(agents.parent / "roots")
    with pytest.raises(CannotTell, match="a link stands in its way"):
        shut(str(inner / "key"), 0o600)


def test_a_second_name_of_roots_file_is_left_alone(agents):
    os.link(agents.parent / "roots", agents / "key")
    with pytest.raises(CannotTell, match="has a second name"):
        shut(str(agents / "key"), 0o600)
    assert mode(agents.parent / "roots") == 0o644


@pytest.fixture
def roots():
    """A folder into which root alone may lay something, as no folder below /tmp is."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        place = Path(folder)
        place.chmod(0o755)
        yield place


def test_a_link_that_root_alone_could_lay_is_followed(roots):
    """As /var/run is one on every Debian."""
    (roots / "file").write_text("x")
    (roots / "file").chmod(0o644)
    (roots / "link").symlink_to("../" + roots.name + "/file")
    shut(str(roots / "link"), 0o600)
    assert mode(roots / "file") == 0o600


def test_links_in_a_circle_end(roots):
    (roots / "circle").symlink_to("circle")
    with pytest.raises(CannotTell, match="a link stands in its way"):
        shut(str(roots / "circle"), 0o600)


@pytest.mark.parametrize("path", ["relative", "/tmp/../etc/passwd", "/no/such/file"])
def test_what_is_no_plain_path_of_something_is_told(path):
    with pytest.raises(CannotTell, match=path):
        shut(path, 0o600)


def test_a_folder_swapped_for_a_link_while_it_is_closed_never_closes_roots_file(agents):
    """The race that chmod(1) loses: the agent swaps its folder and a link to root's while hostkit walks there."""
    target, victim = agents / "dir", agents.parent / "roots"
    target.mkdir()
    (target / "roots").write_text("x")
    (agents / "link").symlink_to(agents.parent)
    over = threading.Event()

    def swap():
        while not over.is_set():
            target.rename(agents / "aside")
            (agents / "link").rename(target)
            target.rename(agents / "link")
            (agents / "aside").rename(target)

    agent = threading.Thread(target=swap)
    agent.start()
    try:
        for _ in range(3000):
            with suppress(CannotTell):
                shut(str(target / "roots"), 0o600)
    finally:
        over.set()
        agent.join()
    assert mode(victim) == 0o644
