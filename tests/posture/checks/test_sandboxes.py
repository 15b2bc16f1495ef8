import json
import time

from hostkit.host import FileFacts
from hostkit.posture.checks import sandboxes as subject
from tests.conftest import FakeHost, client, make_policy
from tests.posture.engines import DEAF, HOST, P, asked, bind, box, case, hard, ours

GATEWAY = [box("hostkit-acme-gateway", labels={"hostkit.client": "acme", "hostkit.part": "gateway"})]


def said(state="open", running=True, age=0.0, why=""):
    """Return how a gateway answers when it is asked: its age counts from then, not from when the cases were read."""
    status = {"StartedAt": "2026-01-01T00:00:00Z"} if running else {"Status": "exited"}
    return lambda: {"container": {"Running": running, **status}, "state": state, "why": why, "at": time.time() - age}


STATE = "/var/lib/hostkit/state.json"


def remembering(**entry):
    """Return a host whose state remembers acme."""
    return FakeHost(files={STATE: json.dumps({"version": 1, "clients": {"acme": entry}})})


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


FAULTS = [
    (subject.every_sandbox_has_its_walls, [ours(CapAdd=["NET_ADMIN"])], "acme-agent: capability NET_ADMIN"),
    (subject.every_sandbox_has_its_walls, [ours(user="0")], "runs as root"),
    (subject.every_sandbox_has_its_walls, [ours(SecurityOpt=["no-new-privileges"])], "not hostkit's filter"),
    (subject.every_sandbox_has_its_walls, [ours(mounts=[bind("/srv/x", RW=False)])], "/srv/x of the host"),
    (subject.sandboxes_run_what_was_planned, [ours()], "does not remember launching it"),
    (subject.networks_hold_who_they_were_made_for, [hard(networks=["hostkit-acme-in"])], "box: on hostkit-acme-in"),
    (subject.networks_hold_who_they_were_made_for, [ours(networks=["hostkit-acme-in", "bridge"])], "agent: on bridge"),
    (subject.networks_hold_who_they_were_made_for, [ours("gateway", networks=["hostkit-b-in"])], "on hostkit-b-in"),
]
HARMLESS = [
    (subject.networks_hold_who_they_were_made_for, [ours(), ours("gateway")], "2 containers"),
    (
        subject.networks_hold_who_they_were_made_for,
        [ours("drill", networks=["hostkit-acme-drill-far"])],
        "1 containers",
    ),
]
KEPT = {"agent": {"image": "sha256:aa"}, "gateway": {"image": "example.com/gateway@sha256:bb"}}
INNER = {"Name": "hostkit-acme-in", "Labels": {"hostkit.client": "acme"}, "Internal": False}
MOVING = make_policy(clients={"acme": {**client(), "agent": {"image": "example.com/agent:latest"}}})


CASES = [
    returns(AGENT, "ok", "1 clients, each enabled"),
    returns([], "ok", "0 clients"),
    returns([], "fail", "hostkit-client@.service is not there", FakeHost()),
    returns(AGENT, "fail", "hostkit-client@acme is not enabled", WITH_UNIT),
    returns(RESTARTED, "fail", "acme: the engine restarts its agent"),
    returns(DEAF, "unknown", "does not answer"),
    case(subject.networks_hold_who_they_were_made_for, [hard()], "ok", "1 containers"),
    case(subject.networks_hold_who_they_were_made_for, DEAF, "unknown", "does not answer"),
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
    *(case(check, document, "fail", word) for check, document, word in FAULTS),
    *(case(check, document, "ok", word) for check, document, word in HARMLESS),
    asked(subject.networks_hold_who_they_were_made_for, [], "fail", networks=[INNER]),
    asked(subject.networks_hold_who_they_were_made_for, [], "ok", networks=[{**INNER, "Internal": True}]),
    case(
        subject.sandboxes_run_what_was_planned,
        [ours(), ours("gateway", image=KEPT["gateway"]["image"])],
        "ok",
        "2 images",
        host=remembering(fixed=KEPT),
    ),
    case(
        subject.sandboxes_run_what_was_planned,
        [{**ours(), "Image": "sha256:bb"}],
        "fail",
        "runs sha256:bb, not sha256:aa",
        host=remembering(fixed=KEPT),
    ),
    (subject.sandboxes_run_what_was_planned, HOST, MOVING, "fail", "agent:latest is a tag that moves"),
    case(subject.every_sandbox_has_its_walls, [ours(), hard(Privileged=True)], "ok", "1 containers of ours"),
    case(subject.every_sandbox_has_its_walls, DEAF, "unknown", "does not answer"),
    case(subject.every_sandbox_has_its_walls, [ours("drill", Privileged=True)], "ok", "0 containers"),
    case(subject.sandboxes_run_what_was_planned, DEAF, "unknown", "does not answer"),
]
