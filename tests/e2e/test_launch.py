"""A launch on a real engine: what runs, what it can reach, what is left."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from tests.e2e.second_engine import both_engines

pytestmark = pytest.mark.docker


def made(hostkit, client):
    label = f"label=hostkit.client={client}"
    kinds = (("ps", "-aq"), ("network", "ls", "-q"))
    return [hostkit.docker(*kind, "--filter", label).stdout.split() for kind in kinds]


def inside(hostkit, source, client="e2e-one"):
    done = hostkit("exec", client, "--", "python3", "-c", source)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


def status(hostkit):
    done = hostkit("ps", "--json")
    return done.returncode, {row["client"]: row for row in json.loads(done.stdout)}


@both_engines
def test_a_launch_proves_its_walls_and_a_second_one_changes_nothing(hostkit):
    first = hostkit("launch", "e2e-one")
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("held:") == 4
    before = made(hostkit, "e2e-one")
    second = hostkit("launch", "e2e-one")
    assert "already running, walls proved again" in second.stdout, second.stderr
    assert "secrets of its start: token; hostkit stop e2e-one, then launch" in second.stdout
    assert made(hostkit, "e2e-one") == before
    assert status(hostkit)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("part", ["probe", "gateway"])
def test_a_launch_that_is_ended_half_way_leaves_nothing_behind(hostkit, number, part):
    env = {**os.environ, "HOSTKIT_STATE": str(hostkit.state)}
    launch = subprocess.Popen(hostkit.command("launch", "e2e-one"), env=env, stderr=subprocess.PIPE)
    until = time.monotonic() + 20
    while hostkit.docker("inspect", f"hostkit-e2e-one-{part}").returncode:
        assert time.monotonic() < until
    launch.send_signal(number)
    _, said = launch.communicate(timeout=60)
    assert (launch.returncode, made(hostkit, "e2e-one")) == (128 + number, [[], []]), said


def test_a_client_that_the_policy_forgot_is_stopped_and_removed(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    hostkit.policy.write_text("version: [")
    assert hostkit("launch", "e2e-one").returncode == 2
    assert hostkit("stop", "e2e-one").returncode == 0
    assert made(hostkit, "e2e-one") == [[], []]
    assert hostkit("remove", "e2e-one", "--yes").returncode == 0
    assert hostkit("stop", "e2e-one").returncode == 2


@both_engines
def test_the_agent_has_its_secret_its_home_and_a_name_and_no_more(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    assert inside(hostkit, "print(open('/run/secrets/token').read())") == "a-value-of-the-test"
    assert (
        inside(hostkit, "import os, stat; print(oct(stat.S_IMODE(os.stat('/run/secrets/token').st_mode)))") == "0o400"
    )
    assert inside(hostkit, "import pwd, os; print(pwd.getpwuid(os.getuid()).pw_dir)") == "/home/agent"
    write = "import errno\ntry:\n open('/run/secrets/x', 'w')\nexcept OSError as e: print(errno.errorcode[e.errno])"
    assert inside(hostkit, write) == "EROFS"
    inside(hostkit, "open('/workspace/a', 'w'); open('/home/agent/b', 'w'); open('/tmp/c', 'w')")
    document = hostkit.docker("inspect", "hostkit-e2e-one-agent", "hostkit-e2e-one-gateway").stdout
    assert "a-value-of-the-test" not in document
    assert '"Type": "bind"' not in document


def test_a_name_that_is_not_listed_is_refused_with_a_reason_and_recorded(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    told = hostkit("exec", "e2e-one", "--", "curl", "-sS", "-m", "5", "http://not-listed.example/")
    assert json.loads(told.stdout)["rule"] == "not-listed"
    denied = hostkit("logs", "e2e-one", "--denied", "--suggest").stdout
    assert "not-listed.example:80  not-listed" in denied
    assert "allow with: - {name: not-listed.example, ports: [80]}" in denied


def test_the_other_client_cannot_be_reached(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    assert hostkit("launch", "e2e-two").returncode == 0
    network = json.loads(hostkit.docker("inspect", "hostkit-e2e-two-gateway").stdout)[0]["NetworkSettings"]["Networks"]
    for address in (entry["IPAddress"] for entry in network.values()):
        attempt = f"import socket\ntry:\n socket.create_connection(('{address}', 3128), 1); print('connected')\n"
        said = inside(hostkit, attempt + "except OSError as e: print('silent')")
        assert said == "silent", address


@both_engines
def test_a_stop_leaves_nothing_but_volumes_and_the_work_is_there_after(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    inside(hostkit, "open('/workspace/kept', 'w').write('yes')")
    assert hostkit("stop", "e2e-one").returncode == 0
    assert made(hostkit, "e2e-one") == [[], []]
    assert hostkit("launch", "e2e-one").returncode == 0
    assert inside(hostkit, "print(open('/workspace/kept').read())") == "yes"


@both_engines
def test_two_launches_at_once_do_not_race(hostkit):
    done = []
    threads = [threading.Thread(target=lambda: done.append(hostkit("launch", "e2e-one"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    assert sum("already running" in one.stdout for one in done) == 1
    assert [len(kind) for kind in made(hostkit, "e2e-one")] == [2, 2]


def test_half_removed_networks_are_no_obstacle(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    hostkit.docker("rm", "-f", "hostkit-e2e-one-agent", "hostkit-e2e-one-gateway")
    hostkit.docker("network", "rm", "hostkit-e2e-one-in")
    assert hostkit("launch", "e2e-one").returncode == 0
    assert status(hostkit)[0] == 0


@both_engines
def test_a_killed_gateway_is_named_with_its_reason(hostkit):
    assert hostkit("launch", "e2e-one").returncode == 0
    hostkit.docker("kill", "hostkit-e2e-one-gateway")
    code, rows = status(hostkit)
    assert code == 1
    assert "gateway: not running (exited, killed, exit 137)" in rows["e2e-one"]["why"]
    closed = (
        "import socket\ntry:\n socket.create_connection(('{}', 3128), 2); print('open')\n"
        "except OSError: print('closed')"
    )
    address = json.loads(hostkit.docker("inspect", "hostkit-e2e-one-agent").stdout)[0]["HostConfig"]["Dns"][0]
    assert inside(hostkit, closed.format(address)) == "closed"


def test_broken_rules_stop_everything_and_say_so_within_five_seconds(hostkit, tmp_path):
    assert hostkit("launch", "e2e-one").returncode == 0
    (tmp_path / "rules.json").write_text("{")
    hostkit.docker("cp", str(tmp_path / "rules.json"), "hostkit-e2e-one-gateway:/rules/rules.json")
    end = time.monotonic() + 5
    while status(hostkit)[0] == 0 and time.monotonic() < end:
        time.sleep(0.2)
    code, rows = status(hostkit)
    assert code == 1
    assert rows["e2e-one"]["why"].startswith("gateway: closed: rules.json:")
    told = hostkit("exec", "e2e-one", "--", "curl", "-sS", "-m", "5", "http://listed.example/")
    assert json.loads(told.stdout)["rule"] == "closed"


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("launch", "../x"), "unknown client '../x'", 2),
        (("launch", "docker"), "unknown client 'docker'", 2),
        (("launch", "e2e-expired"), "the agreement (old.pdf) expired on 2020-01-01", 2),
        (("launch", "e2e-no-image"), "image nothing/here:1 is not on this engine", 2),
        (("--policy", "other.yml", "launch", "e2e-one"), "two policies given", 2),
        (("exec", "e2e-one", "--", "true"), "e2e-one is not running", 125),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(hostkit, words, says, code):
    done = hostkit(*words)
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert made(hostkit, "e2e-one") == [[], []]


def test_an_engine_that_is_down_cannot_tell(hostkit):
    done = hostkit("launch", "e2e-one", DOCKER_HOST="unix:///nonexistent.sock")
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1
    assert "the Docker engine does not answer" in done.stderr
