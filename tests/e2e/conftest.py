"""A real engine, a state directory of the test's own, and clients that are gone afterwards."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from hostkit.launch.parts import gateway_image, probe_image
from tests.e2e.second_engine import FIRST, Reach, second_engine
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
    """The command line as a user of one engine has it, in a process of its own."""

    def __init__(self, policy: Path, state: Path, engine: Reach):
        self.policy, self.state, self.engine = policy, state, engine

    def __call__(self, *words, **more):
        return self.engine.run(*self.command(*words), HOSTKIT_STATE=str(self.state), **more)

    def command(self, *words):
        return [sys.executable, "-m", "hostkit", "--policy", str(self.policy), *words]

    def docker(self, *words):
        return self.engine.run("docker", *words)


def _missing(reason):
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def _first_engine():
    try:
        answered = FIRST.run("docker", "info", "--format", "{{.ServerVersion}}")
    except OSError as why:
        _missing(f"no Docker engine: {why}")
    if answered.returncode:
        _missing(f"no Docker engine: {answered.stderr}")
    return FIRST


@pytest.fixture(scope="session")
def _second_engine(_first_engine):
    tools = [tool for tool in ("debootstrap", "nsenter", "setpriv", "unshare", "ip") if not shutil.which(tool)]
    if tools or os.geteuid():
        _missing(f"no second engine without {', '.join(tools) or 'root'}")
    with second_engine([gateway_image(), probe_image()]) as reach:
        yield reach


@pytest.fixture
def engine(request):
    """The engine of the test: the machine's own, or each one in turn under `both_engines`."""
    second = getattr(request, "param", FIRST.name) != FIRST.name
    return request.getfixturevalue("_second_engine" if second else "_first_engine")


@pytest.fixture
def hostkit(engine, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("a-value-of-the-test\n")
    secret.chmod(0o600)
    policy = tmp_path / "hostkit.yml"
    policy.write_text(POLICY.format(secret=secret))
    cli = Cli(policy, tmp_path / "state", engine)
    yield cli
    for client in ("e2e-one", "e2e-two"):
        cli("remove", client, "--yes")
        cli.docker("volume", "rm", "-f", f"hostkit-{client}-records")
