"""What a program says is given byte for byte, bounded, and shows in no text of its own."""

import pytest

from hostkit.errors import CannotTell
from hostkit.host import capture


def captured(script, *words, timeout=10.0, most=100):
    told = {"PATH": "/usr/bin:/bin", "ONE": "1"}
    return capture("sh", "-c", script, *words, real="/bin/sh", environment=told, timeout=timeout, most=most)


def test_both_streams_and_the_code_are_given_byte_for_byte():
    done = captured(r"printf 'a\377\n'; printf 'b\n' >&2; exit 3")
    assert (done.code, done.out, done.err) == (3, b"a\xff\n", b"b\n")


def test_what_it_said_shows_in_no_text():
    assert repr(captured("echo value; echo why >&2")) == "Captured(code=0)"


def test_it_has_this_environment_and_no_other():
    assert captured('echo "$ONE$HOME"').out == b"1\n"


@pytest.mark.parametrize("stream", ["1", "2"])
def test_exactly_so_much_is_taken_and_more_is_refused(stream):
    done = captured(f"head -c 100 /dev/zero >&{stream}")
    assert len(done.out + done.err) == 100
    with pytest.raises(CannotTell, match="says more than 100 bytes"):
        captured(f"head -c 101 /dev/zero >&{stream}; sleep 20")


@pytest.mark.parametrize("script", ["sleep 20", "exec >&- 2>&-; sleep 20", "sleep 20 & exit 0"])
def test_a_program_that_hangs_or_leaves_its_pipe_open_is_not_waited_for(script):
    with pytest.raises(CannotTell, match=r"sh gave no answer in 0\.3 s"):
        captured(script, timeout=0.3)


def test_a_program_that_cannot_be_run_is_told():
    with pytest.raises(CannotTell, match="cannot be run: No such file"):
        capture("sh", real="/not/there", environment={}, timeout=1, most=1)
