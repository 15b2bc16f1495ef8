"""A process that calls itself what it likes, on a real machine: every form, the history and the proof."""

import json
import xml.etree.ElementTree as ET

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hostkit.errors import Exit
from hostkit.report.check import FORMS
from tests.e2e.test_bootstrap import prepare
from tests.machines.machine import wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(900)]

HOSTILE = """\
import ctypes, socket, time
ctypes.CDLL(None).prctl(15, b"\\x1b[31m]]>\\"\\n\\xff<b>", 0, 0, 0)
listening = socket.socket()
listening.bind(("0.0.0.0", 4444))
listening.listen()
time.sleep(600)
"""
SHOWN = r"\x1b[31m]]>"
WRITTEN = " ".join(f"--output {form}=/root/said.{form}" for form in FORMS)


def test_a_hostile_process_writes_nothing_but_its_name_and_the_proof_is_of_what_was_written(systemd_machine):
    prepare(systemd_machine)
    systemd_machine.run("systemd-run", "--quiet", "--unit=hostile", "python3", "-c", HOSTILE)
    wait_for(lambda: ":4444" in systemd_machine.run("ss", "-Hltn", check=False).stdout, 10)
    command = f"cd /root && hostkit check {WRITTEN} --attest proof.json"
    done = systemd_machine.run("sh", "-c", command, check=False, timeout=60)
    assert done.code == Exit.FOUND, done

    said = {form: systemd_machine.run("cat", f"/root/said.{form}").stdout for form in FORMS}
    total = len(json.loads(said["json"])["results"])
    assert said["text"] == done.stdout
    assert SHOWN in said["text"]
    assert all({c for c in text if not c.isprintable()} == {"\n"} for text in said.values())
    assert len(ET.fromstring(said["junit"]).findall("testsuite/testcase")) == total
    assert len([json.loads(line) for line in said["ocsf"].splitlines()]) == total
    families = {family.name: family for family in text_string_to_metric_families(said["prometheus"])}
    assert len(families["hostkit_check_status"].samples) == total
    assert said["html"].count('<tr class="check">') == total

    _proof_is_of_that_run(systemd_machine)
    _state_is_roots_only(systemd_machine)


def _proof_is_of_that_run(machine):
    verify = "cd /root && hostkit attest key >pub && hostkit attest verify proof.json --key pub --results said."
    genuine = machine.run("sh", "-c", verify + "json", check=False)
    assert (genuine.code, "checks failed" in genuine.stdout) == (Exit.FOUND, True), genuine
    other = machine.run("sh", "-c", verify + "sarif", check=False)
    assert (other.code, "is not the run that was attested" in other.stderr) == (Exit.FOUND, True), other


def _state_is_roots_only(machine):
    found = machine.run("find", "/var/lib/hostkit/checks", "/var/lib/hostkit/attest", "-printf", "%u %m %f\n").stdout
    assert sorted(found.splitlines()) == [
        "root 600 history.jsonl",
        "root 600 key.pem",
        "root 600 lock",
        "root 700 attest",
        "root 700 checks",
    ]
