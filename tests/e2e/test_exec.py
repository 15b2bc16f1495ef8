"""`hostkit exec`: the command's own code, its output as it comes, and 125 for what hostkit itself refuses."""

import os
import subprocess
import time

import pytest

from tests.e2e.second_engine import both_engines

pytestmark = pytest.mark.docker


@both_engines
def test_the_code_is_the_commands_own_and_what_cannot_be_run_is_126_or_127(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    assert hostkit("exec", "e2e-one", "--", "sh", "-c", "exit 7").returncode == 7
    unknown = hostkit("exec", "e2e-one", "--", "no-such-command")
    assert (unknown.returncode, unknown.stdout) == (127, "")
    assert "no-such-command" in unknown.stderr
    forbidden = hostkit("exec", "e2e-one", "--", "/etc/passwd")
    assert (forbidden.returncode, forbidden.stdout) == (126, "")
    apart = hostkit("exec", "e2e-one", "--", "sh", "-c", "echo out; echo err >&2; cat")
    assert (apart.returncode, apart.stdout, apart.stderr) == (0, "out\n", "err\n")


def test_output_comes_while_the_command_still_runs(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    command = hostkit.command("exec", "e2e-one", "--", "sh", "-c", "echo first; sleep 3; echo second")
    environment = {**os.environ, "HOSTKIT_STATE": str(hostkit.state)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment) as running:
        assert running.stdout.readline() == b"first\n"
        heard = time.monotonic()
        assert running.stdout.read() == b"second\n"
        assert time.monotonic() - heard > 2
    assert running.returncode == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("exec", "nobody", "--", "true"), "unknown client 'nobody'"),
        (("exec", "e2e-one"), "no command given"),
        (("exec", "e2e-one", "--", "true"), "e2e-one is not running"),
    ],
)
def test_what_hostkit_itself_refuses_is_125(hostkit, words, says):
    done = hostkit(*words)
    assert done.returncode == 125
    assert says in done.stderr
