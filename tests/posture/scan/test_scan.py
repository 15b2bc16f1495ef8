"""The real engine on real files and repositories; every secret is made up when the test runs."""

import json
import os
import secrets
import stat
import string
import subprocess

import pytest

from hostkit.errors import CannotTell
from hostkit.host import LocalHost
from hostkit.posture import readings, scan
from hostkit.posture.scan import history, kingfisher, store, tree
from hostkit.posture.scan.kingfisher import Scan
from hostkit.secrets import fingerprints

HOST = LocalHost()
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the scan needs root")
CAPITALS = string.ascii_uppercase + "234567"
LETTERS = string.ascii_letters + string.digits


def made(length, letters=LETTERS):
    """Return a random value; a test that asks for the rules' entropy gets it."""
    return "".join(secrets.choice(letters) for _ in range(length))


FORMS = {
    "aws-access-token": lambda: f"AWS_ACCESS_KEY_ID=AK{'IA'}{made(16, CAPITALS)}\nAWS_SECRET_ACCESS_KEY={made(40)}",
    "github-pat": lambda: "gh" + "p_" + made(36),
    "slack-bot-token": lambda: f"xo{'xb'}-{made(12, string.digits)}-{made(12, string.digits)}-{made(24)}",
    "dbt-profile": lambda: f"a:\n  dev:\n    type: snowflake\n    user: u\n    password: {made(18)}\n",
    "dbt-profile-above": lambda: f"a:\n  dev:\n    password: {made(18)}\n    user: u\n    type: databricks\n",
    "warehouse-url": lambda: f"snowflake://ann:{made(16)}@acme.eu-west-1/db",
    "warehouse-jdbc": lambda: f"jdbc:redshift://a.example:5439/dev?user=u&password={made(16)}",
    "warehouse-odbc": lambda: f"Driver=Simba;Server=a.example;UID=u;PWD={made(16)};",
    "snowflake-passphrase": lambda: f"private_key_passphrase = {made(16)}",
    "warehouse-variable": lambda: f"export PGPASSWORD={made(18)}",
    "snowsql": lambda: f"accountname = acme-x\nusername = u\npassword = {made(14)}\n",
    "pgpass": lambda: f"db.example:5432:sales:ann:{made(16)}",
    "databricks-token": lambda: f"[dapi{made(32, 'abcdef0123456789')}]",
    "slack-secret": lambda: f"SLACK_SIGNING_SECRET={made(32, 'abcdef0123456789')}",
    "slack-gov-webhook": lambda: f"https://hooks.slack-gov.com/services/T{made(8)}/B{made(8)}/{made(24)}",
}
NONE = (
    "type: snowflake\n    password: \"{{ env_var('DBT_PASSWORD') }}\"\n",
    "export PGPASSWORD=${PGPASSWORD}",
    "snowflake://ann:<password>@acme/db",
    "DBT_ENV_SECRET_TOKEN=$(cat /run/secrets/token)",
)


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """The engine compiles its rules once and keeps them: once for all of these tests."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(autouse=True)
def _state(rules, monkeypatch, tmp_path):
    monkeypatch.setattr(kingfisher, "state_directory", lambda: rules)
    monkeypatch.setattr("hostkit.engine.exists", lambda: False)


def git(folder, *words):
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True)


def repository(folder, **files):
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, **files)
    return folder


def commit(folder, **files):
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "c")


def test_each_form_is_found_where_it_is_and_nothing_is_told_of_what_is_none(tmp_path):
    for name, text in FORMS.items():
        (tmp_path / f"{name}.txt").write_text(f"# a line above\n{text()}\n")
    for number, text in enumerate(NONE):
        (tmp_path / f"none{number}").write_text(text)
    found = kingfisher.scanned(HOST, Scan((str(tmp_path),)))
    told = {(place.rule, place.path.rpartition("/")[2].removesuffix(".txt")) for place in found.places}
    assert {(name, name) for name in FORMS} - told == set()
    assert [path for _, path in told if path.startswith("none")] == []
    assert found.faults == ()


@pytest.mark.parametrize("name", ["b", "b c", "b*{x}[y]?"])
def test_what_is_skipped_is_not_entered_and_what_is_called_alike_is(tmp_path, name):
    for folder in (name, f"{name}d", "bcx"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_text(f"gh{'p_'}{made(36)}\n")
    found = kingfisher.scanned(HOST, Scan((str(tmp_path),), (f"{tmp_path}/{name}",)))
    assert {place.path for place in found.places} == {f"{tmp_path}/{name}d/x", f"{tmp_path}/bcx/x"}


def test_a_root_that_went_away_since_it_was_chosen_does_not_keep_the_others_from_being_read(tmp_path):
    (tmp_path / "log").write_text(f"gh{'p_'}{made(36)}\n")
    found = kingfisher.scanned(HOST, Scan((str(tmp_path / "log"), str(tmp_path / "log.1"))))
    assert [place.path for place in found.places] == [str(tmp_path / "log")]


def test_what_the_engine_makes_of_its_rules_is_not_told(tmp_path, rules):
    kingfisher.scanned(HOST, Scan((str(tmp_path),)))
    assert [path for path in rules.rglob("*") if path.is_file()] != []
    assert kingfisher.scanned(HOST, Scan((str(rules),))).places == ()


def test_neither_report_nor_store_nor_what_is_left_behind_holds_a_value(tmp_path, rules):
    value = made(36)
    repo = repository(tmp_path / "repo", a=f"gh{'p_'}{value}\n")
    entry = history.read(HOST, f"{repo}/.git")
    places, faults = scan._history(HOST, [entry])
    assert len(places) == 1, faults
    assert value not in repr(places)
    kept = store._path()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    left = [path for folder in (rules, kept.parent) for path in folder.rglob("*") if path.is_file()]
    assert kept in left
    assert [path for path in left if value.encode() in path.read_bytes()] == []
    assert list((tmp_path / "nothing").parent.glob("hostkit-scan-*")) == []


def test_the_same_value_has_the_same_fingerprint_in_a_file_and_a_commit(tmp_path):
    text = f"gh{'p_'}{made(36)}\n"
    repo = repository(tmp_path / "repo", a=text)
    entry = history.read(HOST, f"{repo}/.git")
    told = kingfisher.scanned(HOST, Scan(roots=(f"{repo}/a",), repositories=((entry, ()),)))
    assert len({place.fingerprint for place in told.places}) == 1
    assert {bool(place.commit) for place in told.places} == {True, False}


def test_a_secret_that_was_deleted_is_found_in_its_commit_and_a_commit_is_read_once(tmp_path, monkeypatch):
    repo = repository(tmp_path / "repo", a="nothing\n")
    asked = []
    real = kingfisher.scanned
    monkeypatch.setattr(kingfisher, "scanned", lambda host, wanted: asked.append(wanted) or real(host, wanted))

    def look():
        return scan._history(HOST, [history.read(HOST, f"{repo}/.git")])

    assert look() == ((), [])
    first = history.read(HOST, f"{repo}/.git").heads
    assert look() == ((), [])
    assert len(asked) == 1
    commit(repo, b=f"gh{'p_'}{made(36)}\n")
    (repo / "b").unlink()
    commit(repo)
    places, faults = look()
    assert (len(places), faults, places[0].path) == (1, [], f"{repo}/.git: b")
    assert asked[-1].repositories[0][1] == first
    assert look()[0] == places
    assert asked[-1].repositories[0][1] == ()  # where something was found, all is read until it is gone


def test_a_secret_that_was_rewritten_away_is_not_told_any_more(tmp_path):
    repo = repository(tmp_path / "repo", a="nothing\n")
    commit(repo, b=f"gh{'p_'}{made(36)}\n")
    assert len(scan._history(HOST, [history.read(HOST, f"{repo}/.git")])[0]) == 1
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    assert len(scan._history(HOST, [history.read(HOST, f"{repo}/.git")])[0]) == 1  # git still holds it
    git(repo, "reflog", "expire", "--expire=now", "--all")
    git(repo, "gc", "-q", "--prune=now")
    assert scan._history(HOST, [history.read(HOST, f"{repo}/.git")]) == ((), [])


def test_a_repository_that_cannot_be_read_is_said_and_not_remembered(tmp_path):
    repo = repository(tmp_path / "repo", a="nothing\n")
    for pack in (repo / ".git/objects").glob("??"):
        for thing in pack.iterdir():
            thing.chmod(0o600)
            thing.write_bytes(b"no object")
    places, faults = scan._history(HOST, [history.read(HOST, f"{repo}/.git")])
    assert (places, len(faults)) == ((), 1), faults
    assert store.known(scan._rules()) == {}


def test_a_repositorys_own_settings_and_hooks_start_nothing(tmp_path):
    repo = repository(tmp_path / "repo", a="nothing\n")
    trap = tmp_path / "ran"
    config = repo / ".git/config"
    config.write_text(config.read_text() + f'[core]\n\tfsmonitor = "touch {trap}"\n[alias]\n\tlog = "!touch {trap}"\n')
    assert scan._history(HOST, [history.read(HOST, f"{repo}/.git")]) == ((), [])
    assert not trap.exists()


def test_the_walls_leave_no_network_and_no_way_to_write(tmp_path):
    look = "cat /proc/self/status; ls /sys/class/net /proc/self/net; cat /proc/net/route; nice"
    said = list(
        HOST.pour(*kingfisher._WALLS, *kingfisher._NICE, "sh", "-c", look, timeout=20, codes=(0, 1, 2), environment={})
    )
    text = "".join(said)
    assert "NoNewPrivs:\t1" in text
    effective = int(text.partition("CapEff:\t")[2].partition("\n")[0], 16)
    assert effective == 1 << 2  # CAP_DAC_READ_SEARCH alone
    assert said[-1].strip() == "19"
    assert not any(line.startswith("eth") for line in text.partition("Iface")[2].splitlines())


def test_a_missing_engine_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CannotTell, match="is not installed"):
        kingfisher.scanned(HOST, Scan((str(tmp_path),)))


def test_the_key_is_the_owners_alone_and_two_hosts_have_two(tmp_path):
    one, two = fingerprints.key(tmp_path / "one"), fingerprints.key(tmp_path / "two")
    assert stat.S_IMODE((tmp_path / "one/fingerprint.key").stat().st_mode) == 0o600
    assert fingerprints.key(tmp_path / "one") == one
    assert fingerprints.of(b"x", one) == fingerprints.of(b"'x'\n", one) != fingerprints.of(b"x", two)
    (tmp_path / "one/fingerprint.key").chmod(0o644)
    with pytest.raises(CannotTell, match="only its owner reads"):
        fingerprints.key(tmp_path / "one")


def test_what_is_too_large_is_told_and_what_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "tree").mkdir()
    with (tmp_path / "tree/huge").open("wb") as file:
        file.truncate(tree.LARGEST + 1)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "tree/link").symlink_to(tmp_path)
    walk = tree.walked(HOST, (str(tmp_path / "tree"), "/not-there"))
    assert (walk.files, walk.roots) == (0, (str(tmp_path / "tree"),))
    assert walk.unread == (f"{tmp_path}/tree/huge is 1.0 GiB",)


def test_a_repository_is_seen_by_what_it_holds(tmp_path):
    repo = repository(tmp_path / "repo", a="x")
    (tmp_path / "objects").mkdir()
    walk = tree.walked(HOST, (str(tmp_path),))
    assert walk.repositories == (f"{repo}/.git",)


def test_hostkits_own_packages_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", f"{tmp_path}/own")
    for name in ("own", "own-not"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "example").write_text(FORMS["slack-bot-token"]())
    walk = tree.walked(HOST, (str(tmp_path),))
    found = kingfisher.scanned(HOST, Scan(walk.roots, walk.skipped)).places
    assert (walk.files, [place.path for place in found]) == (1, [f"{tmp_path}/own-not/example"])


def test_what_is_skipped_is_not_entered_and_nothing_else_is_skipped_for_its_name(tmp_path):
    odd = tmp_path / "a[b]{c,d}*?\\e"
    for folder in (odd, tmp_path / "ab", tmp_path / "a[b]{c,d}xy\\e", tmp_path / f"x{odd}"):
        folder.mkdir(parents=True)
        (folder / "example").write_text(FORMS["slack-bot-token"]())
    found = kingfisher.scanned(HOST, Scan((str(tmp_path),), (str(odd),))).places
    assert {place.path for place in found} == {
        f"{folder}/example" for folder in (tmp_path / "ab", tmp_path / "a[b]{c,d}xy\\e", tmp_path / f"x{odd}")
    }


def test_a_shallow_clone_is_read_again_each_time_for_older_commits_may_have_come(tmp_path):
    repo = repository(tmp_path / "repo", a=FORMS["slack-bot-token"]())
    (repo / "a").unlink()
    commit(repo, b="nothing")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", str(tmp_path / "clone"))
    path = f"{tmp_path}/clone/.git"
    assert scan._history(HOST, [history.read(HOST, path)]) == ((), [])
    git(tmp_path / "clone", "fetch", "-q", "--unshallow")
    places, faults = scan._history(HOST, [history.read(HOST, path)])
    assert ([place.path for place in places], faults) == ([f"{path}: a"], [])


def test_what_is_remembered_by_other_rules_or_is_garbage_is_forgotten():
    known = {"/a": store.Known(("c",), (kingfisher.Place("r", "p", 1, "f", "c"),))}
    store.keep("one", known)
    assert store.known("one") == known
    assert store.known("two") == {}
    store._path().write_text(json.dumps({"version": 1, "rules": "one", "repositories": {"/a": 3}}))
    assert store.known("one") == {}


def test_one_walk_serves_who_asks_twice(monkeypatch, policy):
    walks = []
    monkeypatch.setattr(tree, "chosen", lambda host, policy: walks.append(1) or ())
    readings.forget()
    assert scan.walked(HOST, policy) is scan.walked(HOST, policy)
    assert len(walks) == 1
