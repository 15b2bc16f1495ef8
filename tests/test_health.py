import pytest

from hostkit.health import Fault, gateway_fault, remembered

RUNNING = {"Running": True, "Status": "running", "StartedAt": "1970-01-01T00:01:30.123456789Z"}
OPEN = {"container": RUNNING, "state": "open", "at": 100.0, "restarts": 0}
ENDED = {"Running": False, "Status": "exited", "ExitCode": 137}


def closed(why):
    return {**OPEN, "state": "closed", "why": why}


def test_an_open_gateway_that_speaks_and_was_proved_stands():
    assert gateway_fault(OPEN, 101.0, 95.0) is None
    assert gateway_fault(OPEN, 101.0, None) is None


@pytest.mark.parametrize(
    ("gateway", "says"),
    [
        (None, "its container is gone"),
        ({**OPEN, "container": ENDED}, "not running (exited, killed, exit 137); nothing leaves; run hostkit launch"),
        ({**OPEN, "container": {**ENDED, "OOMKilled": True}}, "out of memory"),
        (closed("rules.json: not JSON"), "closed: rules.json: not JSON; hostkit launch writes the rules anew"),
        (closed("the records' budget of 9 bytes is used up"), "used up; raise limits.records in the policy"),
        (closed("under 9 bytes are free for records"), "make room where the engine keeps its volumes"),
        (closed(""), "closed: no reason given"),
        ({**OPEN, "at": 90.0}, "has said nothing for 11 s"),
    ],
)
def test_a_gateway_that_does_not_stand_has_a_reason_and_what_to_do(gateway, says):
    fault = gateway_fault(gateway, 101.0, 95.0)
    assert fault.certain
    assert says in fault.why


def test_a_gateway_that_started_after_the_proof_is_not_proved_however_it_was_started():
    assert "restarted since its walls were proved" in gateway_fault(OPEN, 101.0, 89.0).why


def test_what_cannot_be_told_is_not_called_certain():
    unread = {**OPEN, "state": "unknown", "why": "its status cannot be read"}
    assert gateway_fault(unread, 101.0, 95.0) == Fault("its status cannot be read", certain=False)
    assert gateway_fault({**OPEN, "restarts": 1}, 101.0, None).certain is False


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clients": 1}'])
def test_a_state_that_is_not_understood_holds_no_client(text):
    assert remembered(text) == {}
