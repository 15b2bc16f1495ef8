"""Every check is broken and mended for real: what it says then, on a machine, not against a fake."""

import importlib
from pathlib import Path

import pytest

from tests.e2e.test_bootstrap import prepare, told

SUBJECTS = sorted(path.stem for path in Path(__file__).parents[1].glob("posture/checks/test_*.py"))
BROKEN = [
    case for name in SUBJECTS for case in getattr(importlib.import_module(f"tests.posture.checks.{name}"), "BROKEN", ())
]
BROKEN.sort(key=lambda case: case.check.kind != "scan")  # a scan reads what the other cases leave behind


MEDDLING = ("hostkit.yml", "inet hostkit", ".openclaw", "daemon.json", "/var/log/audit", "auditctl", "adjtimex")
"""What the lines of several cases write: two such are not of one round."""
ALONE = {"container": {"docker.sock", "journalctl"}, "vm": {"dmsetup"}}
"""What checks of every subject ask: an engine that is none makes many of them unknown, another root shows others."""


def rounds(where):
    """Return the cases there in rounds, as few as may be, whose cases do not meddle with each other."""
    found, alone = [], []
    for case in (case for case in BROKEN if case.where == where):
        fields = _fields(case)
        if case.check.kind == "scan" or fields & ALONE.get(where, set()):
            alone.append([case])
        elif free := [cases for cases in found if not fields & set().union(*map(_fields, cases))]:
            free[0].append(case)
        else:
            found.append([case])
    return found + alone


def _fields(case):
    """Return what a case is alone with in a round: its check, in a container its subject too, and what it writes."""
    lines, words = case.mended + case.broken, (*MEDDLING, *ALONE.get(case.where, ()))
    subject = {case.check.id.partition("-")[0]} if case.where == "container" else set()
    return {case.check.id, *subject, *(word for word in words if word in lines)}


def wrong(machine, cases_at_once):
    """Mend, break and mend each round; return the cases whose check did not say ok, fail with the word, ok."""
    found, said, before = [], [], None
    for cases in cases_at_once:
        # The last of the three answers is the first of the next round's, where the same lines mend both.
        same = before == (before := [(case.check.id, case.mended) for case in cases])
        said = [said[2] if same else _asked(machine, cases, "mended")]
        said += [_asked(machine, cases, how) for how in ("broken", "mended")]
        found += filter(None, (_judged(case, [each[case.check.id] for each in said]) for case in cases))
    return found


def _judged(case, said):
    broken = said[1]["detail"]
    print(f"| {case.check.id} | {' '.join(case.broken.split())[:90]} | {broken[:120]} |")  # noqa: T201 - for the note
    if [entry["status"] for entry in said] != ["ok", "fail", "ok"] or case.word not in broken:
        return case.check.id, case.word, [(entry["status"], entry["detail"]) for entry in said]
    return None


def _asked(machine, cases, how):
    lines = "\n".join(f"(set -e\n{getattr(case, how)}\n)" for case in cases)
    machine.run("sh", "-ec", lines, timeout=300)
    return told(machine, "--only", ",".join(case.check.id for case in cases))


@pytest.mark.systemd
@pytest.mark.timeout(1800)
def test_each_check_fails_on_what_is_broken_and_passes_on_what_is_mended(systemd_machine):
    assert len(BROKEN) > 50
    prepare(systemd_machine)
    assert wrong(systemd_machine, rounds("container")) == []


@pytest.mark.vm
@pytest.mark.timeout(1200)
def test_what_only_a_kernel_and_a_disk_of_its_own_show_fails_and_passes_in_a_vm(vm_machine):
    prepare(vm_machine)
    assert wrong(vm_machine, rounds("vm")) == []
