"""The command line: bad input is one clear line, exit 2, and nothing done."""

import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from hostkit.cli import cli, main
from hostkit.errors import CannotTell
from hostkit.launch.state import State
from tests.policy.test_load import GOOD

WAIVED = """host:
  waive: {{{}: {{why: it is moved in spring, owner: ann, until: 2999-01-01}}}}
"""


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run hostkit in an empty folder and return (exit code, what it said on stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOSTKIT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        return ended.value.code, capsys.readouterr().err.strip()

    return run


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty; `hostkit init` writes a policy to start from"),
        (GOOD.replace("\n", "\r\n"), "Windows line ends (CRLF)"),
        (GOOD.replace("trust: analyst", "trust: analist"), ":7: clients.acme.trust: "),
        (GOOD + "---\n" + GOOD, "two documents in one file"),
        (GOOD.replace("  acme:", "  ../x:"), ":5: clients.../x: a client's name is lower-case letters"),
        (GOOD.replace("version: 1", f"version: {'9' * 5000}"), ":1: version: expected 1, not '999"),
        (
            GOOD.replace("host:\n", "host:\n  pool: 'fd00::/64'\n"),
            ":3: host.pool: fd00::/64 is no private IPv4",
        ),
        (GOOD.replace("host:\n", "host:\n  pool: 10.0.0.0/30\n"), "host.pool: 10.0.0.0/30 is no private IPv4"),
        (GOOD.replace("host:\n", "host:\n  pool: 8.8.0.0/16\n"), "host.pool: 8.8.0.0/16 is no private IPv4"),
        (GOOD.replace("  acme:", "  acme-drill:"), "a client's name does not end with -drill"),
        (GOOD.replace("  acme:", "  docker:"), "'docker' is a word of hostkit or Docker"),
        (GOOD.replace("host:\n", "host:\n  segment: wlan\n"), "host.segment: not yet: "),
        (GOOD.replace("host:\n", WAIVED.format("disk-swap")), "host.waive.disk-swap.until: 2999-01-01 is too far; "),
        (GOOD.replace("host:\n", WAIVED.format("disk-swamp")), "host.waive: no check is called 'disk-swamp'"),
    ],
)
def test_a_wrong_policy_is_one_line_with_its_place(refused, tmp_path, text, says):
    (tmp_path / "hostkit.yml").write_bytes(text.encode())
    code, said = refused("policy", "check")
    assert code == 2
    assert says in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("policy", "check"), "no such policy; run `hostkit init`", 2),
        (("--policy", "a", "--policy", "b", "ps"), "", 3),
        (("check", "--explain", "nothing"), "no check is called 'nothing'; hostkit check --list names them all", 2),
        (("gateway", "stop"), "which gateways?; name clients, or say --all", 2),
        (("gateway", "go", "acme", "--all"), "which gateways?; name clients, or say --all", 2),
        (("gateway", "stop", "acem"), "acem was never launched here; launched: none", 2),
        (("bootstrap", "--confirm", "--check"), "--confirm goes alone", 2),
        (("bootstrap", "--confirm", "--undo"), "--confirm goes alone", 2),
        (("bootstrap", "--confirm", "--confirm-from", "192.0.2.1"), "--confirm goes alone", 2),
        (("bootstrap", "--undo", "--diff"), "--undo takes only --check", 2),
        (("bootstrap", "--undo", "--only", "ssh"), "--undo takes only --check", 2),
        (
            ("check", "--inventory", "hosts.yml"),
            "hosts.yml: no such inventory; write one; an inventory is a mapping",
            2,
        ),
        (("--policy", "a", "check", "--inventory", "hosts.yml"), "each host goes by its own policy; leave --policy", 2),
        (("check", "--list", "--inventory", "hosts.yml"), "--inventory asks other hosts; leave it away", 2),
        (("bootstrap", "--inventory", "hosts.yml", "--undo"), "--confirm-from are for one host; with --inventory", 2),
        (("bootstrap", "--inventory", "hosts.yml", "--confirm"), "--confirm-from are for one host", 2),
        (("init", "--output", "there.yml"), "there.yml is there already; give another --output", 2),
        (("init", "--output", "no/such/folder.yml"), "no/such/folder.yml: No such file or directory", 2),
    ],
)
def test_a_wrong_call_is_one_line(refused, tmp_path, words, says, code):
    (tmp_path / "there.yml").write_text("mine")
    found, said = refused(*words)
    assert (found, says in said) == (code, True), said
    assert len(said.splitlines()) == 1
    assert (tmp_path / "there.yml").read_text() == "mine"


def test_two_policies_in_one_place_are_not_chosen_between(refused, tmp_path):
    for name in ("hostkit.yml", "hostkit.yaml"):
        (tmp_path / name).write_text(GOOD)
    code, said = refused("policy", "check")
    assert code == 2
    assert "two policies: " in said
    assert "say which with --policy FILE" in said


@pytest.mark.parametrize("name", ["../x", "docker", "ACME", ""])
def test_an_unknown_client_is_named_with_those_that_are_known(refused, tmp_path, name):
    (tmp_path / "hostkit.yml").write_text(GOOD)
    code, said = refused("stop", name)
    assert code == 2
    assert said == f"hostkit: unknown client {name!r}; clients in {tmp_path}/hostkit.yml: acme"


@pytest.mark.parametrize("text", ["version: [", GOOD.replace("  acme:", "  other:")])
@pytest.mark.parametrize("word", ["stop", "remove"])
def test_a_client_that_the_policy_forgot_can_still_be_stopped(refused, tmp_path, word, text):
    (tmp_path / "hostkit.yml").write_text(text)
    State(tmp_path / "state").update("acme", running=True)
    code, said = refused(word, "acme")
    assert (code, "the Docker engine does not answer" in said) == (3, True), said  # it got past the policy


def test_a_stop_is_kept_though_no_engine_answers(refused, tmp_path):
    State(tmp_path / "state").update("acme", running=True)
    code, said = refused("gateway", "stop", "--all")
    assert (code, "the Docker engine does not answer" in said) == (3, True), said
    assert State(tmp_path / "state").entry("acme")["stopped"] == "hostkit gateway stop"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "none.jsonl: No such file or directory; name a gateway's requests.jsonl"),
        ("", "none.jsonl: no record of acme; docker cp hostkit-acme-gateway:/records/requests.jsonl ."),
        ('{"client": "globex"}', "no record of acme"),
    ],
)
def test_what_holds_no_record_is_judged_by_nobody(refused, tmp_path, text, says):
    (tmp_path / "hostkit.yml").write_text(GOOD)
    if text is not None:
        (tmp_path / "none.jsonl").write_text(text)
    code, said = refused("gateway", "test", "none.jsonl", "--client", "acme")
    assert (code, says in said, len(said.splitlines())) == (2, True, 1), said


def test_a_slot_that_a_drill_borrowed_is_no_client(refused, tmp_path):
    (tmp_path / "hostkit.yml").write_text(GOOD)
    State(tmp_path / "state").update("acme/0", slot={})
    code, said = refused("stop", "acme/0")
    assert (code, "unknown client 'acme/0'" in said) == (2, True), said


def test_an_engine_that_is_down_cannot_tell(refused, tmp_path):
    (tmp_path / "hostkit.yml").write_text(GOOD)
    code, said = refused("plan", "acme")
    assert code == 3
    assert "the Docker engine does not answer" in said
    assert not (tmp_path / "state").exists()


def test_what_init_writes_passes_policy_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["init"]).output == "wrote hostkit.yml; add a client, then: hostkit policy check\n"
    assert "stands; clients: none yet" in CliRunner().invoke(cli, ["policy", "check"]).output


def test_check_as_json_has_an_answer_for_every_listed_reading(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOSTKIT_STATE", str(tmp_path / "state"))
    (tmp_path / "hostkit.yml").write_text(GOOD)
    listed = json.loads(CliRunner().invoke(cli, ["check", "--list", "--json"]).output)
    done = CliRunner().invoke(cli, ["check", "--json", "--skip", "probes,scans"])
    readings = {entry["id"] for entry in listed if entry["kind"] == "reading"}
    assert {entry["id"] for entry in json.loads(done.output)["results"]} == readings
    assert done.exit_code in {1, 3}


def test_help_loads_nothing_heavy():
    heavy = "docker ansible_runner pydantic yaml rich psutil loguru cryptography jinja2"
    source = f"import sys, hostkit.cli; print([m for m in {heavy.split()!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, env={**os.environ}, timeout=30
    )
    assert done.stdout == "[]\n"


ENDED = """
import os, time, click
from hostkit import cli
@cli.cli.command()
def half():
    try:
        os.kill(os.getpid(), {number})
        time.sleep(5)
    finally:
        os.kill(os.getpid(), {other})
        time.sleep(0.1)
        print("tidied up")
cli.main(["half"])
"""


@pytest.mark.parametrize(("number", "other"), [(signal.SIGTERM, 1), (signal.SIGHUP, 15), (signal.SIGINT, 15)])
def test_a_command_that_is_ended_half_way_tidies_up(number, other):
    source = ENDED.format(number=int(number), other=other)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (128 + number, "tidied up\n"), done.stderr


def test_a_gateway_that_cannot_be_renewed_keeps_no_other_from_it(tmp_path, monkeypatch):
    two = GOOD + GOOD[GOOD.index("  acme:") :].replace("  acme:", "  globex:").replace("ACME_TOKEN", "GLOBEX_TOKEN")
    (tmp_path / "hostkit.yml").write_text(two)
    monkeypatch.setenv("HOSTKIT_STATE", str(tmp_path / "state"))
    for name in ("acme", "globex"):
        State(tmp_path / "state").update(name, running=True)

    def renew(session, policy, name):
        if name == "acme":
            raise CannotTell("the gateway did not take the new rules")
        return True

    monkeypatch.setattr("hostkit.launch.gateways.renew", renew)
    monkeypatch.setattr(
        "hostkit.cli.gateways.open_session", lambda: SimpleNamespace(launched=lambda: ["acme", "globex"])
    )
    done = CliRunner().invoke(cli, ["--policy", str(tmp_path / "hostkit.yml"), "gateway", "renew", "--all"])
    assert (done.exit_code, "globex: renewed" in done.output) == (3, True), done.output
