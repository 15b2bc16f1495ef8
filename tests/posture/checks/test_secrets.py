import json
import time

import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Process
from hostkit.posture.checks import secrets as subject
from hostkit.posture.trials import judged
from tests.conftest import FakeHost, client, make_policy
from tests.machines.broken import Broken

PASSWD = "root:x:0:0::/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\nhostkit-agent:x:990:990::/srv/agent:/x\n"
MOUNTS = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
P = make_policy()
GOOD = "Zq3vW8xNf2Lk7RtY5uHc9PbM"
PASS = "Password"  # a test's own text is a file too: what looks like a secret is put together when it runs


def with_secrets(*sources):
    """Return a policy whose clients take one secret each from these sources."""
    clients = {
        name: {**client(), "secrets": {"key": {"source": source}}}
        for name, source in zip(("acme", "bolt", "corp"), sources, strict=False)
    }
    return make_policy(clients=clients)


def finding(path, rule="aws-access-token", value="v", commit="", repository=""):
    git = {"git_metadata": {"commit": {"id": commit}, "repository_url": repository}} if commit else {}
    found = {"snippet": value, "path": path, "line": 7, **git}
    return json.dumps({"rule": {"id": f"kingfisher.{rule}"}, "finding": found})


def audit(status="completed", where="/etc"):
    entry = {"repository": where, "scan": {"status": status}, "stats": {"bytes_scanned": 10}, "git": {"tip_sha": "a"}}
    return json.dumps({"audit": {"repositories": [entry]}})


def scanned(*lines, files=None, facts=None, root=True, said=None):
    texts = {"/etc/passwd": PASSWD, "/proc/self/mountinfo": MOUNTS, **(files or {})}
    folders = {"/etc": FileFacts(0o755, 0, 0, "directory")}
    return FakeHost(
        files=texts, facts={**folders, **(facts or {})}, root=root, poured=lambda: [*lines, said or audit()]
    )


HUGE = {"/srv/dump.sql": FileFacts(0o600, 0, 0, "file", 3 * 1024**3)}
KEPT = {"/root/.ssh/id_ed25519": FileFacts(0o600, 0, 0, "file")}
OPEN = {"/root/.ssh/id_ed25519": FileFacts(0o644, 0, 0, "file")}
AGENTS = {"/srv/agent/id": FileFacts(0o600, 990, 990, "file")}
NAMED = with_secrets("file:/etc/hostkit/acme.key")
COMMIT = "ab" * 20
REPOSITORY = {"/srv/site/.git/HEAD": f"{COMMIT}\n", "/srv/site/.git/objects": "", "/srv/site/.git/refs": ""}
REFTABLE = {**REPOSITORY, "/srv/site/.git/reftable": ""}


def processes(*words, root=True):
    return FakeHost(processes=[Process(7, 1, "dbt\n", words, 0)], root=root)


def unit(text, path="/etc/systemd/system/a.service"):
    return FakeHost(files={path: text})


def held(*values, mode=0o600, uid=0, days=1.0, kind="file", root=True):
    """Return a host and a policy whose clients' secrets are these values, each in a file."""
    paths = [f"/etc/hostkit/{number}" for number in range(len(values))]
    facts = {path: FileFacts(mode, uid, 0, kind, 9, time.time() - days * 86400) for path in paths}
    folders = {"/etc/hostkit": FileFacts(0o700, 0, 0, "directory")}
    host = FakeHost(files=dict(zip(paths, values, strict=True)), facts={**facts, **folders}, root=root)
    return host, with_secrets(*(f"file:{path}" for path in paths))


def shared(*values, found=()):
    """Return a host and a policy as `held` does, where the scan finds these besides."""
    host, policy = held(*values)
    more = scanned(*found, files=host.files, facts=host.facts)
    return more, policy


def environment(text, uid=1000):
    return FakeHost(processes=[Process(7, 1, "dbt", ("dbt",), uid)], files={"/proc/7/environ": text})


HIDDEN = FakeHost(
    processes=[Process(7, 1, "dbt", ("dbt",), 1000)], facts={"/proc/7/environ": FileFacts(0o400, 1000, 0, "file")}
)


def container(**config):
    return {"containers": [{"Name": "/box", "Config": config}]}


FILES, COPIES, HISTORY = (
    subject.files_hold_no_secret,
    subject.no_copy_of_a_secret_is_left,
    subject.histories_hold_no_secret,
)
UNITS, PROCESSES = subject.units_hold_no_secret, subject.no_process_shows_a_secret
CONTAINERS = subject.no_container_was_made_with_a_secret
READABLE, AGE = subject.only_root_reads_the_secrets, subject.secrets_are_replaced_each_month
REUSE, STRENGTH = subject.no_secret_is_used_twice, subject.secrets_cannot_be_guessed
VARIABLE = with_secrets("env:TOKEN")
CASES = [
    (FILES, scanned(), P, "ok", "files read, 0 archives not unpacked"),
    (FILES, scanned(finding("/etc/app.env")), P, "fail", "/etc/app.env:7: aws-access-token #"),
    (FILES, scanned(finding("/etc/\x1b[2J\n.env")), P, "fail", "/etc/?[2J?.env:7"),
    (FILES, scanned(finding("/etc/hostkit/acme.key")), NAMED, "ok", ""),
    (FILES, scanned(finding("/etc/hostkit/acme.key")), P, "fail", "acme.key"),
    (FILES, scanned(finding("/root/.bash_history")), P, "ok", ""),
    (FILES, scanned(finding("/root/.ssh/id_ed25519", "private-key"), facts=KEPT), P, "ok", ""),
    (FILES, scanned(finding("/root/.ssh/id_ed25519", "aws-access-token"), facts=KEPT), P, "fail", "id_ed25519"),
    (FILES, scanned(finding("/root/.ssh/id_ed25519", "private-key"), facts=OPEN), P, "fail", "id_ed25519"),
    (FILES, scanned(finding("/srv/agent/id", "private-key"), facts=AGENTS), P, "fail", "/srv/agent/id"),
    (FILES, scanned(root=False), P, "unknown", "without root"),
    (FILES, scanned(facts=HUGE), P, "unknown", "not scanned: /srv/dump.sql is 3.0 GiB"),
    (FILES, scanned(finding("/etc/app.env"), facts=HUGE), P, "fail", "/etc/app.env"),
    (FILES, scanned(said=audit("partial", "/srv")), P, "unknown", "/srv was not read in full"),
    (FILES, scanned(said="{}"), P, "unknown", "did not say what it read"),
    (FILES, scanned(said="Segmentation fault"), P, "unknown", "report is not readable"),
    (FILES, scanned(), P, "unknown", "no answer of the engine", {"containers": CannotTell("no answer of the engine")}),
    (COPIES, scanned(finding("/etc/app.env")), P, "ok", "files read"),
    (COPIES, scanned(finding("/home/ann/.bash_history")), P, "fail", ".bash_history:7"),
    (COPIES, scanned(finding("/var/backups/app.env.old")), P, "fail", "/var/backups"),
    (COPIES, scanned(finding("/etc/id.bak", "private-key"), facts=KEPT), P, "fail", "/etc/id.bak"),
    (COPIES, scanned(root=False), P, "unknown", "without root"),
    (COPIES, scanned(facts=HUGE), P, "unknown", "3.0 GiB"),
    (
        COPIES,
        scanned(finding("/etc/app.env", value=GOOD), files={"/etc/hostkit/acme.key": f"{GOOD}\n"}),
        NAMED,
        "fail",
        "/etc/app.env:7",
    ),
    (HISTORY, scanned(), P, "ok", "0 repositories read"),
    (HISTORY, scanned(files=REPOSITORY), P, "ok", "1 repositories read"),
    (HISTORY, scanned(files=REFTABLE), P, "unknown", "reftable form"),
    (HISTORY, scanned(root=False), P, "unknown", "without root"),
    (HISTORY, scanned(finding("a.env", commit=COMMIT, repository="x"), files=REPOSITORY), P, "fail", "in ababababab:7"),
    (UNITS, unit("[Service]\nExecStart=/bin/true\n"), P, "ok", "1 read"),
    (UNITS, unit("[Service]\nEnvironment=DB_PASSWORD_FILE=/run/secrets/db\n"), P, "ok", "1 read"),
    (UNITS, unit(f"[Service]\nEnvironment=DB_{PASS}={GOOD}\n"), P, "fail", "a.service line 2: a password"),
    (
        UNITS,
        unit(f"[Service]\nEnvironment='API_KEY={GOOD}'\n", "/etc/systemd/system/a.service.d/x.conf"),
        P,
        "fail",
        "x.conf",
    ),
    (UNITS, unit(f"{PASS}={GOOD}\n", "/etc/environment"), P, "fail", "/etc/environment line 1"),
    (UNITS, unit(f"[Service]\nSetCredential=db:{GOOD}\n"), P, "fail", "a credential set in the open"),
    (UNITS, FakeHost(root=False), P, "unknown", "without root"),
    (UNITS, FakeHost(files={f"/etc/cron.d/{n}": "" for n in range(2001)}), P, "unknown", "too many"),
    (PROCESSES, processes("dbt", "run", "--password-file=/x"), P, "ok", "1 command lines read"),
    (PROCESSES, processes("dbt", f"--{PASS}={GOOD}"), P, "fail", "dbt? (7): a password"),
    (PROCESSES, processes("dbt", f"--{PASS}", GOOD), P, "fail", "dbt? (7): a password"),
    (PROCESSES, processes("curl", "-H", f"Authorization: Bearer {GOOD}"), P, "fail", "a bearer token"),
    (PROCESSES, processes("dbt", f"--{PASS}", "xxxxxxxxxxxx"), P, "ok", ""),
    (PROCESSES, processes("dbt", "a" * 70_000), P, "unknown", "over 64 KiB"),
    (PROCESSES, environment("PATH=/bin\0DB_PASSWORD_FILE=/run/x\0"), P, "ok", "1 command lines"),
    (PROCESSES, environment(f"A=1\0DB_{PASS}={GOOD}\0"), P, "fail", "dbt (7): a password in its environment"),
    (PROCESSES, environment(f"DB_{PASS}={GOOD}\0", uid=0), P, "ok", "1 command lines"),
    (PROCESSES, FakeHost(processes=[Process(7, 1, "gone", ("gone",), 1000)]), P, "ok", "1 command lines"),
    (PROCESSES, HIDDEN, P, "unknown", "environment of process 7 cannot be read"),
    (PROCESSES, environment("A" * 5_000_000), P, "unknown", "more environments than are read"),
    (PROCESSES, environment("A=1\0" * 300_000), P, "unknown", "more environments than are read"),
    (PROCESSES, processes("dbt", root=False), P, "unknown", "without root"),
    (CONTAINERS, FakeHost(), P, "ok", "0 containers"),
    (CONTAINERS, FakeHost(), P, "ok", "1 containers", container(Env=["PATH=/bin", "POSTGRES_PASSWORD_FILE=/x"])),
    (CONTAINERS, FakeHost(), P, "fail", "a password in its environment", container(Env=[f"POSTGRES_{PASS}={GOOD}"])),
    (CONTAINERS, FakeHost(), P, "fail", "a password in its command", container(Cmd=["serve", "--api-key", GOOD])),
    (CONTAINERS, FakeHost(), P, "fail", "a password in its labels", container(Labels={"secret": GOOD})),
    (CONTAINERS, FakeHost(), P, "unknown", "deaf", {"containers": CannotTell("the engine is deaf")}),
    (READABLE, *held(GOOD), "ok", "1 files"),
    (READABLE, FakeHost(), P, "ok", "0 files"),
    (READABLE, *held(GOOD, mode=0o640), "fail", "acme.key: /etc/hostkit/0 has owner 0, mode 0640"),
    (READABLE, *held(GOOD, uid=1000), "fail", "owner 1000"),
    (READABLE, *held(GOOD, kind="link"), "fail", "is a link"),
    (READABLE, FakeHost(), NAMED, "fail", "/etc/hostkit/acme.key is not there"),
    (READABLE, *held(GOOD, root=False), "unknown", "without root"),
    (AGE, *held(GOOD), "ok", "1 secrets"),
    (AGE, *held(GOOD, days=29.9), "ok", "1 secrets"),
    (AGE, *held(GOOD, days=31), "fail", "acme.key: written 31 days ago"),
    (AGE, *held(GOOD, days=-9), "fail", "in the future"),
    (AGE, FakeHost(), VARIABLE, "unknown", "acme.key: given by a variable"),
    (AGE, FakeHost(), NAMED, "unknown", "is not there"),
    (AGE, *held(GOOD, root=False), "unknown", "without root"),
    (REUSE, *shared(GOOD, GOOD[::-1]), "ok", "2 secrets"),
    (REUSE, *shared(GOOD, "b" + GOOD, f"{GOOD}\n"), "fail", "acme.key and corp.key are the same"),
    (REUSE, *shared(GOOD, found=[finding("/etc/hostkit/0", value=GOOD)]), "ok", "1 secrets"),
    (
        REUSE,
        *shared(GOOD, found=[finding("/srv/site/.env", value=GOOD)]),
        "fail",
        "/srv/site and acme.key are the same",
    ),
    (REUSE, scanned(finding("/srv/a/x"), finding("/opt/b/y")), P, "fail", "/opt/b and /srv/a are the same"),
    (REUSE, scanned(finding("/srv/a/x"), finding("/srv/a/y")), P, "ok", "0 secrets"),
    (REUSE, scanned(facts=HUGE), P, "unknown", "/srv/dump.sql is 3.0 GiB"),
    (REUSE, scanned(), VARIABLE, "unknown", "given by a variable"),
    (REUSE, *held(GOOD, kind="fifo"), "unknown", "no file that can be read"),
    (STRENGTH, *held(GOOD), "ok", "1 secrets"),
    (STRENGTH, *held("short"), "fail", "acme.key: has fewer than 24 characters"),
    (STRENGTH, *held("abcdefgh" * 4), "fail", "repeats itself"),
    (STRENGTH, *held("a1" * 20), "fail", "repeats itself"),
    (STRENGTH, *held("replace-me-with-your-token"), "fail", "is a placeholder"),
    (STRENGTH, FakeHost(), NAMED, "unknown", "no file that can be read"),
    (STRENGTH, FakeHost(), VARIABLE, "unknown", "given by a variable"),
]


@pytest.mark.parametrize(
    ("check", "host", "policy"),
    [
        (UNITS, unit(f"DB_{PASS}={GOOD}\n"), P),
        (PROCESSES, processes("dbt", f"--{PASS}={GOOD}"), P),
        (FILES, scanned(finding("/etc/app.env", value=GOOD)), P),
        (REUSE, *shared(GOOD, GOOD)),
        (STRENGTH, *held(GOOD[:12])),
    ],
    ids=lambda one: getattr(one, "id", ""),
)
def test_a_value_is_never_told(check, host, policy, monkeypatch):
    monkeypatch.setattr("hostkit.engine.exists", lambda: False)
    found = judged(check, host, policy)
    assert found.status == "fail"
    assert GOOD[:12] not in found.detail


def test_files_copies_and_histories_share_one_walk_and_one_scan_of_files(monkeypatch):
    monkeypatch.setattr("hostkit.engine.exists", lambda: False)
    runs = []
    host = scanned()
    host.readings["poured"] = lambda: runs.append(1) or [audit()]
    for check in (FILES, COPIES, HISTORY):
        assert judged(check, host, P).status == "ok"
    assert len(runs) == 1


def test_six_thousand_command_lines_are_read_in_time():
    words = [Process(n, 1, "worker", ("/usr/bin/worker", f"--shard={n}", "--secret_key_" * 9), 0) for n in range(6000)]
    started = time.monotonic()
    assert judged(PROCESSES, FakeHost(processes=words), P).status == "ok"
    assert time.monotonic() - started < 3.0


def test_three_thousand_environments_with_one_content_are_read_in_time():
    text = "\0".join(f"NAME{n}=/some/value/{n}" for n in range(60)) + "\0"
    words = [Process(n, 1, "worker", ("/usr/bin/worker",), 1000) for n in range(3000)]
    host = FakeHost(processes=words, files={f"/proc/{n}/environ": text for n in range(3000)})
    started = time.process_time()
    assert judged(PROCESSES, host, P).status == "ok"
    assert time.process_time() - started < 1.0


SECRET = "$(head -c 24 /dev/urandom | base64 | tr -d /+=)"
COMMITTED = r"""rm -rf /srv/site.git; mkdir -p /srv/site.git/refs/heads /srv/site.git/objects; cd /srv/site.git
echo "ref: refs/heads/main" > HEAD; cat > /tmp/commit.py <<'END'
import hashlib, os, sys, zlib
def put(kind, body):
    raw = kind + b" %d\0" % len(body) + body
    name = hashlib.sha1(raw).hexdigest()
    os.makedirs(f"objects/{name[:2]}", exist_ok=True)
    open(f"objects/{name[:2]}/{name[2:]}", "wb").write(zlib.compress(raw))
    return name
blob = put(b"blob", sys.argv[1].encode())
tree = put(b"tree", b"100644 a\0" + bytes.fromhex(blob))
who = "a <a@b.example> 1 +0000\n"
open("refs/heads/main", "w").write(put(b"commit", f"tree {tree}\nauthor {who}committer {who}\nc\n".encode()) + "\n")
END
"""
"""A repository with one commit, made without git: a host need not have it."""
KEYED = """
install -d -m 0700 /etc/hostkit/secrets
python3 -c 'print("Zq3vW8xNf2Lk7RtY5u" + "Hc9PbM")' >/etc/hostkit/secrets/token
chmod 0600 /etc/hostkit/secrets/token
cat >/etc/hostkit/hostkit.yml <<'END'
version: 1
host: {resolvers: [198.51.100.53]}
clients:
  acme:
    agreement: {permitted: true, document: acme.pdf, expires: 2099-01-01}
    trust: observer
    agent: {preset: shell}
    secrets: {token: {source: "file:/etc/hostkit/secrets/token"}}
END
"""
BROKEN = [
    Broken(subject.only_root_reads_the_secrets, KEYED, "chmod 0644 /etc/hostkit/secrets/token", "secrets/token"),
    Broken(
        subject.secrets_are_replaced_each_month, KEYED, "touch -d '40 days ago' /etc/hostkit/secrets/token", "40 days"
    ),
    Broken(subject.secrets_cannot_be_guessed, KEYED, "echo hunter2 >/etc/hostkit/secrets/token", "token"),
    Broken(
        FILES,
        "rm -f /etc/app.env",
        f'printf "type: snowflake\\n  password: %s\\n" "{SECRET}" > /etc/app.env',
        "/etc/app.env",
    ),
    Broken(COPIES, "rm -f /root/.bash_history", f'echo "export PGPASSWORD={SECRET}" > /root/.bash_history', "_history"),
    Broken(
        HISTORY,
        COMMITTED + "python3 /tmp/commit.py nothing",
        COMMITTED + f'python3 /tmp/commit.py "export PGPASSWORD={SECRET}"',
        "/srv/site.git: a in ",
    ),
    Broken(
        UNITS,
        "rm -f /etc/systemd/system/leak.service",
        f'printf "[Service]\\nEnvironment=DB_PASSWORD=%s\\n" "{SECRET}" > /etc/systemd/system/leak.service',
        "leak.service line 2: a password",
    ),
    Broken(
        PROCESSES,
        "systemctl stop leak 2>/dev/null || true; systemctl reset-failed leak 2>/dev/null || true",
        f'systemd-run -q --unit=leak sh -c "sleep 600; :" -- --api-key="{SECRET}"',
        "a password",
    ),
    Broken(
        PROCESSES,
        "systemctl stop leak 2>/dev/null || true; systemctl reset-failed leak 2>/dev/null || true",
        f'systemd-run -q --unit=leak --uid=nobody --setenv=DB_PASSWORD="{SECRET}" sleep 600',
        "a password in its environment",
    ),
    Broken(
        REUSE,
        "rm -rf /srv/one /srv/two",
        f'value="{SECRET}"; for n in one two; do mkdir -p /srv/$n; echo "PGPASSWORD=$value" > /srv/$n/env; done',
        "/srv/one and /srv/two are the same",
    ),
]
