"""A placeholder that turns up in another client's sandbox: nobody gets anywhere with it, and both owners are told."""

import json

import pytest

from tests.e2e.conftest import Cli

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

NAMES = ("e2e-drill-x", "e2e-drill-y")
POLICY = """\
version: 1
host: {{resolvers: [198.51.100.53], profile: solo, pool: 10.231.112.0/20}}
clients:
"""
CLIENT = """\
  {name}:
    agreement: {{permitted: true, document: one.pdf, expires: 2099-01-01}}
    trust: contributor
    agent: {{preset: shell}}
    services:
      echo: {{kind: generic, hosts: [echo.example], secret: echo, place: "header:authorization=Bearer {{}}",
             methods: [GET]}}
    secrets: {{echo: {{source: "file:{folder}/{name}"}}}}
"""
ASK = """\
import sys, urllib.error, urllib.request
asked = urllib.request.Request("https://echo.example/", headers={"Authorization": "Bearer " + sys.argv[1]})
try:
    print(urllib.request.urlopen(asked).status)
except urllib.error.HTTPError as why:
    print(why.code, why.read().decode())
"""


@pytest.fixture
def two(engine, tmp_path):
    text = POLICY.format()
    for name in NAMES:
        (tmp_path / name).write_text(f"a-key-of-{name}")
        (tmp_path / name).chmod(0o600)
        text += CLIENT.format(name=name, folder=tmp_path)
    policy = tmp_path / "hostkit.yml"
    policy.write_text(text)
    cli = Cli(policy, tmp_path / "state", engine)
    yield cli
    for name in NAMES:
        cli("remove", name, "--yes")
        cli.docker("volume", "rm", "-f", f"hostkit-{name}-records")


def alarms(cli):
    rows = json.loads(cli("ps", "--json").stdout)
    return {row["client"]: row["alarms"] for row in rows if row["client"] in NAMES}


def test_another_clients_placeholder_is_denied_and_an_alarm_at_both(two):
    for name in NAMES:
        done = two("launch", name)
        assert done.returncode == 0, done.stderr
    assert alarms(two) == {name: [] for name in NAMES}
    held = two("exec", NAMES[1], "--", "cat", "/run/secrets/echo").stdout
    said = two("exec", NAMES[0], "--", "python3", "-c", ASK, held)
    assert said.stdout.startswith("403"), said
    assert json.loads(said.stdout.partition(" ")[2])["rule"] == "other-client"
    here, there = (alarms(two)[name] for name in NAMES)
    assert [one.partition(" (")[0] for one in here] == [
        f"other-client: the placeholder of {NAMES[1]} was used in this sandbox"
    ]
    assert [one.partition(" (")[0] for one in there] == [
        f"other-client: this client's placeholder was used in the sandbox of {NAMES[0]}"
    ]
    assert f"  alarm: other-client: the placeholder of {NAMES[1]}" in two("ps").stdout
