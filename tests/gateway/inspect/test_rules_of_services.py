"""Rules whose services could not be judged, keyed or counted as they say are refused whole."""

import dataclasses

import pytest

from hostkit.gateway.rules import Grant, Rules, RulesError, parse
from hostkit.gateway.services import Budget, Credential, Route, Service

SERVICE = Service(
    "api",
    ("api.example",),
    (Route(("GET",), "/v1/**", credential="key"),),
    (Credential("key", "held", ("header:authorization=Bearer {}", "query:key", "basic")),),
    sets=("OpenAI-Organization: org 1",),
    drops=("Cookie",),
    base="api",
)


def rules(**changed):
    service = dataclasses.replace(SERVICE, **changed)
    return Rules("acme", 1, "127.0.0.1", (Grant("api.example"), Grant("*.api.example")), services=(service,))


def with_places(*places):
    return {"credentials": (Credential("key", "held", places),)}


def test_what_the_policy_compiles_is_read_back_unchanged():
    for place in ("header:x-key", "header:x-key={}", "header:authorization=Token token={}", "basic"):
        written = rules(**with_places(place))
        assert parse(written.to_json()) == written
    assert parse(rules().to_json()) == rules()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (with_places(), "header to leave in"),
        (with_places("query:key"), "header to leave in"),
        (with_places("header:X-Key={}"), "no place for a key"),
        (with_places("header:x-key=Bearer"), "no place for a key"),
        (with_places("header:x-key={}\r\nx: y"), "no place for a key"),
        (with_places("basic", "cookie:a"), "no place for a key"),
        ({"routes": (Route(("GET",), "/x", credential="other"),)}, "no credential other"),
        ({"routes": (Route((), "/x"),)}, "without a method or a path"),
        ({"routes": (Route(("GET",), "x"),)}, "without a method or a path"),
        ({"hosts": ("*.api.example",)}, "leads to a pattern"),
        ({"hosts": ()}, "no host"),
        ({"sets": ("X: a\r\nY: b",)}, "is no header"),
        ({"sets": ("X:a",)}, "is no header"),
        ({"drops": ("X Y",)}, "is no header"),
        ({"drops": ("Content-Length",)}, "content-length is the gateway's own"),
        ({"sets": ("Transfer-Encoding: chunked",)}, "transfer-encoding is the gateway's own"),
        ({"sets": ("Host: other.example",)}, "host is the gateway's own"),
        (with_places("header:connection={}"), "connection is the gateway's own"),
        ({"budgets": (Budget("requests", "week", 1),)}, "is no budget"),
        ({"budgets": (Budget("wishes", "day", 1),)}, "is no budget"),
    ],
)
def test_what_could_not_be_done_is_refused(changed, why):
    with pytest.raises(RulesError, match=why):
        parse(rules(**changed).to_json())


def test_a_clients_budget_is_looked_at_too():
    with pytest.raises(RulesError, match="is no budget"):
        parse(dataclasses.replace(rules(), budgets=(Budget("requests", "hour", 1),)).to_json())
