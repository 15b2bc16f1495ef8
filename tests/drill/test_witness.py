import json

import pytest

from hostkit.drill.model import Witness
from hostkit.drill.witness import Attempted, audited, collected, counted, denied, label, spellings

BASE = {"at": 10.0, "client": "acme", "event": "denied", "kind": "connect", "name": "mark.example"}
BASE |= {"rule": "not-listed", "from": "10.0.0.6"}
OURS = Attempted("mark", "acme", 5.0, "10.0.0.6")


@pytest.mark.parametrize("form", spellings("hk12ab"))
def test_the_collector_is_read_through_each_spelling(form):
    assert collected([f'{{"data": "x{form}y"}}'], "hk12ab")


@pytest.mark.parametrize(
    ("witness", "change", "seen"),
    [
        (Witness.gateway(), {}, True),
        (Witness.gateway(), {"client": "other"}, False),
        (Witness.gateway(), {"at": 1.0}, False),
        (Witness.gateway(), {"name": "else.example"}, False),
        (Witness.gateway("sni-mismatch"), {}, False),
        (Witness.gateway("not-listed"), {"name": "else.example"}, True),
        (Witness.gateway("not-listed"), {"from": "10.0.0.3"}, False),
        (Witness.gateway("not-listed"), {"from": None}, False),
        (Witness.request("not-listed"), {"name": f"{label('mark')}.service.example"}, True),
        (Witness.request("not-listed"), {"name": f"{label('another')}.service.example"}, False),
        (Witness.request("not-listed"), {"name": f"x{label('mark')}.service.example"}, False),
        (Witness.request("bad-chunk"), {"name": f"{label('mark')}.service.example"}, False),
        (Witness.request("not-listed", times=2), {"name": f"{label('mark')}.service.example"}, False),
        (Witness.dns(), {}, False),
        (Witness.dns(), {"kind": "dns"}, True),
    ],
)
def test_a_record_counts_only_for_its_own_attempt(witness, change, seen):
    assert denied(witness, [json.dumps({**BASE, **change})], OURS) is seen


def test_an_attempt_in_two_forms_wants_two_records_and_its_marker_is_in_neither():
    line = json.dumps({**BASE, "name": f"{label('mark')}.service.example"})
    assert denied(Witness.request("not-listed", times=2), [line, line], OURS)
    assert not collected([line], "mark")


@pytest.mark.parametrize("line", ["", "{", "[]", '"x"'])
def test_a_line_that_is_no_record_is_nobodys_witness(line):
    assert not denied(Witness.gateway(), [line], OURS)


def test_a_counter_or_log_that_cannot_be_read_is_not_an_answer():
    assert counted(None, 4) is None
    assert audited(Witness.audit("su"), None) is None
    assert counted(4, 5)
    assert not counted(4, 4)
    assert audited(Witness.audit("su"), ("type=EXECVE a0=su",))
