"""What an agent needs of its room to work: a name, a home that stays, and folders that are its own."""

import pytest

from tests.e2e.second_engine import both_engines

pytestmark = pytest.mark.docker

WHEEL = """
import zipfile
meta = "hello-0.1.dist-info/"
with zipfile.ZipFile("/workspace/hello-0.1-py3-none-any.whl", "w") as wheel:
    wheel.writestr("hello.py", "def main():\\n    print('hello from the sandbox')\\n")
    wheel.writestr(meta + "METADATA", "Metadata-Version: 2.1\\nName: hello\\nVersion: 0.1\\n")
    wheel.writestr(meta + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(meta + "entry_points.txt", "[console_scripts]\\nhello = hello:main\\n")
    wheel.writestr(meta + "RECORD", "hello.py,,\\n")
"""


def work(hostkit, *command):
    done = hostkit("exec", "e2e-one", "--", *command)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


@both_engines
def test_git_pip_python_and_psql_work_and_the_home_outlives_a_stop(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    assert work(hostkit, "python3", "-c", "import os, pwd; print(pwd.getpwuid(os.getuid()).pw_name)").startswith(
        "agent7"
    )
    work(hostkit, "git", "config", "--global", "user.name", "agent")
    work(hostkit, "git", "config", "--global", "user.email", "agent@sandbox.invalid")
    work(hostkit, "sh", "-c", "git init -q /workspace/repo && cd /workspace/repo && echo a > a && git add a")
    work(hostkit, "git", "-C", "/workspace/repo", "commit", "-q", "-m", "first")
    work(hostkit, "python3", "-c", WHEEL)
    work(hostkit, "pip", "install", "-q", "--user", "--no-index", "/workspace/hello-0.1-py3-none-any.whl")
    assert work(hostkit, "/home/agent/.local/bin/hello") == "hello from the sandbox"
    assert work(hostkit, "psql", "--version").startswith("psql (PostgreSQL)")
    hostkit("stop", "e2e-one")
    assert hostkit("launch", "e2e-one").returncode == 0
    assert work(hostkit, "git", "-C", "/workspace/repo", "log", "--format=%an %s") == "agent first"
    assert work(hostkit, "/home/agent/.local/bin/hello") == "hello from the sandbox"
