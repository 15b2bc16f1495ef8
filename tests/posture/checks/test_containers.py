import json
import time

import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts
from hostkit.posture.checks import containers as subject
from tests.conftest import FakeHost, make_policy

P, HOST = make_policy(), FakeHost()
DEAF = CannotTell("the Docker engine does not answer")


def box(name="box", ports=None, labels=None, mounts=(), **config):
    return {
        "Name": "/" + name,
        "State": {"Running": True},
        "Config": {"Labels": labels},
        "HostConfig": config,
        "Mounts": list(mounts),
        "NetworkSettings": {"Ports": ports or {}},
    }


def bind(source):
    return {"Type": "bind", "Source": source}


def published(ip):
    return box(ports={"80/tcp": [{"HostIp": ip, "HostPort": "8080"}], "9/tcp": None})


GATEWAY = [box("hostkit-acme-gateway", labels={"hostkit.client": "acme", "hostkit.part": "gateway"})]


def said(state="open", running=True, age=0.0, why=""):
    """Return how a gateway answers when it is asked: its age counts from then, not from when the cases were read."""
    status = {"StartedAt": "2026-01-01T00:00:00Z"} if running else {"Status": "exited"}
    return lambda: {"container": {"Running": running, **status}, "state": state, "why": why, "at": time.time() - age}


STATE = "/var/lib/hostkit/state.json"


def remembering(**entry):
    """Return a host whose state remembers acme."""
    return FakeHost(files={STATE: json.dumps({"version": 1, "clients": {"acme": entry}})})


def case(check, documents, status, word, gateway=lambda: None, host=HOST):
    return (check, host, P, status, word, {"containers": documents, "gateway": gateway})


AGENT = [box("hostkit-acme-agent", labels={"hostkit.client": "acme", "hostkit.part": "agent"})]
UNITS = "/etc/systemd/system/"
WITH_UNIT = FakeHost(files={UNITS + "hostkit-client@.service": ""})
ENABLED = FakeHost(
    files=dict.fromkeys(
        [UNITS + "hostkit-client@.service", UNITS + "multi-user.target.wants/hostkit-client@acme.service"], ""
    )
)
RESTARTED = [{**AGENT[0], "HostConfig": {"RestartPolicy": {"Name": "always"}}}]


def returns(documents, status, word, host=ENABLED):
    return case(subject.sandboxes_come_back_through_their_launch, documents, status, word, host=host)


CASES = [
    returns(AGENT, "ok", "1 clients, each enabled"),
    returns([], "ok", "0 clients"),
    returns([], "fail", "hostkit-client@.service is not there", FakeHost()),
    returns(AGENT, "fail", "hostkit-client@acme is not enabled", WITH_UNIT),
    returns(RESTARTED, "fail", "acme: the engine restarts its agent"),
    returns(DEAF, "unknown", "does not answer"),
    case(subject.no_container_has_a_hand_on_the_host, [box(CapAdd=["NET_BIND_SERVICE"])], "ok", "1 running"),
    case(subject.no_container_has_a_hand_on_the_host, [], "ok", "0 running"),
    case(subject.no_container_has_a_hand_on_the_host, [box(Privileged=True)], "fail", "box: privileged"),
    case(subject.no_container_has_a_hand_on_the_host, [box(NetworkMode="host")], "fail", "the host's network"),
    case(subject.no_container_has_a_hand_on_the_host, [box(PidMode="host", IpcMode="host")], "fail", "the host's pid"),
    case(subject.no_container_has_a_hand_on_the_host, [box(CapAdd=["SYS_ADMIN"])], "fail", "capability SYS_ADMIN"),
    case(
        subject.no_container_has_a_hand_on_the_host,
        [box(mounts=[bind("/var/run/docker.sock")])],
        "fail",
        "/var/run/docker.sock of the host",
    ),
    case(subject.no_container_has_a_hand_on_the_host, DEAF, "unknown", "does not answer"),
    case(subject.no_container_publishes_a_port, [published("127.0.0.1"), published("::1")], "ok", "nothing published"),
    case(subject.no_container_publishes_a_port, [published("0.0.0.0")], "fail", "box: 80/tcp on 0.0.0.0"),
    case(subject.no_container_publishes_a_port, [published("")], "fail", "80/tcp on *"),
    case(subject.no_container_publishes_a_port, DEAF, "unknown", "does not answer"),
    case(subject.every_gateway_is_alive, GATEWAY, "ok", "1 gateways alive", said()),
    case(subject.every_gateway_is_alive, GATEWAY, "fail", "acme: its container is gone"),
    case(
        subject.every_gateway_is_alive,
        GATEWAY,
        "fail",
        "acme: not running (exited, ended",
        said(running=False),
    ),
    case(
        subject.every_gateway_is_alive,
        GATEWAY,
        "fail",
        "closed: rules.json is gone",
        said("closed", why="rules.json is gone"),
    ),
    case(subject.every_gateway_is_alive, GATEWAY, "fail", "has said nothing for 60 s", said(age=60)),
    case(subject.every_gateway_is_alive, GATEWAY, "unknown", "cannot be read", said("unknown", why="cannot be read")),
    (
        subject.every_gateway_is_alive,
        remembering(proved=1.0),
        P,
        "fail",
        "acme: restarted since its walls were proved",
        {"containers": GATEWAY, "gateway": said()},
    ),
    (
        subject.every_gateway_is_alive,
        remembering(running=True),
        P,
        "fail",
        "acme: its container is gone",
        {"containers": []},
    ),
    (
        subject.every_gateway_is_alive,
        FakeHost(facts={STATE: FileFacts(0o600, 0, 0, "file")}),
        P,
        "unknown",
        "state.json: not taught",
        {"containers": GATEWAY, "gateway": said()},
    ),
    case(subject.every_gateway_is_alive, DEAF, "unknown", "does not answer"),
]


@pytest.fixture(autouse=True)
def _nothing_else_is_asked(monkeypatch):
    monkeypatch.delenv("HOSTKIT_STATE", raising=False)
    monkeypatch.setattr("hostkit.engine.connect", lambda **_: pytest.fail("the real engine was asked"))
