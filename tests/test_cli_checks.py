"""hostkit check and hostkit attest from the command line: forms, files, history and proof."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from hostkit.cli import cli, main
from hostkit.errors import HostkitError
from hostkit.host import LocalHost
from hostkit.posture import history, proof
from hostkit.posture import run as posture_run
from hostkit.posture.run import Report
from tests.report.check.runs import EVERY, result

POLICY = "version: 1\nhost:\n  resolvers: [198.51.100.53]\n"
GOOD = (result("a-one", "ok", "fine"), result("b-one", "skip", "not here"))


class Machine:
    """hostkit in a folder of its own, on a machine whose checks say what they are told."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.state, self.results, self.runs = folder, folder / "state", GOOD, 0
        (folder / "hostkit.yml").write_text(POLICY)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("HOSTKIT_STATE", str(self.state))
        monkeypatch.setattr(posture_run, "run", self._run)
        monkeypatch.setattr(LocalHost, "is_root", True)
        monkeypatch.setattr(
            "hostkit.report.check.told.identify", lambda host: proof.Identity("mini-1", "a" * 32, "linux")
        )

    def _run(self, host, *_, wish, **__):
        self.runs, self.host, self.wish = self.runs + 1, host, wish
        return self.report()

    def report(self):
        return Report(self.results)

    def __call__(self, *words):
        """Return the exit code and what was printed; a refusal's sentence in place of it."""
        done = CliRunner().invoke(cli, list(words))
        if isinstance(done.exception, HostkitError):
            return int(done.exception.code), str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def attested(self, *words):
        """Return the exit code of the check that attests."""
        return self("check", "--attest", "proof.json", *words)[0]

    def verified(self, *words):
        """Return the exit code and what is said of proof.json by this host's own key."""
        (self.folder / "pub").write_text(self("attest", "key")[1])
        return self("attest", "verify", "proof.json", "--key", "pub", *words)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_each_form_is_printed_when_it_is_asked_for(machine):
    starts = {"text": "ok ", "json": "{", "sarif": "{", "junit": "<?xml", "ocsf": "{", "prometheus": "# HELP"}
    for form, start in {**starts, "html": "<!DOCTYPE html>"}.items():
        assert machine("check", "--format", form)[1].startswith(start)
    assert (
        json.loads(machine("check", "--json")[1]).keys() == json.loads(machine("check", "--format", "json")[1]).keys()
    )


def test_several_forms_are_written_beside_what_is_printed(machine):
    code, said = machine(
        "check", "--output", "sarif=x.sarif", "--output", "html=a=b.html", "--output", "prometheus=x.prom"
    )
    assert (code, said.splitlines()[-1]) == (0, "2 checks: 1 ok, 1 skip")
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in machine.folder.glob("*.*")
        if path.name != "hostkit.yml"
    }
    assert modes == {"x.sarif": 0o600, "a=b.html": 0o600, "x.prom": 0o644}
    assert json.loads((machine.folder / "x.sarif").read_text())["version"] == "2.1.0"
    assert all((machine.folder / name).read_bytes().endswith(b"\n") for name in modes)


def test_a_file_that_is_there_is_replaced_and_takes_the_forms_mode(machine):
    file = machine.folder / "x.json"
    file.write_text("old")
    file.chmod(0o666)
    machine("check", "--output", "json=x.json")
    assert json.loads(file.read_text())["schema_version"] == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--output", "x.json"),
            "no form and file; write it as FORM=FILE; forms: text|json|sarif|junit|ocsf|prometheus|html",
        ),
        (("--output", "yaml=x"), "no form and file"),
        (("--output", "json="), "no form and file"),
        (("--output", "json=none/x"), "no such folder; make it first"),
        (("--output", "json=link"), "is there and no plain file"),
        (("--output", "json=/dev/null"), "is there and no plain file"),
        (("--output", "json=x", "--output", "sarif=./x"), "twice; give each form a file of its own"),
        (("--json", "--format", "sarif"), "--json and --format sarif; give one"),
        (("--expires", "7d"), "--expires without --attest"),
        (("--attest", "p", "--only", "ssh"), "only a run of all checks is attested"),
        (("--attest", "p", "--skip", "probes"), "only a run of all checks is attested"),
        (("--attest", "p", "--expires", "91d"), "not a time up to 90 days; write it as 7d or 12h"),
        (("--attest", "link"), "is there and no plain file"),
        (("--attest", "x", "--output", "json=x"), "--attest and --output name"),
        (("--list", "--format", "sarif"), "print text or JSON"),
        (("--explain", "ssh-keys", "--output", "json=x"), "print text or JSON"),
        (("--inventory", "hosts.yml", "--attest", "p"), "print text or JSON"),
        (("--inventory", "hosts.yml", "--format", "html"), "print text or JSON"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_check_runs(machine, words, says):
    (machine.folder / "link").symlink_to("elsewhere")
    code, said = machine("check", *words)
    assert (code, says in said) == (2, True), said
    assert machine.runs == 0
    assert not machine.state.exists()


def test_a_disk_that_is_full_is_told_after_the_answers(machine, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hostkit.posture.written.replace", full)
    with pytest.raises(SystemExit) as ended:
        main(["check", "--output", "json=x.json"])
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out.splitlines()[-1] == "2 checks: 1 ok, 1 skip"
    assert "x.json: No space left on device; nothing was written there" in said.err


def test_each_run_is_kept_and_a_narrowed_one_says_so(machine):
    machine("check")
    machine("check", "--only", "ssh")
    machine("check", "--skip", "probes")
    assert [run.whole for run in history.runs(machine.state)] == [True, False, False]
    assert history.last(machine.state).answers == {"a-one": "ok", "b-one": "skip"}


def test_whoever_is_not_root_keeps_nothing(machine, monkeypatch):
    monkeypatch.setattr(LocalHost, "is_root", False)
    assert machine("check")[0] == 0
    assert not machine.state.exists()


def test_a_history_that_cannot_be_kept_changes_no_answer(machine):
    machine.state.write_text("a file where the folder should be")
    machine.results = EVERY
    code, said = machine("check")
    assert code == 1
    assert "hostkit: this run is not in the history: File exists" in said


def test_the_page_shows_the_runs_before_it(machine):
    machine("check")
    machine("check", "--only", "ssh")
    assert "The last 1 whole runs" in machine("check", "--format", "html")[1]


def test_a_proof_says_who_what_and_when_and_stands(machine):
    assert machine.attested("--output", "json=check.json") == 0
    assert stat.S_IMODE((machine.folder / "proof.json").stat().st_mode) == 0o600
    code, said = machine.verified("--results", "check.json")
    assert code == 0, said
    lines = dict(line.split(maxsplit=1) for line in said.splitlines())
    assert lines["host"].startswith("mini-1 (linux, machine aaaa")
    assert lines["found"].startswith("1 ok, 1 skip (check.json: sha256 ")
    assert lines["waivers"] == "in force: 0"
    assert lines["stands:"].startswith("it stands until ")


def test_a_proof_of_failures_is_made_and_does_not_stand(machine):
    machine.results = EVERY
    assert machine.attested() == 1
    code, said = machine.verified()
    assert (code, said.splitlines()[-1]) == (1, "does not stand: 1 of the checks failed")


def test_a_proof_of_what_could_not_be_seen_cannot_tell(machine):
    machine.results = (*GOOD, result("c-one", "unknown", "no root"))
    assert machine.attested() == 3
    assert machine.verified()[0] == 3


def test_a_proof_names_the_waivers_in_force(machine):
    until = datetime.now(UTC).date() + timedelta(days=30)
    waive = f"  waive:\n    ssh-keys: {{why: the office needs it, owner: ann, until: {until}}}\n"
    (machine.folder / "hostkit.yml").write_text(POLICY + waive)
    machine.attested()
    assert f"waivers in force: 1\n  ssh-keys until {until}: the office needs it" in machine.verified()[1]


def test_past_its_day_it_cannot_tell(machine, monkeypatch):
    machine.attested("--expires", "1h")
    monkeypatch.setattr(proof, "judge", lambda told, now, judge=proof.judge: judge(told, now + timedelta(hours=2)))
    code, said = machine.verified()
    assert code == 3
    assert "does not stand: it ran out at" in said


def test_another_hosts_key_another_run_and_an_altered_proof_are_found(machine):
    machine.attested("--output", "json=check.json")
    assert machine.verified("--results", "hostkit.yml")[0] == 1
    file = machine.folder / "proof.json"
    file.write_text(file.read_text().replace('"sig":"', '"sig":"AAAA', 1))
    assert machine.verified()[0] == 1
    machine.attested()
    (machine.state / "attest/key.pem").unlink()
    code, said = machine.verified()
    assert (code, "the signature is not that key's" in said) == (1, True)


def test_what_is_no_proof_is_bad_input(machine):
    machine.attested()
    file = machine.folder / "proof.json"
    file.write_bytes(file.read_bytes() + b"more")
    code, said = machine.verified()
    assert (code, "something behind it" in said) == (2, True)
    file.unlink()
    assert machine.verified() == (2, "proof.json: No such file or directory; give a file that you can read")


def test_with_a_clock_set_back_there_is_no_proof(machine):
    ahead = datetime.now(UTC) + timedelta(days=2)
    history.append(machine.state, history.Run(ahead, "0.1.0", True, {"ok": 1}, {"a-one": "ok"}))
    code, said = machine("check", "--attest", "proof.json")
    assert (code, "one of them is wrong; set the clock" in said) == (3, True)
    assert not (machine.folder / "proof.json").exists()
