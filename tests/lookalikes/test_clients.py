"""Real clients against the look-alikes, over a bare tunnel: what the gateway's own tests then must not change."""

import base64
import importlib.util
import json
import shutil
import subprocess
import sys

import pytest

from tests.lookalikes import names
from tests.lookalikes.running import ADDRESS, HERE

TOKEN = "look-token"
REAL = {
    "SLACK_BOT_TOKEN": names.BOT,
    "SLACK_APP_TOKEN": names.APP,
    "ANTHROPIC_API_KEY": names.ANTHROPIC_KEY,
    "OPENAI_API_KEY": names.OPENAI_KEY,
    "GITHUB_TOKEN": names.GITHUB_TOKEN,
    "TOKEN": TOKEN,
}
WRONG = dict.fromkeys(REAL, "not-the-real-one")
WORDS = "You said: how many orders? "
ANTHROPIC = {"text": WORDS, "streamed": WORDS, "tokens": [11, 7], "pieces": 4}
OPENAI = {"text": WORDS, "streamed": WORDS, "tokens": 18, "response": WORDS, "response_streamed": WORDS}
BOTH = {"status": [200, 200]}
CLIENTS = [
    ("slack_web.py", "slack_sdk", names.BOT, {"team": "T0REAL0001", "text": "hello from slack_sdk", "stream": True}),
    ("slack_files.py", "slack_sdk", names.BOT, {"size": 12}),
    ("slack_socket.py", "slack_sdk", names.APP, {"team": "T0REAL0001", "text": "how many orders?", "events": 2}),
    (
        "anthropic_stream.py",
        "anthropic",
        names.ANTHROPIC_KEY,
        {**ANTHROPIC, "organisation": names.ORGANISATIONS[names.ANTHROPIC_KEY]},
    ),
    ("openai_stream.py", "openai", names.OPENAI_KEY, {**OPENAI, "organisation": names.ORGANISATIONS[names.OPENAI_KEY]}),
    ("requests_get.py", "requests", TOKEN, BOTH),
    ("httpx_get.py", "httpx", TOKEN, BOTH),
    ("aiohttp_get.py", "aiohttp", TOKEN, {**BOTH, "socket": "hello socket"}),
    ("urllib3_get.py", "urllib3", TOKEN, BOTH),
    ("websocket_echo.py", "websocket", names.ECHO, {"short": "hello socket", "long": 100000, "octets": [0, 1, 2]}),
    ("curl.sh", "curl", TOKEN, {"events": 3}),
    ("git_clone.sh", "git", names.GITHUB_TOKEN, {"cloned": "# acme/widgets", "pushed": "yes"}),
    ("pip_install.sh", "pip", names.PYTHON_INDEX, {"word": "installed through the gateway", "said": ""}),
    ("npm_install.sh", "npm", names.NODE_INDEX, {"word": "installed through the gateway", "said": ""}),
    ("node_fetch.mjs", "node", TOKEN, {"socket": "hello socket"}),
    ("HttpGet.java", "java", TOKEN, BOTH),
]
REFUSALS = [
    ("slack_web.py", "slack_sdk", "error", "invalid_auth"),
    ("anthropic_stream.py", "anthropic", "error", "AuthenticationError"),
    ("openai_stream.py", "openai", "error", "AuthenticationError"),
    ("git_clone.sh", "git", "cloned", "Authentication failed"),
]
ROUND_THE_PROXY = ("aiohttp_get.py", "urllib3_get.py")


def needs(what):
    """Skip what is not on this machine: in the clients' image it is, and there it must pass."""
    if not shutil.which(what) and importlib.util.find_spec(what) is None:
        pytest.skip(f"{what} is not installed here")
    if what == "node" and not subprocess.check_output(["node", "--version"], text=True).startswith("v24."):
        pytest.skip("this Node obeys no proxy variable")


def shown(entries):
    """Return every key that arrived, wherever it stood."""
    values = [value for entry in entries for _, value in entry.get("headers", ())]
    logins = [base64.b64decode(value[6:]).decode() for value in values if value.startswith("Basic ")]
    return {value.removeprefix("Bearer ").rpartition(":")[2] for value in (*values, *logins)}


def run(script, looks, proxy, keys):
    """Run one client script and return what it printed."""
    runner = {"py": [sys.executable], "mjs": ["node"], "java": ["java"]}.get(script.rpartition(".")[2], ["sh"])
    told = looks.environment(proxy, **keys)
    if script in ROUND_THE_PROXY:
        told |= {"LED_TO": f"{ADDRESS}:{looks.tls}", "PYTHONPATH": str(HERE / "led")}
    command = [*runner, str(HERE / "clients" / script)]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.count("\n") == 1, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("script", "what", "key", "expected"), CLIENTS)
def test_a_real_client_does_its_work_and_the_real_key_arrived(looks, proxy, script, what, key, expected):
    needs(what)
    looks.seen("DELETE")
    found = run(script, looks, proxy, REAL)
    assert {key: found.get(key) for key in expected} == expected, found
    assert not any("broken" in entry for entry in looks.seen())
    assert key in shown(looks.seen())


@pytest.mark.parametrize(("script", "what", "where", "says"), REFUSALS)
def test_a_real_client_with_another_key_is_refused_in_its_own_words(looks, proxy, script, what, where, says):
    needs(what)
    assert says in run(script, looks, proxy, WRONG)[where]
