import pytest

from hostkit.host import FileFacts, LocalHost
from hostkit.posture.files import closing, reached, writable
from tests.conftest import FakeHost

HOST = LocalHost()


@pytest.mark.parametrize(
    ("facts", "is_open"),
    [
        ((0o644, 0, 0, "file"), False),
        ((0o644, 1000, 0, "file"), True),
        ((0o646, 0, 0, "file"), True),
        ((0o664, 0, 0, "file"), False),
        ((0o664, 0, 50, "file"), True),
        ((0o777, 0, 0, "directory"), True),
        ((0o1777, 0, 0, "directory"), False),
        ((0o1777, 1000, 0, "directory"), True),
        ((0o1666, 0, 0, "file"), True),
        ((0o777, 0, 0, "link"), False),
        ((0o777, 1000, 0, "link"), True),
    ],
)
def test_who_may_change_a_path(facts, is_open):
    host = FakeHost(facts={"/x": FileFacts(*facts)})
    assert bool(writable(host, ["/x", "/not-there"])) == is_open
    assert bool(closing(host, ["/x", "/not-there"])) == is_open


def test_every_folder_on_the_way_is_reached_through_links_in_the_middle_too(tmp_path):
    (tmp_path / "real/deep").mkdir(parents=True)
    (tmp_path / "real/deep/program").touch()
    (tmp_path / "short").symlink_to("real/deep")
    (tmp_path / "real/name").symlink_to("../short/program")
    found = reached(HOST, str(tmp_path / "real/name"))
    below = [path.removeprefix(str(tmp_path)) for path in found if path.startswith(str(tmp_path))]
    assert below == ["", "/real", "/real/name", "/short", "/real/deep", "/real/deep/program"]
    assert "/" in found


def test_a_link_to_itself_ends(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert str(tmp_path / "loop") in reached(HOST, str(tmp_path / "loop"))


def test_the_commands_close_what_was_open(tmp_path):
    left = tmp_path / "-rf"
    left.touch()
    left.chmod(0o666)
    for command in closing(HOST, [str(left)]):
        HOST.run(*command)
    assert writable(HOST, [str(left)]) == []
