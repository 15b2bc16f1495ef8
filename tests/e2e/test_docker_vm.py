"""Docker in a hardened VM: a sandbox that holds, a published port that is not there, and both through a reboot."""

import json
import subprocess
import threading
import time

import pytest

from hostkit.errors import Exit
from hostkit.launch.parts import probe_image
from tests.e2e.test_apparmor import (
    bring_images,
    it_holds_alone_and_the_agent_is_under_it,
    it_is_undone,
    nothing_holds_yet,
    one_that_only_reports_is_none,
)
from tests.e2e.test_bootstrap import answers, bootstrapping, confirm, prepare, proved, tables
from tests.e2e.test_bootstrap_journey import undo
from tests.e2e.test_catalogue import rounds, wrong
from tests.e2e.test_machines import heard
from tests.machines.machine import FOREIGN, wait_for

pytestmark = [pytest.mark.vm, pytest.mark.docker, pytest.mark.timeout(2000)]

POLICY = f"""\
version: 1
host: {{management: [eth0], resolvers: [{FOREIGN}]}}
clients:
  acme:
    agreement: {{permitted: true, document: acme.pdf, expires: 2099-01-01}}
    trust: analyst
    agent: {{preset: shell}}
    egress: [{{name: listed.example}}, {{name: db.example, raw: 5432}}]
    limits: {{memory: 256MiB, tmp: 64MiB}}
"""
SUBJECTS = "account,kernel,apparmor,engine,gateway,clients,fence"
"""The plays that a sandbox stands on."""
PROVED = proved(SUBJECTS)
SERVER = """\
import socket
wire = socket.create_server(("", 8081))
while True:
    wire.accept()[0].sendall(b"published\\n")
"""
PORT = 8081


def publish(machine):
    """Run a stranger's container that is there for everyone, and comes back by itself."""
    machine.run("docker", "run", "-d", "--name", "stranger", "--restart", "always", "-p", f"{PORT}:{PORT}",
                probe_image(), "python3", "-c", SERVER, timeout=300)  # fmt: skip


def published(machine, tries=2):
    """Return at which of the VM's addresses the world outside reaches the stranger."""
    every = (machine.address, machine.address6, *machine.open_addresses)
    return [address for address in every if heard(machine.outside(), address, PORT, tries=tries)]


class Prober(threading.Thread):
    """Asks for the stranger's port all the time, at the interface that is not for management."""

    def __init__(self, machine):
        super().__init__(daemon=True)
        self._words = (*machine.outside().within, "nc", "-w", "1", machine.open_addresses[0], str(PORT))
        self._ended = threading.Event()
        self.asked, self.heard = 0, []
        self.start()

    def run(self):
        while not self._ended.is_set():
            done = subprocess.run(self._words, capture_output=True, stdin=subprocess.DEVNULL, check=False)
            self.asked += 1
            self.heard += [done.stdout] if done.stdout else []
            time.sleep(0.1)

    def end(self):
        self._ended.set()
        self.join(10)


# What hangs on the kernel and the fence; what the gateway makes of names and requests is shown on both engines without
# a VM; with them a drill took nine minutes in one.
GROUPS = ("network", "privileges", "resources", "separation")


def drilled(machine):
    only = [word for group in GROUPS for word in ("--only", group)]
    for _ in range(2):  # on a machine that is busy besides, a drill may find no time, and says so
        done = machine.run("hostkit", "drill", "acme", "--quick", "--json", *only, check=False, timeout=1200)
        if done.code != Exit.CANNOT_TELL:
            break
    assert done.stdout, done
    return {entry["id"]: f"{entry['answer']} {entry['why']}" for entry in json.loads(done.stdout)["probes"]}


def agents(machine):
    """Return when the agent's container was made and when it started."""
    shown = machine.run("docker", "inspect", "-f", "{{.Created}} {{.State.StartedAt}}", "hostkit-acme-agent").stdout
    return shown.split()


def reboot_unheard(machine):
    """Boot anew; assert that the client and the stranger come back, and that nobody outside ever heard the stranger."""
    prober = Prober(machine)
    try:
        machine.restart()
        asked = ("systemctl", "is-active", "--quiet", "hostkit-client@acme")
        wait_for(lambda: machine.run(*asked, check=False).code == 0, machine.patience, "the client does not come back")
        assert machine.run("docker", "inspect", "-f", "{{.State.Running}}", "stranger").stdout == "true\n"
    finally:
        prober.end()
    assert (prober.heard, prober.asked > 20) == ([], True)


def test_a_sandbox_holds_under_the_fence_a_published_port_does_not_and_both_come_back_so(vm_machine, tmp_path):
    machine = vm_machine
    prepare(machine)
    machine.run("install", "-m", "0600", "/dev/stdin", "/etc/hostkit/hostkit.yml", stdin=POLICY)
    original = tables(machine)
    machine.run("systemctl", "enable", "--now", "docker")
    bring_images(machine, tmp_path)
    publish(machine)
    assert machine.open_addresses[0] in published(machine, tries=20)
    nothing_holds_yet(machine, "acme")

    with bootstrapping(machine, "--only", SUBJECTS) as session:
        assert confirm(machine).code == 0
        said, _ = session.communicate(timeout=machine.patience)
    failing = [name for name, status in answers(machine, *PROVED).items() if status != "ok"]
    assert (session.returncode, failing) == (1, ["docker-options"]), said
    assert "icc true until it starts while no container runs" in said  # the stranger goes on through all of it
    assert published(machine) == []
    machine.run("systemctl", "enable", "--now", "hostkit-client@acme", timeout=400)
    before = agents(machine)
    assert {name: said for name, said in drilled(machine).items() if not said.startswith("held")} == {}
    it_holds_alone_and_the_agent_is_under_it(machine, "acme")
    one_that_only_reports_is_none(machine, "acme")

    reboot_unheard(machine)
    assert machine.run("hostkit", "ps").stdout.startswith("acme ")
    assert agents(machine)[0] > before[0]  # made anew by a launch, not started again by the engine
    said = machine.run("journalctl", "-b", "-u", "hostkit-client@acme", "-o", "cat", "--no-pager").stdout
    assert "held: the host is silent at" in said
    assert "AppArmor profile hostkit-agent" in said
    assert answers(machine, *PROVED) == dict.fromkeys(PROVED, "ok")
    assert up_since(machine, "hostkit-fence.service") < up_since(machine, "docker.service")
    assert wrong(machine, rounds("engine")) == []
    machine.run("sh", "-c", "docker update --restart always stranger && docker start stranger")  # a case stopped it

    machine.run("systemctl", "disable", "--now", "hostkit-client@acme", timeout=200)
    machine.run("hostkit", "remove", "acme", "--yes", timeout=200)
    done = undo(machine)
    assert done.code == 0, done
    it_is_undone(machine, done.stdout)
    assert "table inet hostkit" not in tables(machine)
    assert [name for name in tables(machine) if "hostkit" in name] == [name for name in original if "hostkit" in name]
    assert "to let it read its files anew: systemctl restart docker" in done.stdout
    machine.run("systemctl", "restart", "docker", timeout=120)  # until then it publishes on loopback, as it was set
    assert machine.open_addresses[0] in published(machine, tries=20)


def up_since(machine, unit):
    """Return when a unit became active in this boot, in microseconds."""
    return int(machine.run("systemctl", "show", "-P", "ActiveEnterTimestampMonotonic", unit).stdout)
