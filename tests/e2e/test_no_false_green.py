"""With root, a tool, the engine or /proc's rights taken away, nothing turns green."""

import json

import pytest

from hostkit.errors import Exit
from tests.e2e.test_bootstrap import prepare
from tests.machines.machine import wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(900)]

POLICY = "/usr/local/share/hostkit-test/hostkit.yml"
CHECK = f"hostkit --policy {POLICY} check --json --skip scans"
NOBODY = "setpriv --reuid=nobody --regid=nogroup --clear-groups --"
TOOLS = "auditctl apt-config apt-get cvtsudoers getent ip journalctl loginctl lsblk nft resolvectl sshd ssh-keygen sudo"
HIDDEN = """\
for tool in {tools}; do path=$(command -v $tool || true); [ -z "$path" ] || mount --bind /dev/null "$path"; done
{check}
"""
UNSEEN = "mount -t proc -o hidepid=2 proc /proc; exec {nobody} {check}"
DEAF = """\
import socket, time
wire = socket.socket(socket.AF_UNIX)
wire.bind("/run/docker.sock")
wire.listen(64)
time.sleep(600)
"""


def told(machine, lines):
    """Return each check's answer, from a shell in a mount namespace of its own."""
    said = machine.run("unshare", "--mount", "--propagation=private", "sh", "-ec", lines, check=False, timeout=120)
    assert said.code in {Exit.FOUND, Exit.CANNOT_TELL}, said
    return {entry["id"]: entry["status"] for entry in json.loads(said.stdout)["results"]}


def green(answers):
    return {name for name, status in answers.items() if status == "ok"}


def test_nothing_turns_green_when_less_can_be_seen(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("sh", "-ec", f"install -D -m 0644 /etc/hostkit/hostkit.yml {POLICY}")
    told(systemd_machine, CHECK)  # the first run makes hostkit's own folder, which the ones after see
    seen = told(systemd_machine, CHECK)
    assert len(green(seen)) > 10

    fewer = {
        "without root": told(systemd_machine, f"{NOBODY} {CHECK}"),
        "without its tools": told(systemd_machine, HIDDEN.format(tools=TOOLS + " systemctl", check=CHECK)),
        "with /proc hidden": told(systemd_machine, UNSEEN.format(nobody=NOBODY, check=CHECK)),
        "with a deaf engine": _beside_a_deaf_engine(systemd_machine),
    }
    turned = {why: sorted(green(answers) - green(seen)) for why, answers in fewer.items()}
    assert not any(turned.values()), turned
    assert all(answers.keys() == seen.keys() for answers in fewer.values())
    assert all(len(green(answers)) < len(green(seen)) for answers in fewer.values())


def _beside_a_deaf_engine(machine):
    machine.run("systemd-run", "--quiet", "--unit=deaf", "python3", "-c", DEAF)
    wait_for(lambda: machine.run("test", "-S", "/run/docker.sock", check=False).code == 0, 10)
    return told(machine, CHECK)
