"""Real clients, unchanged, in a real sandbox: what they say, and what the far end saw of their keys."""

import functools
import json
from collections import Counter

import pytest

from hostkit.secrets.placeholders import placeholder, shape
from tests.e2e.conftest import Cli
from tests.e2e.second_engine import FIRST
from tests.lookalikes import build, names
from tests.lookalikes.container import Internet, docker
from tests.machines.machine import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("clients"), pytest.mark.timeout(600)]

NAME = "e2e-clients"
KEYS = {
    "bot": names.BOT,
    "app": names.APP,
    "anthropic": names.ANTHROPIC_KEY,
    "openai": names.OPENAI_KEY,
    "gh": names.GITHUB_TOKEN,
    "echo": "echo-real-lookalike-1",
}
VARIABLES = {
    "SLACK_BOT_TOKEN": "bot",
    "SLACK_APP_TOKEN": "app",
    "ANTHROPIC_API_KEY": "anthropic",
    "OPENAI_API_KEY": "openai",
    "GITHUB_TOKEN": "gh",
    "TOKEN": "echo",
}
POLICY = """\
version: 1
host: {{resolvers: [{resolver}], profile: solo, pool: 10.231.96.0/20}}
clients:
  {name}:
    agreement: {{permitted: true, document: one.pdf, expires: 2099-01-01}}
    trust: contributor
    agent: {{image: "{image}", command: [sleep, infinity]}}
    services:
      slack: {{secret: bot, app_secret: app, team: T0REAL0001, channels: [C0REAL0001], {common}}}
      anthropic: {{secret: anthropic, organization: 5e000000-0000-4000-8000-000000000001, {common}}}
      openai: {{secret: openai, models: [gpt-look], organization: org-real0001, {common}}}
      github: {{secret: gh, owner: acme, repositories: [widgets], {common}}}
      python: {{kind: generic, hosts: [python.registry.example], {common}}}
      node: {{kind: generic, hosts: [node.registry.example], {common}}}
      echo: {{kind: generic, hosts: [echo.example], secret: echo, place: "header:authorization=Bearer {{}}",
             methods: [GET, HEAD, POST], sockets: [/socket], {common}}}
    secrets:
{secrets}
"""


class House:
    """A client with every service, its gateway joined to the look-alikes."""

    def __init__(self, folder, net):
        self.folder, self.net = folder, net
        (folder / "ca.pem").write_text(net.authority)
        for name, value in KEYS.items():
            (folder / name).write_text(value)
            (folder / name).chmod(0o600)
        self.policy = folder / "hostkit.yml"
        self.policy.write_text(self.text())
        self.cli = Cli(self.policy, folder / "state", FIRST)

    def text(self, **changes):
        secrets = "\n".join(f'      {name}: {{source: "file:{self.folder}/{name}"}}' for name in KEYS)
        common = f"networks: [203.0.113.32/28], ca: {self.folder}/ca.pem"
        words = {"name": NAME, "resolver": self.net.address, "image": build.clients(), "common": common, **changes}
        return POLICY.format(secrets=secrets, **words)

    def launch(self):
        done = self.cli("launch", NAME, timeout=120)
        assert done.returncode == 0, done.stderr
        docker("network", "connect", self.net.name, f"hostkit-{NAME}-gateway", check=False)

    def run(self, *words, **environment):
        """Run a client in the sandbox, its keys what the agent was given; return its last line as JSON."""
        given = [f"{variable}=$(cat /run/secrets/{name})" for variable, name in VARIABLES.items()]
        given += [f"{variable}={value}" for variable, value in environment.items()]
        script = f"cd /tmp; export {' '.join(given)}; exec {' '.join(words)}"
        said = self.cli("exec", NAME, "--", "sh", "-c", script, timeout=120)
        return json.loads(said.stdout.splitlines()[-1]) if said.stdout.strip() else said.stderr

    def held(self, name):
        said = self.cli("exec", NAME, "--", "cat", f"/run/secrets/{name}")
        assert said.stdout, said.stderr
        return said.stdout

    @functools.cached_property
    def placeholders(self):
        return {name: self.held(name) for name in KEYS}

    @functools.cached_property
    def gateway(self):
        return self.cli("exec", NAME, "--", "sh", "-c", "echo $HTTPS_PROXY").stdout.strip()[7:].partition(":")[0]

    def records(self):
        said = docker("exec", f"hostkit-{NAME}-gateway", "cat", "/records/requests.jsonl")
        return [json.loads(line) for line in said.splitlines()]

    def denied(self):
        return [line["rule"] for line in self.records() if line["event"] == "denied"]


@pytest.fixture(scope="module")
def house(tmp_path_factory, _first_engine):
    folder = tmp_path_factory.mktemp("clients")
    with Internet() as net:
        made = House(folder, net)
        made.launch()
        yield made
        made.cli("remove", NAME, "--yes", timeout=120)
        docker("volume", "rm", f"hostkit-{NAME}-records", check=False)


OPT = "/opt/clients"
WORDS = "You said: how many orders? "
CLIENTS = {
    "slack_sdk": (("python3", f"{OPT}/slack_web.py"), {"team": "T0REAL0001", "stream": True}),
    "slack_sdk socket mode": (("python3", f"{OPT}/slack_socket.py"), {"team": "T0REAL0001", "events": 2}),
    "slack_sdk files": (("python3", f"{OPT}/slack_files.py"), {"size": 12}),
    "anthropic": (("python3", f"{OPT}/anthropic_stream.py"), {"text": WORDS, "streamed": WORDS, "tokens": [11, 7]}),
    "openai": (("python3", f"{OPT}/openai_stream.py"), {"text": WORDS, "streamed": WORDS, "response_streamed": WORDS}),
    "requests": (("python3", f"{OPT}/requests_get.py"), {"status": [200, 200]}),
    "httpx": (("python3", f"{OPT}/httpx_get.py"), {"status": [200, 200]}),
    "aiohttp, which goes round the proxy": (("python3", f"{OPT}/aiohttp_get.py"), {"status": [200, 200]}),
    "urllib3, which goes round it too": (("python3", f"{OPT}/urllib3_get.py"), {"status": [200, 200]}),
    "websocket-client": (("python3", f"{OPT}/websocket_echo.py"), {"long": 100000, "octets": [0, 1, 2]}),
    "curl": (("sh", f"{OPT}/curl.sh"), {"events": 3}),
    "git": (("sh", f"{OPT}/git_clone.sh"), {"cloned": "# acme/widgets", "pushed": "yes"}),
    "pip": (("sh", f"{OPT}/pip_install.sh"), {"word": "installed through the gateway"}),
    "npm": (("sh", f"{OPT}/npm_install.sh"), {"word": "installed through the gateway"}),
    "node": (("node", f"{OPT}/node_fetch.mjs"), {"version": "v24.21.0"}),
    "java": (("java", f"{OPT}/HttpGet.java"), {"status": [200, 200]}),
}


@pytest.mark.parametrize(("words", "wanted"), CLIENTS.values(), ids=CLIENTS)
def test_a_real_client_works_unchanged_and_its_key_is_the_gateways_alone(house, words, wanted):
    house.net.seen("DELETE")
    said = house.run(*words)
    assert {key: said.get(key) for key in wanted} == wanted, said
    seen = json.dumps(house.net.seen())
    assert not [name for name, text in house.placeholders.items() if text in seen]
    assert not [name for name, value in KEYS.items() if value in json.dumps(said)]


def test_none_of_it_is_in_a_record(house):
    records = json.dumps(house.records())
    assert not [name for name, value in KEYS.items() if value in records]
    assert not [name for name, text in house.placeholders.items() if text in records]


def test_each_request_has_its_two_records_and_none_was_denied(house):
    events = Counter((line["id"], line["event"]) for line in house.records() if line["kind"] in {"request", "verify"})
    assert set(events.values()) == {1}
    assert {key for key, event in events if event == "intent"} == {key for key, event in events if event == "outcome"}


def test_a_model_answers_by_its_plain_base_url_to_a_client_that_trusts_no_authority(house):
    at = f"http://{house.gateway}/anthropic"
    said = house.run("env", "-u", "SSL_CERT_FILE", *CLIENTS["anthropic"][0], ANTHROPIC_BASE_URL=at)
    assert (said["text"], said["streamed"]) == (WORDS, WORDS)


STRANGERS = {
    "a key of the agent's own": ("sk-ant-other-lookalike-2", "foreign-credential"),
    "a placeholder of another client": (placeholder(shape("sk-ant-"), "globex"), "other-client"),
    "a placeholder of an earlier launch": (placeholder(shape("sk-ant-"), NAME), "stale-placeholder"),
}


@pytest.mark.parametrize(("key", "rule"), STRANGERS.values(), ids=STRANGERS)
def test_a_key_that_is_not_its_placeholder_gets_nobody_anywhere(house, key, rule):
    house.net.seen("DELETE")
    said = house.run("env", f"ANTHROPIC_API_KEY={key}", "python3", f"{OPT}/anthropic_stream.py")
    assert "error" in said
    assert rule in house.denied()
    assert not [line for line in house.net.seen() if line.get("host") == names.ANTHROPIC]


def test_a_rotated_key_is_used_without_a_restart_and_the_agent_keeps_its_placeholder(house):
    before = docker("inspect", "-f", "{{.State.StartedAt}}", f"hostkit-{NAME}-agent", f"hostkit-{NAME}-gateway")
    (house.folder / "openai").write_text(names.OTHER_OPENAI_KEY)
    house.policy.write_text(house.text().replace("org-real0001", "org-other002"))
    house.launch()
    said = house.run(*CLIENTS["openai"][0])
    assert (said.get("organisation"), house.held("openai")) == ("org-other002", house.placeholders["openai"])
    after = docker("inspect", "-f", "{{.State.StartedAt}}", f"hostkit-{NAME}-agent", f"hostkit-{NAME}-gateway")
    assert before == after
    (house.folder / "openai").write_text(names.OPENAI_KEY)
    house.policy.write_text(house.text())
    house.launch()
    assert house.run(*CLIENTS["openai"][0])["organisation"] == "org-real0001"


def test_a_key_of_another_account_than_the_policys_is_good_for_nothing(house):
    (house.folder / "bot").write_text(names.OTHER_BOT)
    house.launch()
    house.net.seen("DELETE")
    said = house.run(*CLIENTS["slack_sdk"][0])
    assert "error" in said
    assert "wrong-account" in house.denied()
    assert {line["path"] for line in house.net.seen() if line.get("host") == names.SLACK} == {"/api/auth.test"}
    (house.folder / "bot").write_text(names.BOT)
    house.launch()
    assert house.run(*CLIENTS["slack_sdk"][0])["team"] == "T0REAL0001"


def test_the_kill_switch_stops_all_of_it_by_command_and_by_signal_until_it_is_set_back(house):
    for stop in (
        lambda: house.cli("gateway", "stop", NAME),
        lambda: docker("kill", "--signal", "USR1", f"hostkit-{NAME}-gateway"),
    ):
        stop()
        wait_for(lambda: "stopped by" in house.cli("ps").stdout, 10)
        assert "error" in house.run(*CLIENTS["slack_sdk"][0])
        assert house.cli("gateway", "go", NAME).stdout == f"{NAME}: going\n"
        assert house.run(*CLIENTS["slack_sdk"][0])["team"] == "T0REAL0001"


def test_a_renewal_shows_the_agent_a_fresh_leaf_without_a_restart_or_a_secret(house):
    (house.folder / "bot").rename(house.folder / "bot-is-away")
    shown = "import ssl, zlib; print(zlib.crc32(ssl.get_server_certificate(('slack.com', 443)).encode()))"
    before = house.cli("exec", NAME, "--", "python3", "-c", shown).stdout
    assert house.cli("gateway", "renew", NAME).stdout == f"{NAME}: renewed\n"
    after = house.cli("exec", NAME, "--", "python3", "-c", shown).stdout
    assert len({before, after, ""}) == 3
    assert house.run(*CLIENTS["slack_sdk"][0])["team"] == "T0REAL0001"
    (house.folder / "bot-is-away").rename(house.folder / "bot")


def test_a_gateway_that_was_killed_stays_closed_until_its_client_is_launched_again(house):
    docker("kill", f"hostkit-{NAME}-gateway")
    docker("start", f"hostkit-{NAME}-gateway")
    wait_for(lambda: "vault" in house.cli("ps").stdout, 10)
    assert "error" in house.run(*CLIENTS["slack_sdk"][0])
    house.launch()
    assert house.run(*CLIENTS["slack_sdk"][0])["team"] == "T0REAL0001"


def test_records_are_judged_by_another_policy_before_it_is_the_policy(house):
    records = house.folder / "requests.jsonl"
    docker("cp", f"hostkit-{NAME}-gateway:/records/requests.jsonl", str(records))
    same = house.cli("gateway", "test", str(records), "--client", NAME)
    assert (same.returncode, ", 0 kinds of request would end otherwise" in same.stdout) == (0, True), same.stdout
    narrower = house.folder / "narrower.yml"
    fewer = house.text().replace("trust: contributor", "trust: observer").replace("methods: [GET, HEAD, POST], ", "")
    narrower.write_text(fewer)
    said = Cli(narrower, house.folder / "state", FIRST)("gateway", "test", str(records), "--client", NAME)
    assert "POST slack.com/api/chat.postMessage  would be denied (path-not-listed)" in said.stdout
    wrong = house.cli("gateway", "test", str(house.folder / "none"), "--client", NAME)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
