import json

import pytest

from hostkit.errors import CannotTell
from hostkit.gateway.marks import mark
from hostkit.launch.alarms import SHOWN, alarms, gathered

NOW = 1_800_000_000.0
TIME = "2027-01-15 08:00 UTC"
OTHERS = f"the placeholder of another client ({mark('globex')})"


def line(rule, event="denied", at=NOW, reason="", **more):
    return json.dumps({"at": at, "event": event, "rule": rule, "reason": reason, **more}).encode() + b"\n"


def test_a_placeholder_at_another_clients_gateway_is_an_alarm_for_both():
    said = alarms({"acme": line("other-client", reason=OTHERS) * 2, "globex": b""}, ("acme", "globex"), NOW)
    assert said == {
        "acme": (f"other-client: the placeholder of globex was used in this sandbox (2 times, last {TIME})",),
        "globex": (f"other-client: this client's placeholder was used in the sandbox of acme (2 times, last {TIME})",),
    }


def test_a_placeholder_of_nobody_that_is_known_is_an_alarm_where_it_was_seen():
    (said,) = alarms({"acme": line("other-client", reason=OTHERS)}, ("acme",), NOW)["acme"]
    assert said.startswith("other-client: the placeholder of a client not known here was used in this sandbox (once")


@pytest.mark.parametrize(
    ("rule", "event"),
    [
        ("foreign-credential", "denied"),
        ("stale-placeholder", "denied"),
        ("wrong-account", "denied"),
        ("answer-pin", "outcome"),
        ("odd-requests", "alarm"),
    ],
)
def test_each_other_alarm_is_told_where_it_was_seen_and_nowhere_else(rule, event):
    said = alarms({"acme": line(rule, event, at=NOW - 60) + line(rule, event)}, ("acme", "globex"), NOW)
    assert list(said) == ["acme"]
    assert said["acme"][0].startswith(f"{rule}: ")
    assert said["acme"][0].endswith(f"(2 times, last {TIME})")


@pytest.mark.parametrize(
    "record",
    [
        line("not-listed"),
        line("foreign-credential", "intent"),
        line("other-client", at=NOW - SHOWN - 1, reason=OTHERS),
        line("other-client", at=None),
        line("other-client", at="soon"),
        b'"other-client"\n',
        b'["other-client", {\n',
        line("other-client", at=float("nan")),
    ],
)
def test_what_is_none_or_is_old_or_no_record_is_passed_over(record):
    assert alarms({"acme": record}, ("acme",), NOW) == {}


def test_words_of_a_record_cannot_move_the_cursor_and_no_time_is_in_the_future():
    (said,) = alarms({"acme": line("x\x1b[2J\n", "alarm", at=float("inf"))}, ("acme",), NOW)["acme"]
    assert said == rf"x\x1b[2J\x0a: see its records (once, last {TIME})"


class FakeSession:
    """Two clients, the records of one of which cannot be read."""

    def __init__(self, data):
        self.data, self.engine, self.state = data, self, self

    def fetch(self, container, path, limit):
        if container not in self.data:
            raise CannotTell("gone")
        return self.data[container]

    def launched(self):
        return {"acme", "globex"}


def test_records_that_cannot_be_read_are_told_and_hide_nothing_that_others_say():
    said = gathered(FakeSession({"hostkit-acme-gateway": line("other-client", reason=OTHERS)}), ["acme", "globex"], NOW)
    assert len(said["acme"]) == 1
    assert [word.partition(":")[0] for word in said["globex"]] == [
        "other-client",
        "its gateway's records cannot be read, so what is in them is not told",
    ]
