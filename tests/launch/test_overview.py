import pytest

from hostkit.launch.overview import Row, judge, late

RUNNING = {"Running": True, "Status": "running", "StartedAt": "1970-01-01T00:01:30.123456789Z"}
OPEN = {"container": RUNNING, "state": "open", "at": 100.0, "restarts": 0}


def test_a_sandbox_whose_parts_all_run_stands():
    assert judge(RUNNING, OPEN, 101.0, 95.0) == ""


@pytest.mark.parametrize(
    ("agent", "gateway", "says"),
    [
        (RUNNING, None, "gateway: its container is gone"),
        (None, OPEN, "agent: its container is gone"),
        ({"Running": False, "Status": "exited", "OOMKilled": True, "ExitCode": 137}, OPEN, "agent: .*out of memory"),
    ],
)
def test_what_does_not_stand_is_named_with_its_reason(agent, gateway, says):
    import re

    assert re.search(says, judge(agent, gateway, 101.0, 95.0))


def test_a_row_that_does_not_stand_says_so_in_text_and_data():
    row = Row("acme", "analyst", "running", "exited", "gateway: killed", ("a note",))
    assert "DOES NOT STAND: gateway: killed" in row.as_text()
    assert row.as_dict()["stands"] is False


def test_what_a_gateway_says_of_itself_cannot_move_the_cursor_or_forge_a_line():
    forged = Row("acme", "analyst", "running", "running", "gateway: closed: \x1b[2Jx\nacme stands").as_text()
    assert forged.endswith(r"DOES NOT STAND: gateway: closed: \x1b[2Jx\x0aacme stands")


def test_certificates_that_end_within_a_day_are_told_with_what_to_do():
    from hostkit.secrets.authority import LEAF_LIFE

    last = LEAF_LIFE.total_seconds() - 86400
    entry = {"placeholders": {"bot": "x"}, "leaves": 1000.0}
    assert late("acme", entry, 1000 + last - 1) == ""
    assert "end within a day; hostkit gateway renew acme" in late("acme", entry, 1000 + last)
    assert late("acme", {"leaves": 0.0}, 10**9) == ""
