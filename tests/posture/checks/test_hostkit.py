import dataclasses
import json
from pathlib import Path

import pytest

from hostkit import __version__
from hostkit.bootstrap.plays import plays, stamps
from hostkit.bootstrap.record import ABSENT, Record, Thing, as_json
from hostkit.host import FileFacts
from hostkit.posture import installed
from hostkit.posture.checks import hostkit as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
FOLDER, FILE = FileFacts(0o755, 0, 0, "directory"), FileFacts(0o644, 0, 0, "file")
FILES, LIBRARIES = subject.only_root_changes_hostkit, subject.hostkit_stands_on_what_is_locked
VERSION, STATE, RECORD = (
    subject.this_hostkit_hardened_this_host,
    subject.hostkits_state_is_roots,
    subject.bootstraps_record_is_whole,
)
CODE, SITE = installed.PACKAGE, installed.LIBRARIES


def code(**facts):
    known = {"host": f"{CODE}/host.py", "deep": f"{CODE}/posture/checks/ssh.py", "above": CODE.rpartition("/")[0],
             "library": f"{SITE}/yaml", "path": f"{SITE}/evil.pth", "policy": P.path,
             "fence": "/usr/local/lib/hostkit/fence", "unit": "/etc/systemd/system/hostkit-check.service"}  # fmt: skip
    told = {known[name]: fact for name, fact in facts.items()}
    return FakeHost(facts={CODE: FOLDER, f"{CODE}/host.py": FILE, "/": FOLDER, **told})


OPEN, THEIRS, LOOSE = (FileFacts(*facts) for facts in
                       ((0o666, 0, 0, "file"), (0o644, 1000, 1000, "file"), (0o777, 0, 0, "directory")))  # fmt: skip
FILES_CASES = [
    (FILES, code(), P, "ok", "paths"),
    (FILES, code(above=FileFacts(0o1777, 0, 0, "directory")), P, "ok", "paths"),
    (FILES, code(host=OPEN), P, "fail", "host.py: owner 0, mode 0666"),
    (FILES, code(deep=THEIRS), P, "fail", "checks/ssh.py: owner 1000"),
    (FILES, code(above=LOOSE), P, "fail", "mode 0777"),
    (FILES, code(above=FileFacts(0o775, 0, 50, "directory")), P, "fail", "mode 0775"),
    (FILES, code(library=LOOSE), P, "fail", "yaml: owner 0, mode 0777"),
    (FILES, code(path=THEIRS), P, "fail", "evil.pth: owner 1000"),
    (FILES, code(policy=THEIRS), P, "fail", "hostkit.yml: owner 1000"),
    (FILES, code(fence=OPEN), P, "fail", "/usr/local/lib/hostkit/fence"),
    (FILES, code(unit=OPEN), P, "fail", "hostkit-check.service"),
    (FILES, FakeHost(), P, "unknown", "is not there, where this very code runs from"),
]
LOCK = (
    "yaml-like==1.0 \\\n    --hash=sha256:00\nansible_core==2.19 ; python_full_version < '3.12'\nansible-core==2.21\n"
)


def libraries(*names, lock=LOCK):
    facts = {f"{SITE}/{name}.dist-info": FOLDER for name in names}
    return FakeHost(files={installed.LOCK: lock}, facts=facts)


GOOD = ("Yaml.Like-1.0", "ansible_core-2.19", "hostkit-0.1.0", "pip-23.0")
LIBRARIES_CASES = [
    (LIBRARIES, libraries(*GOOD), P, "ok", "4 libraries, together"),
    (LIBRARIES, libraries("yaml_like-1.1"), P, "fail", "yaml-like is 1.1"),
    (LIBRARIES, libraries(*GOOD, "evil-1.0"), P, "fail", "evil is not in the lock"),
    (LIBRARIES, libraries(*GOOD, lock=""), P, "unknown", "0 locked"),
    (LIBRARIES, libraries(), P, "unknown", "0 libraries seen"),
    (LIBRARIES, FakeHost(), P, "unknown", "came without its lock"),
]
INDEX = subject._INDEX
KEPT = Thing("30-ssh", "file", "/etc/a", {"kind": "file", "digest": "ab" * 32}, ABSENT)
WHOLE = Record((KEPT,), plays=stamps())


def recorded(record=WHOLE, *, text=None, digest=True, root=True, pending=False):
    told = {INDEX: as_json(record) if text is None else text}
    told |= {f"{INDEX.rpartition('/')[0]}/{'ab' * 32}": ""} if digest else {}
    told |= {"/run/hostkit/fence.pending": '{"at": 9.5, "over": "ssh"}'} if pending else {}
    return FakeHost(files=told, root=root)


OLD = {key: value for key, value in json.loads(as_json(WHOLE)).items() if key != "plays"}
RECORD_CASES = [
    (VERSION, recorded(), P, "ok", __version__),
    (VERSION, recorded(Record(plays={"30-ssh": stamps()["30-ssh"]})), P, "ok", "never run: 10-account"),
    (
        VERSION,
        recorded(dataclasses.replace(WHOLE, plays={**WHOLE.plays, "30-ssh": "0.0.9 abc"})),
        P,
        "fail",
        "30-ssh ran as 0.0.9 abc",
    ),
    (
        VERSION,
        recorded(dataclasses.replace(WHOLE, plays={**WHOLE.plays, "99-old": "0.0.9 abc"})),
        P,
        "fail",
        "is none now",
    ),
    (VERSION, recorded(text=json.dumps(OLD)), P, "fail", "names no version"),
    (VERSION, FakeHost(), P, "fail", "bootstrap never ran here"),
    (VERSION, recorded(root=False), P, "unknown", "root's to read"),
    (VERSION, recorded(text="{"), P, "unknown", "not readable"),
    (RECORD, recorded(), P, "ok", "1 things on record"),
    (RECORD, recorded(dataclasses.replace(WHOLE, running=True)), P, "fail", "cut short"),
    (RECORD, recorded(digest=False), P, "fail", "1 files that it replaced are not kept (abababababab)"),
    (
        RECORD,
        recorded(Record((dataclasses.replace(KEPT, sure=False),))),
        P,
        "fail",
        "may not be hostkit's own (/etc/a)",
    ),
    (RECORD, recorded(pending=True), P, "fail", "a fence waits"),
    (RECORD, FakeHost(), P, "fail", "bootstrap never ran here"),
    (RECORD, recorded(text='{"version": 1}'), P, "unknown", "not readable"),
    (RECORD, recorded(text="[" * 500_000), P, "unknown", "not readable"),
    (RECORD, recorded(text='{"version": 99}'), P, "unknown", "another version"),
    (RECORD, recorded(root=False), P, "unknown", "root's to read"),
]


def state(mode=0o700, uid=0, kind="directory", **more):
    return FakeHost(facts={"/var/lib/hostkit": FileFacts(mode, uid, 0, kind), "/var/lib": FOLDER, **more})


class Closed(FakeHost):
    def stat(self, path):
        return self._told({}, path, path)


STATE_CASES = [
    (STATE, state(), P, "ok", "mode 0700"),
    (STATE, state(0o750), P, "fail", "owner 0, mode 0750"),
    (STATE, state(uid=1000), P, "fail", "owner 1000"),
    (STATE, state(kind="link"), P, "fail", "is a link"),
    (STATE, state(**{"/var/lib": LOOSE}), P, "fail", "/var/lib: owner 0, mode 0777"),
    (STATE, FakeHost(), P, "fail", "bootstrap never ran here"),
    (STATE, Closed(), P, "unknown", "not taught"),
]
CASES = [*FILES_CASES, *LIBRARIES_CASES, *RECORD_CASES, *STATE_CASES]


def test_only_what_is_hostkits_own_is_closed_at_once():
    host = code(host=OPEN, above=LOOSE)
    assert FILES.mend(host, P)[1] == ("chmod", "go-w", "--", f"{CODE}/host.py")


def test_every_play_has_a_stamp_of_its_own_with_the_version():
    made = stamps()
    assert set(made) == {play.stem for play in plays()}
    assert len(set(made.values())) == len(made)
    assert all(told.startswith(f"{__version__} ") for told in made.values())


@pytest.mark.parametrize("changed", ["30-ssh.yml", "files/hostkit-fence", "distributions.yml"])
def test_a_stamp_changes_with_its_play_and_with_what_lies_beside_all(tmp_path, monkeypatch, changed):
    folder = tmp_path / "linux"
    (folder / "files").mkdir(parents=True)
    for name in ("30-ssh.yml", "50-journal.yml", "files/hostkit-fence", "distributions.yml"):
        (folder / name).write_text(name)
    monkeypatch.setattr("hostkit.bootstrap.plays.FOLDER", tmp_path)
    before = stamps()
    (folder / changed).write_text("other")
    after = stamps()
    assert before["30-ssh"] != after["30-ssh"]
    assert (before["50-journal"] == after["50-journal"]) == (changed == "30-ssh.yml")


def test_the_lock_that_is_shipped_is_read():
    wanted = installed.locked(Path(installed.LOCK).read_text())
    assert {"pyyaml", "pydantic", "ansible-core"} <= set(wanted)
    assert len(wanted["ansible-core"]) == 2


VENV = "/opt/hostkit/.venv/lib/python3.11/site-packages"
RAN = """
cat >/run/record.py <<'END'
import json, os
from hostkit.bootstrap.plays import stamps
os.makedirs("/var/lib/hostkit/bootstrap", 0o700, exist_ok=True)
os.chmod("/var/lib/hostkit", 0o700)
with open("/var/lib/hostkit/bootstrap/index.json", "w") as file:
    json.dump({"version": 1, "running": False, "plays": stamps(), "things": []}, file)
END
cd /opt/hostkit; .venv/bin/python /run/record.py; rm -f /run/hostkit/fence.pending
"""
KEPT_RECORD = "/var/lib/hostkit/bootstrap/index.json"
OWNED = "chown -R root:root /opt/hostkit; chmod -R go-w /opt/hostkit /etc/hostkit"
BROKEN = [
    Broken(FILES, OWNED, "chmod 0666 /opt/hostkit/hostkit/posture/checks/ssh.py", "checks/ssh.py: owner 0, mode 0666"),
    Broken(FILES, OWNED, "chown 1000 /opt/hostkit", "/opt/hostkit: owner 1000"),
    Broken(FILES, OWNED, "chmod 0777 /etc/hostkit", "/etc/hostkit: owner 0, mode 0777"),
    Broken(LIBRARIES, f"rm -rf {VENV}/evil-1.0.dist-info", f"mkdir {VENV}/evil-1.0.dist-info", "evil is not"),
    Broken(
        LIBRARIES, f"cd {VENV}; [ ! -e psutil-1.dist-info ] || mv psutil-1.dist-info $(cat /run/psutil)",
        f"cd {VENV}; echo psutil-*.dist-info >/run/psutil; mv psutil-*.dist-info psutil-1.dist-info", "psutil is 1",
    ),
    Broken(VERSION, RAN, f"sed -i 's/\"0.1.0 /\"0.0.9 /' {KEPT_RECORD}", "ran as 0.0.9"),
    Broken(RECORD, RAN, f"sed -i 's/\"running\": false/\"running\": true/' {KEPT_RECORD}", "cut short"),
    Broken(
        RECORD, RAN,
        "mkdir -p /run/hostkit; echo '{\"at\": 9.5, \"over\": \"ssh\"}' >/run/hostkit/fence.pending", "a fence waits",
    ),
    Broken(STATE, RAN, "chmod 0755 /var/lib/hostkit", "mode 0755"),
]  # fmt: skip
