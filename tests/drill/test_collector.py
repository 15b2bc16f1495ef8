import hashlib
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hostkit.drill import collector, service, witness
from hostkit.drill.model import collect_all
from hostkit.drill.probes import network
from hostkit.drill.wire import good, request


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


PAPERS = service.minted("acme", 1, datetime.now(UTC))
MARKER = "hk0123456789ab"
NAME = f"{witness.label(MARKER)}.{service.NAME}"
AT_THE_SERVICE = [
    probe
    for probe in collect_all()[0]
    if probe.group in {"requests", "credentials"} and {"rehearsal", "service"} <= set(probe.wants)
]


@pytest.fixture
def open_gateway(tmp_path):
    """A collector that plays the open gateway and the far end of the drill's service, and the targets of a twin."""
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for spare in (one, two, three):
            spare.bind(("127.0.0.1", 0))
        proxy, far, port = (spare.getsockname()[1] for spare in (one, two, three))
    (tmp_path / "leaf.pem").write_bytes(PAPERS.far)
    settings = {"addresses": ["127.0.0.1"], "port": port, "proxy": proxy, "upstream_port": port, "service_port": far}
    settings |= {"service": service.NAME, "leaf": str(tmp_path / "leaf.pem"), "elsewhere": "elsewhere.drill.invalid"}
    seen = []
    made = collector.start(settings, lambda *line: seen.append(line))
    targets = {"rehearsal": "127.0.0.1", "proxy_port": str(proxy), "service": NAME, "marker": MARKER}
    targets |= {"unlisted": f"{MARKER}.drill.invalid", "placeholder": PAPERS.key, "stranger": PAPERS.stranger}
    yield targets, seen
    for server in made:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("probe", AT_THE_SERVICE, ids=lambda probe: probe.id)
def test_an_open_gateway_carries_what_is_asked_of_the_service_and_the_far_end_sees_it(open_gateway, probe):
    targets, seen = open_gateway
    assert probe.attempt(**{name: targets[name] for name in probe.wants}) == probe.escaped
    until = time.monotonic() + 2  # its lines come behind its answers
    while not any(MARKER.encode() in data for _, _, data in seen):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_far_end_tells_the_key_that_it_was_shown_by_its_digest_alone(open_gateway):
    targets, seen = open_gateway
    head = f"GET /open/x HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {PAPERS.key}\r\n\r\n".encode()
    said = request("127.0.0.1", targets["proxy_port"], NAME, head)
    assert good(said)
    assert PAPERS.digest.encode() in said
    assert PAPERS.digest == hashlib.sha256(f"Bearer {PAPERS.key}".encode()).hexdigest()
    assert PAPERS.key.encode() not in said
    assert any(kind == "service" and data == head for kind, _, data in seen)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"GET /open/moved HTTP/1.1\r\n\r\n", b"302"),
        (b"GET /socket HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"101"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"200"),
    ],
)
def test_the_far_end_answers_whatever_reaches_it(told, status):
    assert collector.service_answer(told, "elsewhere.example")[9:12] == status


def test_each_request_in_a_row_is_answered():
    two = b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"
    assert collector.service_answer(two, "").count(b"HTTP/1.1 200") == 2
