"""What a container writes is read whole, also what came in one piece with the engine's own answer."""

import http.server
import io
import json
import socketserver
import threading

import docker
import pytest

from hostkit.engine import Engine
from hostkit.engine.frames import frames
from hostkit.errors import CannotTell


def frame(kind, data):
    return bytes([kind, 0, 0, 0]) + len(data).to_bytes(4) + data


@pytest.mark.parametrize("cut", [b"", b"\x01", b"\x01\0\0\0\0\0\0"], ids=["whole", "an octet", "no size"])
def test_pieces_end_with_the_last_whole_head(cut):
    assert list(frames(io.BufferedReader(io.BytesIO(frame(1, b"out") + frame(2, b"err") + cut)))) == [
        (1, b"out"),
        (2, b"err"),
    ]


def test_a_piece_that_is_cut_is_handed_on_as_far_as_it_came():
    whole = frame(1, b"x" * 200_000)
    got = [piece for _, piece in frames(io.BufferedReader(io.BytesIO(whole[:150_008])))]
    assert b"".join(got) == b"x" * 150_000
    assert max(map(len, got)) <= 64 * 1024


class Quick(http.server.BaseHTTPRequestHandler):
    """An engine whose exec is over before its answer is read: head and output leave in one write, as they can."""

    protocol_version = "HTTP/1.1"
    written = frame(1, b"a secret's placeholder\n") + frame(2, b"and a complaint\n")

    def do_GET(self):
        self._say({"Running": False, "ExitCode": 3})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/start"):
            self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + self.written)
            self.held.wait(10)
            self.close_connection = True
        else:
            self._say({"Id": "1"})

    def _say(self, document):
        body = json.dumps(document).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def log_message(self, *_):
        pass


@pytest.fixture
def quick(tmp_path):
    held = threading.Event()
    handler = type("Held", (Quick,), {"held": held})
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "engine"), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        api = docker.APIClient(f"unix://{tmp_path}/engine", version="1.41")
        yield Engine(api), held
        held.set()
        api.close()
        server.shutdown()


def test_what_a_command_wrote_at_once_is_not_lost_with_the_engines_answer(quick):
    engine, held = quick
    held.set()
    pieces = []
    assert engine.stream("box", ["true"], lambda kind, piece: pieces.append((kind, piece))) == 3
    assert pieces == [(1, b"a secret's placeholder\n"), (2, b"and a complaint\n")]


def test_a_command_that_falls_silent_is_left_after_its_wait(quick):
    engine, _ = quick
    pieces = []
    with pytest.raises(CannotTell, match="the engine refused: timed out"):
        engine.stream("box", ["true"], lambda kind, piece: pieces.append(piece), silence=0.3)
    assert pieces == [b"a secret's placeholder\n", b"and a complaint\n"]
