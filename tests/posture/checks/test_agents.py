import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Process
from hostkit.posture.checks import agents as subject
from hostkit.posture.known import agent_of, image_of, line_of
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
DEAF = CannotTell("the engine does not answer")
INIT = Process(1, 0, "init", ("init",), 0)
CLAW = Process(40, 1, "node", ("node", "/usr/lib/node_modules/openclaw/dist/index.js", "gateway"), 1000)
HERE, THERE, OWN = "pid:[1]", "pid:[2]", "pid:[3]"
STATE, SERVICES = subject.no_agent_left_its_folder, subject.no_service_starts_an_agent
PROCESSES, CONTAINERS = subject.no_agent_runs_outside_a_sandbox, subject.no_agent_has_a_container_of_its_own


def spaces(**of):
    return {f"/proc/{pid.removeprefix('p')}/ns/pid": space for pid, space in {"p1": HERE, **of}.items()}


def box(name, pid=0, image="tool:1", path="sleep", client=""):
    labels = {"hostkit.client": client, "hostkit.part": "agent"} if client else {}
    config = {"Image": image, "Labels": labels}
    return {"Name": "/" + name, "State": {"Pid": pid, "Status": "running"}, "Config": config, "Path": path, "Args": []}


OURS = {"containers": [box("hostkit-acme-agent", 50, client="acme")]}
THEIRS = {"containers": [box("box", 50)]}
SHARED = {"containers": [box("hostkit-acme-agent", 50, client="acme")]}


def runs(*processes, links=None, **more):
    return FakeHost(processes=(INIT, *processes), links=links if links is not None else spaces(p40=HERE), **more)


def home(*paths, files=None, root=True, links=None):
    """Return a host with one home, in which these folders and files are."""
    folders = {f"/home/ann{path}": FileFacts(0o755, 1000, 1000, "directory") for path in ("", *paths)}
    known = {"/etc/passwd": "ann:x:1000:1000::/home/ann:/bin/sh\n", **(files or {})}
    return FakeHost(files=known, facts=folders, root=root, links=links or {})


UNIT = "/etc/systemd/system/"
MINE = "/home/ann/.config/systemd/user/"


def starts(path, text):
    return home(files={path: text})


class Mac(FakeHost):
    def __init__(self, **more):
        super().__init__(platform="darwin", **more)


CASES = [
    (PROCESSES, runs(), P, "ok", "no known agent runs"),
    (PROCESSES, runs(CLAW), P, "fail", "OpenClaw (pid 40, uid 1000) on the host"),
    (PROCESSES, runs(CLAW, links=spaces(p40=THERE, p50=THERE)), P, "ok", "but in a sandbox", OURS),
    (PROCESSES, runs(CLAW, links=spaces(p40=THERE, p50=THERE)), P, "fail", "in box", THEIRS),
    (PROCESSES, runs(CLAW, links=spaces(p40=OWN, p50=THERE)), P, "fail", "a namespace of its own", OURS),
    (PROCESSES, runs(CLAW, links=spaces(p40=HERE, p50=HERE)), P, "fail", "on the host", SHARED),
    (PROCESSES, runs(CLAW, links=spaces()), P, "ok", "but in a sandbox"),
    (PROCESSES, runs(CLAW), P, "unknown", "does not answer", {"containers": DEAF}),
    (PROCESSES, FakeHost(processes=(CLAW,)), P, "unknown", "hidden"),
    (PROCESSES, Mac(processes=(INIT, CLAW)), P, "fail", "on this Mac"),
    (CONTAINERS, FakeHost(), P, "ok", "none", {"containers": [box("box")]}),
    (
        CONTAINERS,
        FakeHost(),
        P,
        "fail",
        "box: OpenClaw",
        {"containers": [box("box", image="ghcr.io/openclaw/openclaw:1")]},
    ),
    (CONTAINERS, FakeHost(), P, "fail", "box: Claude Code", {"containers": [box("box", path="claude")]}),
    (CONTAINERS, FakeHost(), P, "ok", "none", {"containers": [box("hostkit-a-agent", image="x/openclaw", client="a")]}),
    (CONTAINERS, FakeHost(), P, "unknown", "does not answer", {"containers": DEAF}),
    (STATE, home(), P, "ok", "1 homes"),
    (STATE, home("/.clawdbot"), P, "fail", "/home/ann/.clawdbot"),
    (STATE, home("/.claude", "/.config/goose"), P, "fail", "/home/ann/.config/goose"),
    (STATE, home(root=False), P, "unknown", "without root"),
    (SERVICES, home(), P, "ok", "none starts an agent"),
    (
        SERVICES,
        starts(UNIT + "x.service", "[Service]\nExecStart=-/opt/bin/openclaw gateway\n"),
        P,
        "fail",
        "x.service: OpenClaw",
    ),
    (SERVICES, starts(MINE + "moltbot-gateway.service", ""), P, "fail", "moltbot-gateway.service: OpenClaw"),
    (SERVICES, starts("/usr/lib/systemd/user/openclaw-gateway.service", ""), P, "fail", "OpenClaw"),
    (SERVICES, starts("/var/spool/cron/crontabs/ann", "*/5 * * * * claude -p do\n"), P, "fail", "crontabs/ann: Claude"),
    (SERVICES, starts("/etc/cron.d/x", "0 1 * * 1-5 ann cd /srv && aider --yes\n"), P, "fail", "cron.d/x: aider"),
    (
        SERVICES,
        starts(UNIT + "x.service", "Description=claude\nUser=claude\n# claude\nExecStart=/bin/vi /etc/codex"),
        P,
        "ok",
        "",
    ),
    (SERVICES, starts(UNIT + "x.service", "x" * 4_000_000 + "\nExecStart=claude"), P, "fail", "Claude Code"),
    (SERVICES, home(links={MINE + "x.service": "/dev/tcp"}), P, "ok", "none"),
    (SERVICES, home(root=False), P, "unknown", "without root"),
]
PRETEND = "cp /bin/sleep /usr/local/bin/openclaw"
GONE = "systemctl stop pretend 2>/dev/null || true; rm -rf /usr/local/bin/openclaw /root/.openclaw"
BROKEN = [
    Broken(PROCESSES, GONE, f"{PRETEND}; systemd-run --quiet --unit pretend /usr/local/bin/openclaw 600",
           "OpenClaw (pid "),
    Broken(STATE, "rm -rf /root/.openclaw", "install -d -m 700 /root/.openclaw", "/root/.openclaw"),
    Broken(SERVICES, "rm -f /etc/cron.d/pretend", "echo '@hourly root claude -p do' > /etc/cron.d/pretend",
           "/etc/cron.d/pretend: Claude Code"),
]  # fmt: skip


def test_a_service_that_is_too_large_to_be_one_is_not_read():
    large = FileFacts(0o644, 0, 0, "file", size=1_000_000)
    host = home(files={"/etc/passwd": ""})
    host.facts |= {UNIT + "x.service": large}
    with pytest.raises(CannotTell, match="1000000 bytes"):
        SERVICES(host, P)


@pytest.mark.parametrize(
    ("line", "agent"),
    [
        ("claude -p x", "Claude Code"),
        ("/usr/bin/python3.11 -m aider", "aider"),
        ("python3 /home/a/.local/bin/aider --yes", "aider"),
        ("npx @openai/codex", "Codex"),
        ("env A=1 gemini", "Gemini CLI"),
        ("node openclaw.mjs gateway", "OpenClaw"),
        ("/home/x/.local/share/cursor-agent/versions/1/node index.js", "Cursor Agent"),
        ("uvx openhands serve", "OpenHands"),
        ("goose session", "goose"),
        ("goose", "goose"),
        ("goose up", ""),
        ("vi claude", ""),
        ("grep -r codex .", ""),
        ("node server.js --name claude", ""),
        ("", ""),
    ],
)
def test_an_agent_is_known_by_what_is_run_not_by_what_it_is_given(line, agent):
    assert agent_of(tuple(line.split())) == agent


def test_a_long_command_line_is_read_in_its_first_words_only():
    assert not agent_of(("node", *["x" * 1_000_000] * 50, "claude"))


@pytest.mark.parametrize(
    ("image", "agent"),
    [
        ("ghcr.io/openclaw/openclaw:latest", "OpenClaw"),
        ("registry.example:5000/x/openclaw-cn@sha256:aa", "OpenClaw"),
        ("paulgauthier/aider-full", "aider"),
        ("docker.openhands.dev/openhands/runtime:0.61", "OpenHands"),
        ("block/goose", "goose"),
        ("x/goose", ""),
        ("debian:12", ""),
        ("hostkit/agent:1", ""),
    ],
)
def test_an_image_is_known_by_its_name_whoever_made_it(image, agent):
    assert image_of(image) == agent


def test_a_property_list_is_read_too():
    assert line_of("\t<string>/opt/homebrew/bin/openclaw</string>") == "OpenClaw"
    assert not line_of("\t<string>ai.example.notes</string>")
