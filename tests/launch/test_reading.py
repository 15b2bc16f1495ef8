import json
import re

import pytest

from hostkit.launch.reading import denials, denied_lines, safe
from hostkit.policy.load import parse


def test_what_an_agent_wrote_cannot_move_the_cursor_or_forge_a_line():
    assert safe("a\x1b[2Jb\x00\u202e") == "a\\x1b[2Jb\\x00\\x202e"
    assert safe("x" * 3000).endswith(" [cut]")


def denied(name, port=443, rule="not-listed"):
    return json.dumps({"event": "denied", "name": name, "port": port, "rule": rule}).encode() + b"\n"


def policy_with(line):
    return parse(f"""\
version: 1
host: {{resolvers: [198.51.100.53]}}
clients:
  acme:
    agreement: {{permitted: true, document: one.pdf, expires: 2099-01-01}}
    trust: observer
    agent: {{preset: shell}}
    egress:
      - {{name: "*.wild.example"}}
      - {{name: db.example, raw: 5432}}
      {line}
""")


class Session:
    """A client whose gateway says what it is told to say."""

    def __init__(self, data, state="open", why=""):
        self.data, self.status = data, {"container": {"Running": True}, "state": state, "why": why, "at": 9e9}
        self.engine = self

    def fetch(self, container, path):
        return self.data

    def gateway_status(self, client):
        return self.status

    def kept(self, client):
        return {}


def test_denials_are_counted_by_name_and_each_has_the_line_that_would_allow_it():
    noise = b'not json\n[1]\n{"event": "intent", "name": "ok.example", "port": 443}\n'
    lines = denied_lines(Session(denied("evil.example") * 2 + noise), "acme", suggest=True)
    assert lines[0].split() == ["2", "evil.example:443", "not-listed"]
    assert "allow with: - {name: evil.example}" in lines[1]
    assert len(lines) == 2


def test_one_name_has_one_line_that_would_allow_all_of_its_ports():
    data = denied("a.example", 80) + denied("b.example") * 4 + denied("a.example", 8443) + denied("a.example", 53)
    lines = denials(data, suggest=True)
    assert [line.split()[1] for line in lines if "allow" not in line] == [
        "b.example:443",
        "a.example:80",
        "a.example:8443",
        "a.example:53",
    ]
    assert sum("allow with: - {name: a.example, ports: [80, 8443]}" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (denied("new.example", 53), "- {name: new.example}"),
        (denied("new.example", 5432), "- {name: new.example, ports: [5432]}"),
        (denied("a.wild.example", 8443, "port-not-listed"), "- {name: a.wild.example, ports: [8443]}"),
        (denied("db.example", 443), "- {name: db.example}"),
    ],
)
def test_what_is_suggested_is_what_policy_check_accepts_beside_raw_and_wildcard_lines(data, line):
    suggested = re.search(r"allow with: (- \{[^}]*\})", denials(data, suggest=True)[1])[1]
    assert suggested == line
    assert policy_with(suggested).clients["acme"].egress[2].name


def test_a_name_that_was_only_looked_up_has_the_raw_form_too():
    raw = re.search(r"- \{.*\}", denials(denied("new.example", 53), suggest=True)[2])[0]
    assert policy_with(raw.replace("PORT", "5433")).clients["acme"].egress[2].raw == 5433


@pytest.mark.parametrize(
    "name",
    [
        "x,networks:[10.0.0.0/8]",
        "x} # ",
        "*.evil.example",
        "a b",
        "",
        "one",
        "f00.embedded.invalid\n- evil",
        "a_b.example",
    ],
)
def test_no_line_is_suggested_for_letters_that_the_policy_would_read_otherwise_or_not_at_all(name):
    assert "allow with" not in "".join(denials(denied(name), suggest=True))


def test_a_closed_gateway_says_first_why_and_what_to_do():
    full = Session(b"", "closed", "the records' budget of 9 bytes is used up")
    (line,) = denied_lines(full, "acme", suggest=False)
    assert line.startswith(
        "gateway: closed: the records' budget of 9 bytes is used up; raise limits.records in the policy"
    )


def test_a_flood_of_names_does_not_flood_the_reader():
    lines = denials(b"".join(denied(f"n{number}.example") for number in range(1000)), suggest=False)
    assert (len(lines), lines[-1]) == (201, "and 800 names more")


def test_what_proofs_and_drills_ask_for_is_one_line_and_never_suggested():
    data = denied("0123456789abcdef.gateway.invalid", 53) + denied("x.unlisted.drill.invalid")
    assert denials(data, suggest=True) == ["     2  names below .invalid, which the proofs and drills ask for"]


def test_what_is_opened_is_told_by_method_and_path_and_a_flood_of_paths_is_counted():
    opened = {"event": "denied", "name": "slack.com", "port": 443, "rule": "path-not-listed", "method": "POST"}
    lines = [json.dumps({**opened, "path": f"/api/{number}"}) for number in range(25)] + [
        json.dumps({**opened, "path": "/api/admin.users.invite"})
    ] * 2
    first, *rest = denials("\n".join(lines).encode(), suggest=False)
    assert first == "     2  slack.com:443  path-not-listed  POST /api/admin.users.invite"
    assert (len(rest), rest[-1]) == (20, "        and 6 kinds more of slack.com")
