"""Recorded requests, judged by another policy: what would change, and nothing more."""

import json

import pytest

from hostkit.launch.plan import rules_alone
from hostkit.launch.replay import Asked, Change, replay, verdict
from tests.launch.test_keys import POLICY

RULES = rules_alone(POLICY, "acme")
POST = {"name": "slack.com", "port": 443, "method": "POST", "path": "/api/chat.postMessage", "kind": "request"}


def line(event="intent", rule="x", **fields):
    return json.dumps({"client": "acme", "event": event, "rule": rule, **fields})


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        (("slack.com", 443, "POST", "/api/auth.test"), ""),
        (("slack.com", 443, "POST", "/api/admin.users.list"), "path-not-listed"),
        (("slack.com", 443, "DELETE", "/api/auth.test"), "method-not-listed"),
        (("slack.com", 443, "GET", "/api/../x"), "path-unclear"),
        (("slack.com", 80, "", ""), "port-not-listed"),
        (("other.example", 443, "", ""), "not-listed"),
        (("slack.com", 0, "", ""), ""),
        (("other.example", 0, "", ""), "not-listed"),
    ],
)
def test_each_kind_of_request_is_judged_as_the_gateway_would(asked, rule):
    assert verdict(Asked(*asked), RULES) == rule


def test_only_what_would_end_otherwise_is_told_with_how_often_it_was_asked():
    allowed = line(name="gone.example", port=443, kind="connect")
    denied = line("denied", "path-not-listed", **{**POST, "path": "/api/auth.test"})
    same = [line(**{**POST, "path": "/api/auth.test"}), line("denied", "not-listed", name="b.example", port=443)]
    judged, changes = replay([allowed, allowed, denied, *same], "acme", RULES)
    assert judged == 5
    assert changes == (
        Change(Asked("gone.example", 443, "", ""), 2, "", "not-listed"),
        Change(Asked("slack.com", 443, "POST", "/api/auth.test"), 1, "path-not-listed", ""),
    )


@pytest.mark.parametrize("rule", ["foreign-credential", "pin", "too-slow", "over-budget", "plain-http", "closed"])
def test_what_was_denied_for_what_no_record_holds_is_not_called_allowed(rule):
    assert replay([line("denied", rule, **{**POST, "path": "/api/auth.test"})], "acme", RULES) == (0, ())


def test_what_is_no_record_of_this_client_is_passed_over():
    lines = ["", "no json", "[1]", line("outcome", **POST), json.dumps({**POST, "client": "globex", "event": "intent"})]
    assert replay(lines, "acme", RULES) == (0, ())
