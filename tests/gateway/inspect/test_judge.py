"""A request's head against a service: route, key, ticket and pins; each refusal by its rule, alarms first."""

import dataclasses

import pytest

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.fields import parse_json
from hostkit.gateway.inspect.judge import (
    Request,
    judge,
    judge_answer_body,
    judge_answer_head,
    judge_body,
    service_of,
    without_key,
)
from hostkit.gateway.marks import mark
from hostkit.gateway.requests import Denied
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import Credential, Pin, Route, Service
from tests.gateway.inspect.lab import CREDENTIAL, HELD, OTHERS

OWN = mark("acme")
BEARER = (b"authorization", f"Bearer {HELD}".encode())
TEAM = Pin("query", "team", ("T1",), required=True)
ROUTES = (
    Route(("GET",), "/v1/x", credential="key"),
    Route(("POST",), "/v1/body", credential="key", pins=(Pin("body", "model", ("m-*",), required=True),)),
    Route(("GET",), "/v1/team", credential="key", pins=(TEAM, Pin("header", "X-Org", ("O1",)), Pin("query", "owner"))),
    Route(("GET",), "/ws", ticket="socket", socket=True),
    Route(("PUT",), "/up/**", ("files.example",), ticket="upload"),
)
SERVICE = Service("api", ("api.example", "files.example"), ROUTES, (CREDENTIAL,))


def ask(target, method="GET", host="api.example", headers=(BEARER,), upgrade=False, issued=lambda *_: False):
    return judge(SERVICE, Request(method, host, target, tuple(headers), upgrade), OWN, issued)


def rule(target, **more):
    with pytest.raises((Denied, BadRequest)) as caught:
        ask(target, **more)
    return caught.value.rule


def test_what_is_listed_may_go_on_by_its_route():
    allowed = ask("/v1/%78?a=1")
    assert (allowed.path, allowed.route, allowed.found.credential) == ("/v1/x", ROUTES[0], CREDENTIAL)


@pytest.mark.parametrize(
    ("wanted", "target", "more"),
    [
        ("path-not-listed", "/v1/y", {}),
        ("path-not-listed", "/v1/x/", {}),
        ("path-not-listed", "/V1/x", {}),
        ("path-not-listed", "/up/a", {"method": "PUT"}),
        ("path-unclear", "/v1/../x", {}),
        ("method-not-listed", "/v1/x", {"method": "POST"}),
        ("method-not-listed", "/v1/x", {"method": "get"}),
        ("upgrade", "/v1/x", {"upgrade": True}),
        ("upgrade", "/ws", {}),
        ("credential-missing", "/v1/x", {"headers": ()}),
        ("foreign-credential", "/v1/x", {"headers": ((b"authorization", b"Bearer own"),)}),
        ("foreign-credential", "/ws", {"upgrade": True}),
        ("no-ticket", "/ws", {"upgrade": True, "headers": ()}),
        ("no-ticket", "/up/a", {"method": "PUT", "host": "files.example", "headers": ()}),
        ("override", "/v1/x", {"headers": (BEARER, (b"x-http-method-override", b"DELETE"))}),
        ("override", "/v1/x", {"headers": (BEARER, (b"x_http_method_override", b"DELETE"))}),
        ("override", "/v1/x", {"headers": (BEARER, (b"x-original-url", b"/admin"))}),
        ("override", "/v1/x?_method=DELETE", {}),
    ],
)
def test_what_is_not_is_refused_by_its_rule(wanted, target, more):
    assert rule(target, **more) == wanted


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/v1/x", (BEARER, (b"x-note", f"a {OTHERS} b".encode()))),
        ("/v1/x", (BEARER, (OTHERS.lower().encode(), b"1"))),
        (f"/v1/x?q={OTHERS}", (BEARER,)),
        ("/v1/x?q=" + "".join(f"%{ord(letter):x}" for letter in OTHERS), (BEARER,)),
        (f"/not/listed/{OTHERS}", ()),
        ("/not/listed", ((b"authorization", f"Bearer {OTHERS}".encode()),)),
        ("/v1/../x", ((b"x-api-key", OTHERS.encode()),)),
    ],
)
def test_another_clients_placeholder_is_an_alarm_wherever_it_stands_and_whatever_else_is_wrong(target, headers):
    assert rule(target, headers=headers) == "other-client"


WRONG = "team=T2&; ;team=T1&team=T2;team=T1&TEAM=T2;team=T1&team[]=T2;team=T1&%20team=T2;team=T1&owner=x;team=T1&owner"


@pytest.mark.parametrize("query", WRONG.split(";"))
def test_a_query_that_breaks_a_pin_is_refused_in_every_spelling_of_its_name(query):
    assert rule(f"/v1/team?{query.strip()}") == "pin"


def test_a_header_that_breaks_a_pin_is_refused_its_repetitions_too():
    assert rule("/v1/team?team=T1", headers=(BEARER, (b"x-org", b"O2"))) == "pin"
    assert rule("/v1/team?team=T1", headers=(BEARER, (b"x-org", b"O1"), (b"x-org", b"O2"))) == "pin"
    assert ask("/v1/team?team=T1", headers=(BEARER, (b"x-org", b"O1"))).route is ROUTES[2]


def test_a_body_that_breaks_a_pin_is_refused():
    allowed = ask("/v1/body", method="POST")
    judge_body(allowed, {"model": "m-1"})
    for body in ({}, {"model": "x"}, {"model": "m-1", "MODEL": "x"}, {"model": ["m-1", "x"]}, None):
        with pytest.raises(Denied) as caught:
            judge_body(allowed, body)
        assert caught.value.rule == "pin"


def test_a_ticket_is_good_for_its_very_address():
    seen = []
    allowed = ask(
        "/up/a?x=1", method="PUT", host="files.example", headers=(), issued=lambda *said: seen.append(said) or True
    )
    assert allowed.route is ROUTES[4]
    assert seen == [("upload", "files.example/up/a?x=1")]


def test_an_answer_of_another_account_is_refused_in_each_of_its_headers_and_fields():
    pins = (Pin("header", "x-org", ("O1",), required=True), Pin("body", "team", ("T1",), required=True))
    judge_answer_head(pins, ((b"x-org", b"O1"),))
    judge_answer_body(pins, {"team": "T1"})
    wrong = [(judge_answer_head, headers) for headers in ((), ((b"x-org", b"O1"), (b"x-org", b"O2")))]
    for look, said in [
        *wrong,
        *((judge_answer_body, body) for body in ({}, {"team": "T2"}, None, [], parse_json(b"null"))),
    ]:
        with pytest.raises(Denied) as caught:
            look(pins, said)
        assert caught.value.rule == "answer-pin"


def test_a_key_in_the_query_goes_out_of_it_and_the_rest_stays():
    credential = Credential("key", HELD, ("header:x-api-key={}", "query:key"))
    service = dataclasses.replace(SERVICE, credentials=(credential,))
    request = Request("GET", "api.example", f"/v1/x?a=%20b&key={HELD}&c=%26", ())
    bare = without_key(request, judge(service, request, OWN, lambda *_: False).found)
    assert bare.target == "/v1/x?a=+b&c=%26"


def test_an_exact_host_goes_before_a_pattern_and_another_host_has_no_service():
    wide, near = Service("wide", ("*.example",), ()), Service("near", ("api.example",), ())
    rules = Rules("acme", 1, "127.0.0.1", services=(wide, near))
    assert service_of(rules, "api.example") is near
    assert service_of(rules, "x.example") is wide
    assert service_of(rules, "example") is None
    assert service_of(None, "api.example") is None
