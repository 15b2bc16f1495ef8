"""Strangers' containers on a real engine: each control fails on its own fault, names the container, passes after."""

import contextlib
import json
import uuid

import pytest

from hostkit.launch.parts import probe_image

pytestmark = pytest.mark.docker
LABEL = "hostkit.test=strangers"
PASSWORD = uuid.uuid5(uuid.NAMESPACE_DNS, "strangers").hex
HARD = {
    "user": ("--user", "4242:4242"),
    "capabilities": ("--cap-drop", "ALL"),
    "escalation": ("--security-opt", "no-new-privileges"),
    "readonly": ("--read-only",),
    "memory": ("--memory", "64m"),
    "rest": ("--pids-limit", "64", "--cpus", "1"),
    "network": ("--network", "none"),
}
"""What a stranger runs with of whom nothing is found; a case replaces one of it, or adds to it."""
CASES = [
    ("privileged", {"capabilities": ("--privileged",)}, "privileged"),
    ("privileged", {"escalation": ("--security-opt", "systempaths=unconfined")}, "are not masked"),
    ("capabilities", {"capabilities": ("--cap-drop", "ALL", "--cap-add", "SYS_PTRACE")}, "capability SYS_PTRACE"),
    ("dropped", {"capabilities": ()}, "keeps 14 capabilities"),
    ("namespaces", {"network": ("--network", "host")}, "the host's network"),
    ("namespaces", {"more": ("--pid", "host")}, "the host's pid"),
    ("namespaces", {"more": ("--uts", "host", "--ipc", "host")}, "the host's ipc, the host's uts"),
    ("mounts", {"more": ("--volume", "/etc:/host:ro")}, "/etc of the host, to read"),
    ("mounts", {"more": ("--volume", "{volume}:/host")}, "/etc of the host"),
    ("binds", {"more": ("--volume", "{folder}:/host")}, "{folder} of the host"),
    ("socket", {"more": ("--volume", "/var/run/docker.sock:/engine.sock:ro")}, "/run/docker.sock of the host"),
    ("socket", {"more": ("--volume", "/run:/host:ro")}, "/run of the host"),
    ("devices", {"more": ("--device", "/dev/kmsg")}, "/dev/kmsg"),
    ("users", {"user": ()}, "runs as the host's root"),
    ("seccomp", {"more": ("--security-opt", "seccomp=unconfined")}, "no filter of system calls"),
    ("escalation", {"escalation": ()}, "may gain privileges"),
    ("readonly", {"readonly": ()}, "can be written"),
    ("limits", {"memory": ()}, "no limit of memory"),
    ("secrets-containers", {"more": ("--env", "PGPASSWORD={password}")}, "a password in its environment"),
]


@contextlib.contextmanager
def stranger(docker, changed, image=None, command=("sleep", "600"), prefix="hkstranger"):
    """Run a stranger's container; skip if this engine refuses what the case asks for."""
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    words = [word for part in {**HARD, **changed}.values() for word in part]
    made = docker("run", "-d", "--name", name, "--label", LABEL, *words, image or probe_image(), *command)
    try:
        if made.returncode:
            pytest.skip(f"this engine refuses it: {made.stderr.strip()[-200:]}")
        yield name
    finally:
        docker("rm", "-f", name)


def asked(hostkit, *checks):
    """Return what each of these checks says now."""
    said = hostkit("check", "--json", *(word for check in checks for word in ("--only", check)))
    return {entry["id"]: entry for entry in json.loads(said.stdout)["results"]}


@pytest.fixture
def volume(hostkit):
    """A volume that is a folder of the host by another name."""
    name = f"hkstranger-{uuid.uuid4().hex[:8]}"
    options = ("--opt", "type=none", "--opt", "o=bind", "--opt", "device=/etc")
    assert hostkit.docker("volume", "create", "--label", LABEL, *options, name).returncode == 0
    yield name
    hostkit.docker("volume", "rm", "-f", name)


@pytest.mark.parametrize(
    ("control", "changed", "word"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_control_fails_on_a_stranger_and_passes_when_it_is_gone(hostkit, volume, tmp_path, control, changed, word):
    places = {"volume": volume, "folder": tmp_path, "password": PASSWORD}
    check = control if "-" in control else f"containers-{control}"
    filled = {key: tuple(part.format(**places) for part in parts) for key, parts in changed.items()}
    with stranger(hostkit.docker, filled) as name:
        broken = asked(hostkit, check)[check]
    mended = asked(hostkit, check)[check]
    print(f"| {check} | {' '.join(sum(filled.values(), ()))[:70]} | {broken['detail'][:120]} |")  # noqa: T201 - the table of the note
    assert broken["status"] == "fail"
    assert f"{name}: " in broken["detail"]
    assert word.format(**places) in broken["detail"].partition(f"{name}: ")[2]
    assert name not in mended["detail"]
    assert mended["status"] != "unknown"


def test_nothing_is_found_of_a_stranger_that_has_every_wall(hostkit):
    with stranger(hostkit.docker, {}) as name:
        found = asked(hostkit, "containers", "agents-containers", "agents-processes")
    told = {check: entry["detail"] for check, entry in found.items() if name in entry["detail"]}
    assert told == {}
    assert {entry["status"] for entry in found.values()} <= {"ok", "fail", "skip"}


def test_an_agent_in_a_strangers_container_is_found_as_process_and_as_container(hostkit):
    with stranger(hostkit.docker, {}, command=("bash", "-c", "exec -a openclaw sleep 600")) as name:
        found = asked(hostkit, "agents-processes")["agents-processes"]
    assert (found["status"], f"in {name}" in found["detail"]) == ("fail", True), found
    with stranger(hostkit.docker, {}, command=("sleep", "600"), prefix="hkagent") as name:
        assert name not in asked(hostkit, "agents-processes")["agents-processes"]["detail"]


def test_a_container_of_an_agents_image_is_found_though_it_runs_something_else(hostkit):
    image = f"strangers.example/openclaw:{uuid.uuid4().hex[:8]}"
    hostkit.docker("tag", probe_image(), image)
    try:
        with stranger(hostkit.docker, {}, image) as name:
            found = asked(hostkit, "agents-containers")["agents-containers"]
        after = asked(hostkit, "agents-containers")["agents-containers"]
    finally:
        hostkit.docker("rmi", image)
    assert f"{name}: OpenClaw, running" in found["detail"]
    assert name not in after["detail"]


def test_a_sandbox_is_as_planned_until_a_stranger_joins_it(hostkit):
    launched = hostkit("launch", "e2e-one")
    assert launched.returncode == 0, launched.stderr
    ours = ("sandboxes-walls", "sandboxes-images", "sandboxes-networks", "containers-namespaces")
    before = asked(hostkit, *ours)
    assert {check: entry["detail"] for check, entry in before.items() if "e2e-one" in entry["detail"]} == {}
    agent = hostkit.docker("inspect", "--format", "{{.Id}}", "hostkit-e2e-one-agent").stdout.strip()
    with stranger(hostkit.docker, {"network": ("--network", f"container:{agent}")}) as name:
        joined = asked(hostkit, *ours)["containers-namespaces"]
    assert f"{name}: hostkit-e2e-one-agent's network" in joined["detail"]
    with stranger(hostkit.docker, {"network": ("--network", "hostkit-e2e-one-in")}) as name:
        beside = asked(hostkit, *ours)["sandboxes-networks"]
    assert f"{name}: on hostkit-e2e-one-in" in beside["detail"]
    hostkit.docker("network", "connect", "bridge", "hostkit-e2e-one-agent")
    assert "hostkit-e2e-one-agent: on bridge" in asked(hostkit, *ours)["sandboxes-networks"]["detail"]
    hostkit.docker("network", "disconnect", "-f", "bridge", "hostkit-e2e-one-agent")
    after = asked(hostkit, *ours)
    assert {check: entry["detail"] for check, entry in after.items() if "e2e-one" in entry["detail"]} == {}


def test_a_part_of_a_sandbox_that_hostkit_never_made_is_told_by_its_walls_and_its_image(hostkit):
    labels = ("--label", "hostkit.client=e2e-forged", "--label", "hostkit.part=agent")
    forged = hostkit.docker("run", "-d", "--name", "hostkit-e2e-forged-agent", *labels, probe_image(), "sleep", "600")
    try:
        found = asked(hostkit, "sandboxes-walls", "sandboxes-images")
    finally:
        hostkit.docker("rm", "-f", "hostkit-e2e-forged-agent")
    assert forged.returncode == 0, forged.stderr
    assert "hostkit-e2e-forged-agent: " in found["sandboxes-walls"]["detail"]
    assert "hostkit-e2e-forged-agent: hostkit does not remember" in found["sandboxes-images"]["detail"]
