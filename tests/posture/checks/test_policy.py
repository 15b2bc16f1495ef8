import pytest

from hostkit.host import FileFacts
from hostkit.posture.checks import policy as subject
from tests.conftest import FakeHost, client, make_policy

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
        ("url: postgres://ann:secret@db.example/x", "a URL with a password"),
    ],
)
def test_each_form_of_a_secret_is_named_and_its_value_is_not(text, kind):
    found = subject.policy_holds_no_secret(holds(text), P)
    assert kind in found.detail
    assert text.split(": ")[-1] not in found.detail
