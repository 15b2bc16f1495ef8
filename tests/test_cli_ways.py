"""In which ways hostkit check runs: what counts, what is compared, what is known, on and on."""

import json
import os
import signal
import subprocess
import sys

import pytest

from hostkit.cli.rounds import watched
from hostkit.errors import CannotTell
from hostkit.posture.run import Report
from tests.report.check.runs import result, run
from tests.test_cli_checks import POLICY, Machine


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--yes",), "--dry-run and --yes are --fix's"),
        (("--dry-run",), "--dry-run and --yes are --fix's"),
        (("--fix", "--dry-run", "--yes"), "--dry-run and --yes; give one"),
        (("--patience", "0"), "--patience 0; more than 0, at most 600 seconds"),
        (("--patience", "nan"), "--patience nan; more than 0"),
        (("--patience", "601"), "--patience 601; more than 0, at most 600 seconds"),
        (("--patience", "5", "--list"), "--patience with --list"),
        (("--watch", "4.9"), "--watch 4.9; every 5 seconds at most"),
        (("--watch", "nan"), "--watch nan; every 5 seconds at most"),
        (("--watch", "inf"), "--watch inf; every 5 seconds at most, once a day at least"),
        (("--only", ","), "--only names nothing"),
        (("--fix", "--yes", "--only", ""), "--only names nothing"),
        (("--skip", "ssh", "--skip", ""), "--skip names nothing"),
        (("--list", "--explain", "ssh-keys"), "--list and --explain; give one"),
        (("--baseline", "x", "--write-baseline", "y"), "--baseline and --write-baseline; a baseline is taken of all"),
        (("--write-baseline", "x", "--output", "json=./x"), "--write-baseline and --output name"),
        (("--attest", "x", "--write-baseline", "x"), "--attest and --write-baseline name"),
        (("--fix", "--watch"), "--watch and --fix; each is a run of its own: give one"),
        (("--fix", "--diff", "last"), "--diff and --fix; each is"),
        (("--diff", "last", "--write-baseline", "x"), "--diff and --write-baseline; each is"),
        (("--fix", "--json"), "--fix prints text; leave other forms"),
        (("--watch", "60", "--output", "json=x"), "--watch prints text; leave other forms"),
        (("--diff", "last", "--format", "sarif"), "--diff prints json or text"),
        (("--diff", "last", "--attest", "p"), "--diff prints json or text"),
        (("--baseline", "none.json"), "none.json: No such file or directory"),
        (("--write-baseline", "none/x"), "no such folder; make it first"),
        (("--attest", "p", "--fail-on", "high"), "--attest with --fail-on; only a run of all checks is attested"),
        (("--attest", "p", "--profile", "solo"), "--attest with --profile; only a run of all checks is attested"),
        (("--attest", "p", "--baseline", "x"), "--attest with --baseline; only a run of all checks is attested"),
        (("--inventory", "hosts.yml", "--fix"), "--fix with --list, --explain or --inventory; it is for the host"),
        (("--inventory", "hosts.yml", "--fail-on", "high"), "--fail-on with --list, --explain or --inventory"),
    ],
)
def test_ways_that_contradict_each_other_are_refused_before_any_check_runs(machine, words, says):
    code, said = machine("check", *words)
    assert (code, says in said) == (2, True), said
    assert (machine.runs, machine.state.exists()) == (0, False)


def test_on_a_slow_machine_checks_and_commands_are_waited_for(machine):
    machine("check", "--patience", "20")
    assert machine.wish.patience == 20
    assert machine.host.ask("sleep", "0.2", timeout=0.1).code == 0
    machine("check")
    assert machine.wish.patience == 0
    with pytest.raises(CannotTell, match=r"sleep gave no answer in 0\.1 s"):
        machine.host.ask("sleep", "0.2", timeout=0.1)


def test_the_last_whole_run_is_compared_with_and_the_exit_code_is_the_whole_runs(machine):
    machine.results = (result("a-one", "ok"), result("b-one", "fail", "open"))
    code, said = machine("check", "--diff", "last")
    assert (code, said.splitlines()[0]) == (
        1, "there is no earlier whole run to compare with, so all that fails is new:"
    )  # fmt: skip
    code, said = machine("check", "--diff", "last")
    assert (code, "nothing changed" in said) == (1, True)
    machine("check", "--only", "ssh")
    machine.results = (result("a-one", "fail", "open"), result("b-one", "ok"))
    plain = json.loads(machine("check", "--diff", "last", "--json")[1])
    assert [(entry["id"], entry["kind"]) for entry in plain["changes"]] == [("a-one", "new"), ("b-one", "mended")]


def test_graded_by_another_profile_it_is_no_run_to_compare_with(machine):
    machine.report = lambda: Report(machine.results, profile="solo")
    machine("check", "--profile", "solo")
    assert machine("check", "--diff", "last")[1].startswith("there is no earlier whole run")


def test_a_baseline_is_written_for_nobody_else_and_names_what_it_does_not_know(machine):
    machine.results = (result("a-one", "fail", "open"), result("a-two", "fail", "open", severity="critical"))
    code, said = machine("check", "--write-baseline", "known.json")
    path = machine.folder / "known.json"
    assert (code, path.stat().st_mode & 0o777) == (1, 0o600)
    assert "what fails in 1 checks is known for 90 days; critical ones are not" in said
    assert list(json.loads(path.read_text())["known"]) == ["a-one"]


def hostkit(folder, *words, **more):
    command = [sys.executable, "-m", "hostkit", "check", "--only", "policy-secrets", *words]
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "HOSTKIT_STATE": str(folder / "state")}, **more)  # fmt: skip


def test_a_watch_says_what_changes_and_ctrl_c_ends_it_with_the_last_runs_code(tmp_path):
    policy = tmp_path / "hostkit.yml"
    policy.write_text(POLICY)
    with hostkit(tmp_path, "--watch", "5") as watch:
        try:
            first = [watch.stdout.readline() for _ in range(4)]
            assert first[0].startswith("ok")
            (tmp_path / "next.yml").write_text(POLICY + "# password: hunter22hunter22\n")
            (tmp_path / "next.yml").replace(policy)  # half a policy would be refused
            rows = [watch.stdout.readline() for _ in range(3)]
            assert "UTC  new      high     policy-secrets" in rows[0]
            assert "seen: line 4: a password" in rows[1]
            watch.send_signal(signal.SIGINT)
            said, errors = watch.communicate(timeout=20)
        finally:
            watch.kill()
    assert (watch.returncode, said, errors) == (1, "", "")
    assert not (tmp_path / "state" / "checks").exists()


def test_ctrl_c_before_any_answer_is_no_answer():
    def interrupted():
        raise SystemExit(130)

    with pytest.raises(SystemExit) as ended:
        watched(interrupted, 5)
    assert ended.value.code == 130


def test_what_stops_the_service_is_not_taken_for_ctrl_c():
    answers = iter([(Report(()), run(result()))])

    def check():
        for answer in answers:
            return answer
        raise SystemExit(143)

    with pytest.raises(SystemExit) as ended:
        watched(check, 0)
    assert ended.value.code == 143


def test_progress_is_for_a_terminal_only(tmp_path):
    (tmp_path / "hostkit.yml").write_text(POLICY)
    with hostkit(tmp_path) as check:
        _, errors = check.communicate(timeout=30)
    assert (check.returncode, errors) == (0, "")
