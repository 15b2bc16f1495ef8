"""The child that tries: over loopback only, against servers of the test's own."""

import os
import socket
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from hostkit.errors import CannotTell
from hostkit.host import LocalHost, attempts
from hostkit.host.attempts import Outcome, Try
from hostkit.host.attempts_child import asked, packets
from hostkit.host.traffic import rows

NOBODY = 65534
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
REFUSED = b'HTTP/1.1 403 Forbidden\r\nContent-Length: 22\r\n\r\n{"rule": "not-listed"}'


@contextmanager
def serving(answer):
    """Hold a port of loopback; the first connection is answered in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with server.accept()[0] as wire:
                answer(wire)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()
        thread.join(5)


def says(text):
    def answer(wire):
        wire.recv(4096)
        wire.sendall(text)

    return answer


def speaks(wire):
    wire.sendall(b"SSH-2.0-x\r\n")


def hangs_up(wire):
    pass


def waits_for_the_end(wire):
    while wire.recv(4096):
        pass


def never(wire):
    threading.Event().wait(1.5)


@pytest.mark.parametrize(
    ("kind", "answer", "word", "detail"),
    [
        ("tls", says(REFUSED), "denied", "403 not-listed"),
        ("tls", says(b"HTTP/1.1 200 OK\r\n\r\nnot TLS at all"), "denied", ""),
        ("tls", says(b"\xff\xfe\x1b[31m" * 9), "denied", "no status"),
        ("tls", hangs_up, "denied", ""),
        ("http", says(REFUSED), "denied", "403 not-listed"),
        ("http", says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx"), "answered", "404"),
        ("http", says(b"nonsense\r\n\r\n"), "denied", "nonsense"),
        ("http", never, "silent", "no answer in 0.9 s"),
        ("raw", speaks, "answered", "it speaks"),
        ("raw", hangs_up, "denied", "hung up"),
        ("raw", waits_for_the_end, "answered", "it takes connections"),
        ("raw", never, "silent", "no answer"),
    ],
)
def test_what_a_gateway_says_is_told_apart(kind, answer, word, detail):
    with serving(answer) as place:
        told = asked({"kind": kind, "place": place, "name": "a.example", "port": 443}, 0.9)
    assert (told[0], detail in told[1]) == (word, True), told


def test_a_port_where_nobody_listens_is_denied():
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
    told = asked({"kind": "tls", "place": place, "name": "a.example", "port": 443}, 0.9)
    assert told == ("denied", "Connection refused")


def test_whoever_answers_a_packet_has_got_it_even_where_the_answer_is_no():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        open_, quiet = server.getsockname()[1], silent.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as gone:
            closed = gone.getsockname()[1]
        tries = [("tcp", open_), ("tcp", closed), ("udp", closed), ("udp", quiet)]
        words = [word for word, _ in packets([(kind, "127.0.0.1", port) for kind, port in tries], 0.2)]
        assert silent.recv(512).startswith(b"\0\0\1")
    assert words == ["answered", "answered", "answered", "sent"]


def test_where_there_is_no_way_nothing_was_sent():
    ((word, why),) = packets([("tcp", "fe80::1", 80)], 0.1)  # no card is named, so the kernel knows no way
    assert (word, bool(why)) == ("no-way", True)


@root
def test_a_try_is_made_as_that_account_and_no_other():
    seen = []

    def look(wire):
        port = wire.getpeername()[1]
        found = rows(Path("/proc/net/tcp").read_text(), "tcp")
        seen.extend(row.uid for row in found if row.near_port == port)
        wire.sendall(b"x")

    with serving(look) as place:
        told = LocalHost().attempts(NOBODY, NOBODY, (Try("raw", place, "a.example", 1),))
    assert (told, seen) == ((Outcome("answered", "it speaks"),), [NOBODY])


@root
def test_the_answers_come_in_the_order_of_the_tries():
    with serving(speaks) as place, socket.create_server(("127.0.0.1", 0)) as server:
        tries = (Try("raw", place), Try("tcp", server.getsockname()), Try("raw", ("127.0.0.1", 1)))
        told = LocalHost().attempts(NOBODY, NOBODY, tries)
    assert [entry.word for entry in told] == ["answered", "answered", "denied"]


@root
def test_a_child_that_cannot_become_the_account_tries_nothing():
    with pytest.raises(CannotTell, match="failed"):
        LocalHost().attempts(2**32 + 7, NOBODY, (Try("raw", ("127.0.0.1", 1)),))


def test_without_root_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotTell, match="without root"):
        attempts.made(lambda *words, **more: pytest.fail("asked"), NOBODY, NOBODY, ())


@pytest.mark.parametrize(
    "said", ["", "[]", "{}", '[["answered"]]', '[["won", ""]]', '[["sent", ""], ["sent", ""]]', "1"]
)
def test_words_that_cannot_be_read_are_no_answer(said):
    with pytest.raises(CannotTell, match="the child that tries"):
        attempts.told(said, 1)


def test_the_child_needs_the_standard_library_alone():
    """It starts isolated and without site-packages; what it imported of others would not be there."""
    lines = [line.split() for line in Path(attempts._CHILD).read_text().splitlines()]
    names = {words[1].split(".")[0] for words in lines if words[:1] in (["import"], ["from"])}
    assert names <= sys.stdlib_module_names
