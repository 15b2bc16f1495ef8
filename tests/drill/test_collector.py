import socket
import sys
from pathlib import Path

import pytest

from hostkit.drill import collector
from hostkit.drill.probes import network


@pytest.fixture
def listening(tmp_path):
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    seen = []
    made = collector.start({"addresses": ["127.0.0.1"], "port": port}, lambda *line: seen.append(line))
    yield str(port), seen
    for server in made:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("attempt", [network.raw_tcp.attempt, network.raw_udp.attempt])
def test_an_attempt_with_a_way_out_is_answered_and_logged(listening, attempt):
    port, seen = listening
    assert attempt("127.0.0.1", port, "hkmarker") == "answered"
    assert any(b"hkmarker" in data for _, _, data in seen)


@pytest.mark.parametrize("attempt", [network.raw_tcp.attempt, network.raw_udp.attempt])
def test_an_attempt_without_a_listener_says_unreachable(attempt):
    assert attempt("127.0.0.1", "1", "hkmarker") == "unreachable"


def test_the_dns_answer_names_the_address():
    query = b"\x10\x92\x01\0\0\1\0\0\0\0\0\0" + b"\4mark\7example\0" + b"\0\1\0\1"
    assert collector.dns_name(query) == b"mark.example"
    assert collector.dns_answer(query, "192.0.2.9").endswith(socket.inet_aton("192.0.2.9"))


def test_the_collector_imports_nothing_of_hostkit():
    with Path(collector.__file__).open() as source:
        assert "from hostkit" not in source.read()
    assert sys.modules["hostkit.drill.collector"] is collector
