import json
import time

from hostkit.host import Listener
from hostkit.posture.checks import egress as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
UNIT = "/etc/systemd/system/hostkit-gateway.service"
ENABLED = "/etc/systemd/system/multi-user.target.wants/hostkit-gateway.service"
STATUS = "/var/lib/hostkit/host-gateway/status.json"
LOOPBACK = (Listener("tcp", "127.0.0.1", 3128, "python3"),)


def said(**changes):
    return json.dumps({"at": time.time() + 3600, "state": "open", "why": "", "generation": 3, "denied": 7, **changes})


def host(status=None, *, listeners=LOOPBACK, root=True, without=()):
    files = {UNIT: "", ENABLED: "", STATUS: said() if status is None else status}
    return FakeHost(
        files={path: text for path, text in files.items() if path not in without}, root=root, listeners=listeners
    )


def apt(*lines):
    return FakeHost({("apt-config", "dump"): "".join(f"{line}\n" for line in lines)})


OURS = ('Acquire::http::Proxy "http://127.0.0.1:3128";', 'Acquire::https::Proxy "http://127.0.0.1:3128";')
gateway, asks = subject.the_hosts_gateway_stands, subject.apt_asks_the_gateway
CASES = [
    (gateway, host(), P, "ok", "open, generation 3, 7 denied"),
    (gateway, FakeHost(), P, "fail", "hostkit-gateway.service is not there"),
    (gateway, host(without=[ENABLED]), P, "fail", "not enabled"),
    (gateway, host(listeners=(Listener("udp", "127.0.0.1", 3128),)), P, "fail", "nobody listens on port 3128"),
    (gateway, host(listeners=(Listener("tcp", "::", 3128),)), P, "fail", "port 3128 is open on ::"),
    (gateway, host(said(state="closed", why="rules.json: not JSON")), P, "fail", "it is closed: rules.json: not JSON"),
    (gateway, host(said(at=time.time() - 60)), P, "fail", "it has said nothing for"),
    (gateway, host("{"), P, "fail", "it has said nothing of itself"),
    (gateway, host(without=[STATUS]), P, "fail", "it has said nothing of itself"),
    (gateway, host(root=False), P, "unknown", "without root"),
    (gateway, host(listeners=None), P, "unknown", "not taught"),
    (asks, apt(*OURS), P, "ok", "by http://127.0.0.1:3128"),
    (asks, apt('APT "";'), P, "fail", "Acquire::http::Proxy is not set, Acquire::https::Proxy is not set"),
    (asks, apt(OURS[0], 'Acquire::https::Proxy "DIRECT";'), P, "fail", "Acquire::https::Proxy is DIRECT"),
    (
        asks,
        apt(*OURS, 'Acquire::http::Proxy::mirror.example "DIRECT";'),
        P,
        "fail",
        "mirror.example goes by DIRECT",
    ),
    (asks, FakeHost(), P, "unknown", "not taught"),
]
