"""Who may open what: the same answers as the kernel gives."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hostkit.host import Entry, FileFacts, LocalHost
from hostkit.posture import attempt
from hostkit.posture.access import READ, WRITE, Paths, Reader, grants, untrusted
from tests.conftest import FakeHost, make_policy

AGENT = Reader(frozenset({990}), frozenset({990, 44}))
MASK = Entry(0x10, 7, 0xFFFFFFFF)


def file(mode, uid=0, gid=0):
    return FileFacts(mode, uid, gid, "file")


@pytest.mark.parametrize(
    ("facts", "acl", "may"),
    [
        (file(0o604), (), True),
        (file(0o640), (), False),
        (file(0o640, gid=44), (), True),
        (file(0o604, gid=44), (), False),  # its group is denied, and the kernel asks no further
        (file(0o000, uid=990), (), True),  # it may chmod what it owns
        (file(0o640), (Entry(0x02, 4, 990), MASK), True),
        (file(0o640), (Entry(0x02, 4, 990), Entry(0x10, 2, 0)), False),
        (file(0o644), (Entry(0x02, 0, 990), MASK), False),
        (file(0o640), (Entry(0x02, 4, 991), MASK), False),
        (file(0o640), (Entry(0x08, 4, 44), MASK), True),
        (file(0o644, gid=44), (Entry(0x04, 0, 0), MASK), False),
        (file(0o644, gid=44), (Entry(0x04, 0, 0), Entry(0x08, 4, 990), MASK), True),
    ],
)
def test_the_kernels_order_of_owner_list_group_and_others(facts, acl, may):
    assert grants(AGENT, facts, READ, acl) is may


PASSWD = "hostkit-agent:x:990:990::/nonexistent:/usr/sbin/nologin\n"


def test_the_account_comes_with_all_its_groups_and_clients_with_none():
    host = FakeHost(files={"/etc/passwd": PASSWD, "/etc/group": "video:x:44:ann,hostkit-agent\nadm:x:4:ann\n"})
    account, clients = untrusted(host, make_policy())
    assert account.gids == {990, 44}
    assert (70000 in clients.uids, 70511 in clients.uids, 990 in clients.uids, 44 in clients.gids) == (
        True,
        True,
        False,
        False,
    )


def test_without_the_account_the_clients_are_left():
    assert len(untrusted(FakeHost(files={"/etc/passwd": ""}), make_policy())) == 1


WORLD = Reader(frozenset({65000}), frozenset({65000}))


@pytest.fixture
def tree():
    """Return a folder that everybody may enter: pytest's own are closed."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_closed_folder_anywhere_above_closes_what_is_in_it(tree):
    (tree / "home" / "deep").mkdir(parents=True)
    kept = tree / "home" / "deep" / "key"
    kept.write_text("x")
    for mode, may in ((0o755, True), (0o711, True), (0o750, False), (0o744, False)):
        (tree / "home").chmod(mode)
        assert Paths(LocalHost()).may(WORLD, str(kept), READ) is may


def test_a_link_is_as_open_as_where_it_leads(tree):
    (tree / "closed").mkdir(mode=0o700)
    (tree / "closed" / "key").write_text("x")
    (tree / "open").mkdir()
    (tree / "open" / "key").write_text("x")
    (tree / "out").symlink_to("closed/key")
    (tree / "closed" / "in").symlink_to("../open/key")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "round").symlink_to("round")
    (tree / "up").symlink_to("open/..")
    seen = Paths(LocalHost())
    assert not seen.may(WORLD, str(tree / "out"), READ)
    assert not seen.may(WORLD, str(tree / "closed/in"), READ)
    assert seen.may(WORLD, str(tree / "up/open/key"), READ)
    assert seen.way(str(tree / "dangling")) == seen.way(str(tree / "round")) == ()
    assert seen.way(str(tree / "up"))[-1] == str(tree)


def test_what_may_be_moved_may_be_changed(tree):
    folder, kept = tree / "bin", tree / "bin" / "tool"
    folder.mkdir()
    kept.write_text("x")
    for folder_mode, file_mode, may in ((0o755, 0o644, False), (0o755, 0o646, True), (0o757, 0o644, True),
                                        (0o1757, 0o644, False), (0o750, 0o666, False)):  # fmt: skip
        folder.chmod(folder_mode)
        kept.chmod(file_mode)
        assert Paths(LocalHost()).may_change(WORLD, str(kept)) is may, (folder_mode, file_mode)


def test_a_link_that_leads_to_a_device_or_to_its_own_folder_cannot_be_changed(tree):
    (tree / "masked").symlink_to("/dev/null")
    (tree / "itself").symlink_to(".")
    seen = Paths(LocalHost())
    assert not seen.may_change(WORLD, str(tree / "masked"))
    assert not seen.may_change(WORLD, str(tree / "itself"))


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another uid")
def test_the_kernel_agrees(tree):
    """Each mode of a folder and a file in it, tried by a process of that uid."""
    modes = [
        (folder, kept, gid) for folder in (0o711, 0o750, 0o755) for kept in (0o604, 0o640, 0o600) for gid in (0, 65000)
    ]
    paths = []
    for number, (folder, kept, gid) in enumerate(modes):
        place = tree / str(number)
        place.mkdir()
        (place / "key").write_text("x")
        os.chown(place / "key", 0, gid)
        (place / "key").chmod(kept)
        place.chmod(folder)
        paths.append(str(place / "key"))
    told = tried({"uid": 65000, "gid": 65000, "name": "", "paths": [("file", path) for path in paths]})
    seen = Paths(LocalHost())
    assert {path: seen.may(WORLD, path, READ) for path in paths} == {path: told[path] == "opened" for path in paths}
    assert set(told.values()) == {"opened", "EACCES"}


def tried(order):
    done = subprocess.run([sys.executable, "-I", "-S", attempt.__file__], input=json.dumps(order), capture_output=True,
                          text=True, timeout=20, check=True)  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another uid")
def test_an_attempt_tells_sockets_from_what_is_not_there_and_holds_its_own_child(tree):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "s"))
        server.listen()
        (tree / "s").chmod(0o666)
        paths = [("socket", str(tree / "s")), ("socket", str(tree / "none")), ("directory", "/")]
        order = {"uid": 65000, "gid": 65000, "name": "", "paths": paths, "attach": True}
        told = tried(order)
        (tree / "s").chmod(0o600)
        assert tried(order)[str(tree / "s")] == "EACCES"
    assert (told[str(tree / "s")], told[str(tree / "none")], told["/"]) == ("opened", "ENOENT", "opened")
    scope = "/proc/sys/kernel/yama/ptrace_scope"
    strict = LocalHost().read(scope).strip() if Path(scope).exists() else "0"
    assert (told["beside"], told["child"]) == {"0": ("opened", "opened"), "1": ("EPERM", "opened")}.get(
        strict, ("EPERM",) * 2
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="sets an attribute of the system's")
def test_a_list_is_read_as_the_kernel_keeps_it(tmp_path):
    kept = tmp_path / "key"
    kept.write_text("x")
    entries = [(1, 6, 0xFFFFFFFF), (2, 4, 990), (4, 4, 0xFFFFFFFF), (0x10, 4, 0xFFFFFFFF), (0x20, 0, 0xFFFFFFFF)]
    raw = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(kept, "system.posix_acl_access", raw)
    except OSError as why:
        pytest.skip(f"this file system keeps no lists: {why}")
    assert LocalHost().acl(str(kept)) == tuple(Entry(*entry) for entry in entries)
    assert grants(AGENT, LocalHost().stat(str(kept)), READ, LocalHost().acl(str(kept)))
    assert not grants(AGENT, LocalHost().stat(str(kept)), WRITE, LocalHost().acl(str(kept)))
