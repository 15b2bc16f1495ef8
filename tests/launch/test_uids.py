"""Hostkit's uids on a host, and the uid a started agent really has there."""

import re

import pytest

from hostkit.launch.uids import collisions, mapped, wrong_uid

WHOLE = "         0          0 4294967295\n"
STATUS = "Name:\tsleep\nUid:\t{0}\t{0}\t{0}\t{0}\nGid:\t{0}\t{0}\t{0}\t{0}\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/etc/passwd", "eve:x:70000:100::/home/eve:/bin/sh"),
        ("/etc/passwd", "eve:x:70511:100::/home/eve:/bin/sh"),
        ("/etc/group", "eves:x:70256:eve"),
        ("/etc/subuid", "eve:65536:65536"),
        ("/etc/subuid", "eve:70511:1"),
        ("/etc/subgid", "dockremap:60000:10001"),
    ],
)
def test_whoever_has_an_id_of_the_range_is_named_with_the_line(path, line):
    assert collisions({path: f"root:x:0:0::/root:/bin/sh\n{line}\n"}) == [f"{path}: {line}"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/etc/passwd", "eve:x:69999:70000::/home/eve:/bin/sh"),
        ("/etc/passwd", "eve:x:70512:100::/home/eve:/bin/sh"),
        ("/etc/group", "eves:x:1000:70000"),
        ("/etc/subuid", "eve:100000:65536"),
        ("/etc/subuid", "eve:4464:65536"),
        ("/etc/subgid", "eve:70512:65536"),
        ("/etc/subuid", "eve:70000:0"),
        ("/etc/subuid", "not a line of subuid"),
        ("/etc/passwd", "+@netgroup::::::"),
    ],
)
def test_whoever_has_no_id_of_the_range_is_left_alone(path, line):
    assert collisions({path: line}) == []


def test_a_process_under_the_planned_uid_is_right():
    assert wrong_uid(70006, STATUS.format(70006), WHOLE) == ""


@pytest.mark.parametrize(
    ("status", "uid_map", "says"),
    [
        (STATUS.format(170006), WHOLE, "uid 170006/170006/170006/170006, not 70006"),
        ("Uid:\t70006\t0\t70006\t70006\n", WHOLE, "uid 70006/0/70006/70006, not 70006"),
        ("", WHOLE, "uid unknown, not 70006"),
        (STATUS.format(70006), "0 100000 65536\n", r"the engine maps uids \(0 100000 65536\)"),
        (STATUS.format(70006), "", r"the engine maps uids \(no map\)"),
    ],
)
def test_a_process_under_another_uid_is_told(status, uid_map, says):
    assert re.search(says, wrong_uid(70006, status, uid_map))


def test_a_map_of_two_lines_is_a_map():
    assert mapped("0 0 70000\n70000 70000 4294897295\n")
    assert not mapped(WHOLE)
