import time

import pytest

from hostkit.host import FileFacts
from hostkit.posture.checks import policy as subject
from tests.conftest import FakeHost, client, make_policy
from tests.machines.broken import HELD, Broken

PATH = "/etc/hostkit/hostkit.yml"
P = make_policy()


def holds(text):
    return FakeHost(files={PATH: f"version: 1\n{text}\n"})


def owned(mode, uid=0):
    return FakeHost(facts={PATH: FileFacts(mode, uid, 0, "file")})


class Blind(FakeHost):
    def stat(self, path):
        return self._told({}, path, path)


SIGNED = FakeHost(files={"/etc/hostkit/one.pdf": ""})
CASES = [
    (subject.policy_holds_no_secret, holds('token: {source: "env:SLACK_TOKEN"}'), P, "ok", "2 lines read"),
    (subject.policy_holds_no_secret, holds("token: xoxb-1234567890-abc"), P, "fail", "line 2: a Slack token"),
    (subject.policy_holds_no_secret, FakeHost(), P, "unknown", "not taught"),
    (subject.policy_is_closed_to_others, owned(0o640), P, "ok", "mode 0640"),
    (subject.policy_is_closed_to_others, owned(0o666), P, "fail", "mode 0666"),
    (subject.policy_is_closed_to_others, owned(0o600, 1000), P, "fail", "owner 1000"),
    (subject.policy_is_closed_to_others, FakeHost(), P, "fail", "is gone"),
    (subject.policy_is_closed_to_others, Blind(), P, "unknown", "not taught"),
    (subject.every_agreement_is_in_force, SIGNED, make_policy(clients={"acme": client()}), "ok", "1 clients"),
    (
        subject.every_agreement_is_in_force,
        SIGNED,
        make_policy(clients={"acme": client(permitted=False)}),
        "fail",
        "not permitted",
    ),
    (
        subject.every_agreement_is_in_force,
        SIGNED,
        make_policy(clients={"acme": client(expires="2020-01-01")}),
        "fail",
        "ends 2020-01-01",
    ),
    (
        subject.every_agreement_is_in_force,
        FakeHost(),
        make_policy(clients={"acme": client()}),
        "fail",
        "/etc/hostkit/one.pdf is not there",
    ),
    (subject.every_agreement_is_in_force, Blind(), make_policy(clients={"acme": client()}), "unknown", "not taught"),
]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("key: sk-ant-REDACTED", "an Anthropic key"),
        ("x: ghp_0123456789abcdefghijklmnop", "a GitHub token"),
        ("x: AKIA0123456789ABCDEF", "an AWS key id"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
        ("password: hunter2hunter2", "a password"),
        ("db_password: hunter2hunter2", "a password"),
        ('"password": "hunter2hunter2"', "a password"),
        ("url: postgres://ann:secret@db.example/x", "a URL with a password"),
    ],
)
def test_each_form_of_a_secret_is_named_and_its_value_is_not(text, kind):
    found = subject.policy_holds_no_secret(holds(text), P)
    assert kind in found.detail
    assert text.split(": ")[-1] not in found.detail


@pytest.mark.parametrize("text", ["password: env:DB_PASSWORD", "password: file:/etc/x/password", "password: ********"])
def test_a_reference_and_a_mask_are_no_secret(text):
    assert subject.policy_holds_no_secret(holds(text), P).status == "ok"


@pytest.mark.parametrize(
    "piece",
    ["a", "a:", "://a:", "://", "-----BEGIN ", "password ", "secret_key_", "sk-", "bearer ", "xox", "password: x "],
)
def test_a_line_of_a_megabyte_costs_what_it_is_long(piece):
    line = piece * (1_000_000 // len(piece))
    started = time.process_time()
    assert subject.policy_holds_no_secret(holds(line), P).status == "ok"
    assert (
        time.process_time() - started < 2.0
    )  # unbounded, the first took 25 s for 80,000 letters, and four times that for twice as many


SIGNED_BY_ACME = (
    "clients:\n  acme:\n    agreement: {permitted: true, document: acme.pdf, expires: 2099-01-01}\n"
    "    trust: observer\n    agent: {preset: shell}\n"
)
BROKEN = [
    Broken(subject.policy_holds_no_secret, HELD, "echo '# password: hunter2hunter2' >>/etc/hostkit/hostkit.yml",
           "a password"),
    Broken(subject.policy_is_closed_to_others, HELD, "chown nobody /etc/hostkit/hostkit.yml", "owner 65534"),
    Broken(subject.every_agreement_is_in_force, f"cat >/etc/hostkit/hostkit.yml <<'END'\nversion: 1\n"
           f"host: {{resolvers: [198.51.100.53]}}\n{SIGNED_BY_ACME}END\ntouch /etc/hostkit/acme.pdf",
           "rm /etc/hostkit/acme.pdf", "acme.pdf is not there"),
]  # fmt: skip
