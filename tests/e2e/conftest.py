"""A real engine, a state directory of the test's own, and clients that are gone afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machines.fixtures import pytest_collection_modifyitems, systemd_machine, vm_machine  # noqa: F401

POLICY = """\
version: 1
host: {{resolvers: [198.51.100.53], profile: solo, pool: 10.231.64.0/20}}
clients:
  e2e-one:
    agreement: {{permitted: true, document: one.pdf, expires: 2099-01-01}}
    trust: analyst
    agent: {{preset: shell}}
    egress: [{{name: listed.example}}, {{name: db.example, raw: 5432}}]
    secrets: {{token: {{source: "file:{secret}"}}}}
  e2e-two:
    agreement: {{permitted: true, document: two.pdf, expires: 2099-01-01}}
    trust: observer
    agent: {{preset: shell}}
  e2e-expired:
    agreement: {{permitted: true, document: old.pdf, expires: 2020-01-01}}
    trust: observer
    agent: {{preset: shell}}
  e2e-no-image:
    agreement: {{permitted: true, document: x.pdf, expires: 2099-01-01}}
    trust: observer
    agent: {{image: "nothing/here:1"}}
"""


class Cli:
    """The command line as a user has it, in a process of its own."""

    def __init__(self, policy: Path, state: Path):
        self.policy = policy
        self.environment = {**os.environ, "HOSTKIT_STATE": str(state)}

    def __call__(self, *words, **more):
        command = [sys.executable, "-m", "hostkit", "--policy", str(self.policy), *words]
        environment = {**self.environment, **more}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


def docker(*words):
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="session")
def _engine():
    try:
        answered = docker("info", "--format", "{{.ServerVersion}}")
        why = answered.stderr
    except OSError as error:
        answered, why = None, str(error)
    if answered is None or answered.returncode:
        reason = f"no Docker engine: {why}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def hostkit(_engine, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("a-value-of-the-test\n")
    secret.chmod(0o600)
    policy = tmp_path / "hostkit.yml"
    policy.write_text(POLICY.format(secret=secret))
    cli = Cli(policy, tmp_path / "state")
    yield cli
    for client in ("e2e-one", "e2e-two"):
        cli("remove", client, "--yes")
        docker("volume", "rm", "-f", f"hostkit-{client}-records")
