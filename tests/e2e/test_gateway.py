"""A gateway killed, full or without usable rules: nothing leaves, ps and the check say why, and it comes back."""

import json
import os
import signal
import subprocess
import time
from datetime import datetime

import pytest

from hostkit.launch.parts import gateway_image, probe_image
from tests.e2e.conftest import Cli
from tests.e2e.second_engine import FIRST

pytestmark = pytest.mark.docker

NAME, GATEWAY, RECORDS = "e2e-gw", "hostkit-e2e-gw-gateway", "hostkit-e2e-gw-records"
INTERNET, ORIGIN, HOLDER = "hostkit-e2e-internet", "203.0.113.10", "hostkit-e2e-gw-holder"
POLICY = f"""\
version: 1
host: {{resolvers: [{ORIGIN}], profile: solo, pool: 10.231.80.0/20}}
clients:
  {NAME}:
    agreement: {{permitted: true, document: one.pdf, expires: 2099-01-01}}
    trust: analyst
    agent: {{preset: shell}}
    egress:
      - {{name: listed.example, ports: [80], networks: [203.0.113.0/28]}}
      - {{name: raw.example, raw: 7000, networks: [203.0.113.0/28]}}
"""
SERVES = """
import asyncio, dns.message, dns.rrset, sys
class Names(asyncio.DatagramProtocol):
    def connection_made(self, transport): self.transport = transport
    def datagram_received(self, data, peer):
        asked = dns.message.from_wire(data)
        reply = dns.message.make_response(asked)
        reply.answer.append(dns.rrset.from_text(asked.question[0].name, 5, "IN", "A", "203.0.113.10"))
        self.transport.sendto(reply.to_wire(), peer)
async def web(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\nConnection: close\\r\\n\\r\\nthrough")
    writer.close()
async def tick(reader, writer):
    while True:
        writer.write(b"tick\\n")
        await writer.drain()
        await asyncio.sleep(0.1)
async def main():
    await asyncio.get_running_loop().create_datagram_endpoint(Names, local_addr=("203.0.113.10", 53))
    await asyncio.start_server(web, "203.0.113.10", 80)
    await asyncio.start_server(tick, "203.0.113.10", 7000)
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
TICKS = """
import socket, sys
wire = socket.create_connection((sys.argv[1], 7000), 3)
wire.settimeout(8)
try:
    while wire.recv(5): print("tick", flush=True)
    print("ended", flush=True)
except OSError as why: print("cut", why, flush=True)
"""


def docker(*words):
    return FIRST.run("docker", *words)


def until(what, within=5.0):
    """Return the first true answer, or fail: the time that the issue grants has passed."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    return pytest.fail(f"not within {within:g} s; last answer: {what()!r}")


@pytest.fixture(scope="module")
def internet(_first_engine):
    """A network of documentation addresses with one host on it: resolver, web server, and a port that never rests."""
    docker("rm", "-f", "-v", INTERNET)
    docker("network", "rm", INTERNET)
    assert docker("network", "create", "--internal", "--subnet", "203.0.113.0/28", INTERNET).returncode == 0
    place = ("--name", INTERNET, "--network", INTERNET, "--ip", ORIGIN)
    made = docker("run", "-d", *place, gateway_image(), "python3", "-c", SERVES)
    assert made.returncode == 0, made.stderr
    until(lambda: "ready" in docker("logs", INTERNET).stdout, within=20)
    yield
    docker("rm", "-f", "-v", INTERNET)
    docker("network", "rm", INTERNET)


class Sandbox:
    """One launched client whose gateway has a leg on the pretended internet."""

    def __init__(self, hostkit, directory):
        self.hostkit, self.directory = hostkit, directory

    def launch(self):
        done = self.hostkit("launch", NAME)
        assert done.returncode == 0, done.stderr
        docker("network", "connect", INTERNET, GATEWAY)
        until(lambda: self.fetch() == "through")

    def fetch(self):
        """Return what a listed name says over the proxy: `through`, the typed rule, or curl's own error."""
        done = self.hostkit("exec", NAME, "--", "curl", "-sS", "-m", "3", "http://listed.example/")
        try:
            return json.loads(done.stdout)["rule"]
        except ValueError:
            return done.stdout or f"curl: {done.returncode}"

    def why(self):
        """Return (ps's exit code, why the client does not stand)."""
        done = self.hostkit("ps", "--json")
        assert done.stdout.startswith("["), done.stderr
        return done.returncode, next(row["why"] for row in json.loads(done.stdout) if row["client"] == NAME)

    def fails_with(self, words):
        """Assert that within 5 s ps names the reason with exit 1, and that the check agrees, word for word."""
        code, why = until(lambda: (found := self.why()) and words in found[1] and found)
        assert code == 1
        self.same(lambda answer: answer["status"] == "fail" and why.removeprefix("gateway: ") in answer["detail"])

    def stands(self, within=10.0):
        until(lambda: self.why() == (0, ""), within)
        self.same(lambda answer: answer["status"] == "ok")

    def same(self, judged):
        done = self.hostkit("check", "--json", "--only", "sandboxes-gateways")
        answers = {entry["id"]: entry for entry in json.loads(done.stdout)["results"]}
        assert judged(answers["sandboxes-gateways"]), answers["sandboxes-gateways"]

    def kill(self):
        """Kill the gateway's process as a crash would, not by the engine; return how often it was restarted before."""
        before = self.state()
        os.kill(before["State"]["Pid"], signal.SIGKILL)
        return before["RestartCount"]

    def state(self):
        return json.loads(docker("inspect", GATEWAY).stdout)[0]

    def back(self, restarts):
        """Wait until the engine has started the gateway again, at most the 10 s that the issue grants."""
        until(lambda: (found := self.state())["RestartCount"] > restarts and found["State"]["Running"], within=10)

    def rules(self, change):
        """Change the rules file as somebody with root on the host would."""
        work = ["docker", "run", "--rm", "--network", "none", "-v", "hostkit-e2e-gw-rules:/rules"]
        done = subprocess.run(
            [*work, probe_image(), "sh", "-c", change], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr

    def ticking(self):
        """Open the raw port and return the process that prints what comes through."""
        address = json.loads(docker("inspect", "hostkit-e2e-gw-agent").stdout)[0]["HostConfig"]["Dns"][0]
        command = ["docker", "exec", "hostkit-e2e-gw-agent", "python3", "-u", "-c", TICKS, address]
        found = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert found.stdout.readline() == "tick\n"
        return found


@pytest.fixture
def box(internet, tmp_path):
    policy = tmp_path / "hostkit.yml"
    policy.write_text(POLICY)
    cli = Cli(policy, tmp_path / "state", FIRST)
    yield Sandbox(cli, tmp_path)
    cli("remove", NAME, "--yes")
    docker("rm", "-f", HOLDER)
    docker("volume", "rm", "-f", RECORDS)


def test_a_killed_gateway_comes_back_by_its_rules_and_says_that_its_walls_are_unproved(box):
    box.launch()
    box.stands()
    ticking = box.ticking()
    restarts = box.kill()
    assert ticking.communicate(timeout=10)[0].splitlines()[-1] in {"ended", "cut [Errno 104] Connection reset by peer"}
    box.back(restarts)
    until(lambda: box.fetch() == "through", within=10)
    box.fails_with("restarted since its walls were proved; run hostkit launch")
    assert box.hostkit("launch", NAME).returncode == 0
    box.stands()


def test_while_a_gateway_is_killed_by_hand_nothing_leaves_and_the_reason_is_shown(box):
    box.launch()
    docker("kill", GATEWAY)
    assert box.fetch().startswith("curl: ")
    box.fails_with("not running (exited, killed, exit 137); nothing leaves; run hostkit launch")
    box.launch()
    box.stands()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("head -c 40 rules.json > x; cat x > rules.json", "rules.json: not JSON"),
        ("echo '{\"client\": 1}' > rules.json", "rules.json: rules.client: not str"),
        ('sed -i \'s/"generation": [0-9]*/"generation": 0/\' rules.json', "rules.json: generation 0 is older than 1"),
        ("chmod 000 rules.json", "rules.json: Permission denied"),
        ("mv rules.json gone", "rules.json: No such file or directory"),
    ],
)
def test_rules_that_are_broken_stop_everything_a_restart_included_until_they_are_whole(box, change, says):
    box.launch()
    ticking = box.ticking()
    box.rules(f"cd /rules && cp -p rules.json whole && {change}")
    box.fails_with(f"closed: {says}")
    assert "cut" in ticking.communicate(timeout=5)[0]
    # Once, under load, the connection was refused before the answer came: nothing leaves either way.
    until(lambda: box.fetch() == "closed")
    box.back(box.kill())
    box.fails_with(f"closed: {says}")
    assert box.fetch().startswith(("closed", "curl: "))
    box.rules("cd /rules && mv whole rules.json")
    until(lambda: box.fetch() == "through")


def hold_records(box):
    """Make the records a volume of 16 MB before the launch does, and hold it: a tmpfs forgets when nobody uses it."""
    label = ("--label", f"hostkit.client={NAME}", "--label", "hostkit.part=volume")
    size = ("-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=16m,mode=1777")
    assert docker("volume", "create", *label, *size, RECORDS).returncode == 0
    held = docker("run", "-d", "--name", HOLDER, "-v", f"{RECORDS}:/records", probe_image(), "sleep", "600")
    assert held.returncode == 0, held.stderr


def test_a_full_disk_stops_everything_a_restart_included_and_space_opens_it_again(box):
    hold_records(box)
    box.launch()
    ticking = box.ticking()
    docker("exec", HOLDER, "sh", "-c", "cat /dev/zero > /records/filler")
    assert docker("exec", HOLDER, "df", "--output=avail", "/records").stdout.split()[-1] == "0"
    box.fails_with("closed: under 4194304 bytes are free for records; make room")
    assert "cut" in ticking.communicate(timeout=5)[0]
    assert box.fetch() == "records-full"
    box.back(box.kill())
    box.fails_with("closed: under 4194304 bytes are free for records; make room")
    assert box.fetch() == "records-full"
    docker("exec", HOLDER, "rm", "/records/filler")
    until(lambda: box.fetch() == "through")


def test_records_that_fill_up_by_requests_stop_everything_and_a_larger_budget_opens_it_again(box):
    policy = box.hostkit.policy
    policy.write_text(POLICY.replace("    egress:", "    limits: {records: 64KiB}\n    egress:"))
    box.launch()
    asks = "import socket, struct\nw = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    asks += "q = b'\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\4leak\\7example\\0\\0\\1\\0\\1'\n"
    asks += "for _ in range(2000): w.sendto(q, (open('/etc/resolv.conf').read().split()[1], 53)); w.recv(512)"
    box.hostkit("exec", NAME, "--", "python3", "-c", asks)
    box.fails_with("the records' budget of 65536 bytes is used up; raise limits.records in the policy")
    assert box.fetch() == "records-full"
    told = box.hostkit("logs", NAME, "--denied").stdout
    assert "closed: the records' budget of 65536 bytes is used up; raise limits.records in the policy" in told
    policy.write_text(POLICY.replace("    egress:", "    limits: {records: 1MiB}\n    egress:"))
    assert box.hostkit("launch", NAME).returncode == 0
    until(lambda: box.fetch() == "through")


def test_a_gateway_is_open_within_two_seconds_of_its_start(box):
    box.launch()
    docker("restart", "-t", "0", GATEWAY)
    started = datetime.fromisoformat(box.state()["State"]["StartedAt"]).timestamp()

    def said():
        status = json.loads(docker("exec", GATEWAY, "cat", "/records/status.json").stdout or "{}")
        return status if status.get("at", 0) > started else None

    status = until(said)
    assert status["state"] == "open"
    assert status["at"] - started < 2
