"""Lines off a stream of the engine's frames, and how it is ended."""

import socket

import pytest

from hostkit.errors import CannotTell
from hostkit.launch.attached import answers, hang_up, send
from tests.test_frames import frame


def said(*frames):
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"".join(frames))
    return ours


def test_lines_are_put_together_from_frames_however_they_are_cut():
    with said(frame(1, b'{}\n{"a'), frame(2, b"noise\n"), frame(1, b'": 1}\n')) as stream:
        lines = answers(stream)
        assert [next(lines), next(lines)] == [{}, {"a": 1}]


def test_a_probe_that_dies_is_told_with_its_last_words():
    with said(frame(1, b"{}\n"), frame(2, b"Traceback\nMemoryError\n")) as stream:
        lines = answers(stream)
        assert next(lines) == {}
        with pytest.raises(CannotTell, match="the probe gave no answer: MemoryError"):
            next(lines)


def test_what_is_sent_arrives_and_a_hang_up_is_the_end_of_it():
    ours, theirs = socket.socketpair()
    with theirs:
        send(ours, b"{}\n")
        hang_up(ours)
        assert theirs.recv(16) == b"{}\n"
        assert theirs.recv(16) == b""
