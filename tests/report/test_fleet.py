"""One table for all hosts; whatever a host says, it is one line of text."""

import json

import pytest

from hostkit.errors import Exit
from hostkit.fleet.judge import Finding, Row
from hostkit.fleet.run import Hardened
from hostkit.fleet.ssh import UNREACHED, Said
from hostkit.posture.model import collect
from hostkit.report.fleet import outcome, rows_json, rows_text, worst

CHECKS = {entry.id: entry for entry in collect()}
NAMES = sorted(CHECKS)[:2]
HOSTILE = "up\x1b[2J\nmini-1  ok\u202e" + "x" * 5000


def finding(name, status, **more):
    return Finding(id=name, status=status, **more)


ROWS = (
    Row("mini-1", (finding(NAMES[0], "ok"), finding(NAMES[1], "fail", waived="because, until 2027-01-01"))),
    Row("mini-2", (finding(NAMES[0], "fail", detail=HOSTILE), finding("of-tomorrow", "unknown", detail="?"))),
    Row("mini-3", why=f"cannot be reached: {HOSTILE}"),
)


def test_each_host_has_its_line_and_each_failing_check_its_hosts_and_what_to_do():
    lines = rows_text(ROWS, CHECKS).splitlines()
    assert lines[0].split() == ["host", "state", "ok", "fail", "unknown", "waived", "skip"]
    assert lines[1].split() == ["mini-1", "ok", "1", "0", "0", "1", "0"]
    assert lines[2].split() == ["mini-2", "fail", "0", "1", "1", "0", "0"]
    assert lines[3].startswith("mini-3  unknown  cannot be reached: up")
    assert lines[5].split()[:2] == ["fail", NAMES[0]]
    assert lines[7].strip() == f"do: {CHECKS[NAMES[0]].fix}"
    assert lines[-1] == "3 hosts: 1 ok, 1 fail, 1 unknown"


def test_a_hosts_words_neither_colour_nor_forge_a_line_nor_fill_the_screen():
    text = rows_text(ROWS, CHECKS)
    assert not set(text) & {"\x1b", "\u202e", "\r"}
    assert max(map(len, text.splitlines())) < 600
    assert sum(line.startswith("mini-1") for line in text.splitlines()) == 1


def test_json_has_a_schema_version_the_exit_code_and_an_entry_for_each_host():
    plain = json.loads(rows_json(ROWS))
    assert (plain["schema_version"], plain["exit"]) == (1, 1)
    assert [(one["host"], one["state"]) for one in plain["hosts"]] == [
        ("mini-1", "ok"),
        ("mini-2", "fail"),
        ("mini-3", "unknown"),
    ]


DONE = "noise\n30 changed, 90 as they should be, 4 not needed\nmore\n"


@pytest.mark.parametrize(
    ("said", "kept", "dry", "told"),
    [
        (Said(0, DONE), Said(0), False, "stands: 30 changed, 90 as they should be"),
        (Said(0, "3 would change, 9 as they should be, 0 not needed\n"), None, True, "as predicted: 3 would change"),
        (Said(1, DONE), Said(UNREACHED, "", "ssh: timed out\n"), False, "does not stand: cannot be reached: ssh:"),
        (Said(1, DONE), Said(0), False, "does not stand: 30 changed"),
        (Said(2, "", "hostkit: no management interface is up\n"), None, False, "refused there: hostkit: no management"),
        (Said(3, DONE, "hostkit: a task failed\n"), None, False, "unknown: refused there: hostkit: a task failed"),
        (Said(UNREACHED, "", "ssh: no route\n"), None, False, "unknown: cannot be reached: ssh: no route"),
    ],
)  # fmt: skip
def test_a_bootstrap_ends_in_one_line_for_each_host(said, kept, dry, told):
    assert outcome(Hardened("mini-1", said, kept), dry=dry).startswith(told)


def test_a_fleet_is_as_good_as_its_worst_host():
    def code(*codes):
        return worst([Hardened("a", Said(one)) for one in codes])

    assert code(0, 0) is Exit.STANDS
    assert code(0, 3, 2, 1) is Exit.FOUND
    assert code(0, 3, 2) is Exit.REFUSED
    assert code(0, UNREACHED) is Exit.CANNOT_TELL
