"""Whose key a request carries: ours in its places, and no other anywhere, each refusal by its rule."""

import base64

import pytest

from hostkit.gateway.inspect import credentials
from hostkit.gateway.inspect.credentials import carries, find, put, refuse_marks
from hostkit.gateway.marks import mark
from hostkit.gateway.requests import Denied
from hostkit.gateway.services import Credential, Service
from hostkit.secrets.placeholders import placeholder, shape

OWN = mark("acme")
HELD, SECOND, STALE = (placeholder(shape(text), "acme") for text in ("sk-", "xapp-", "sk-"))
OTHERS = placeholder(shape("sk-"), "globex")
CARRIERS = [
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-auth-token",
    "private-token",
    "x-access-token",
    "x-amz-security-token",
]
PLACES = (
    "header:authorization=Bearer {}",
    "header:x-api-key={}",
    "header:x-odd=Token token={};v=1",
    "query:key",
    "basic",
)
SERVICE = Service(
    "api", ("api.example",), (), (Credential("key", HELD, PLACES), Credential("second", SECOND, PLACES[:1]))
)
BARE = Service("bare", ("bare.example",), ())


def basic(pair):
    return "Basic " + base64.b64encode(pair.encode()).decode()


def look(*headers, query=(), service=SERVICE):
    return find(service, tuple((name.encode(), value.encode()) for name, value in headers), query, OWN)


def test_names_that_an_agent_makes_long_are_looked_at_and_not_remembered():
    credentials._remembered.cache_clear()
    service = Service("api", ("api.example",), (), (Credential("key", "held", ("header:x-key={}",)),))
    for number in range(50):
        assert carries(service, "header", f"x-{number}-" + "x" * 30_000 + "-token")
        assert not carries(service, "query", f"x-{number}-" + "x" * 30_000)
    assert credentials._remembered.cache_info().currsize == 0
    assert carries(service, "header", "x-key")
    assert credentials._remembered.cache_info().currsize == 1


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", f"Bearer {HELD}"),
        ("authorization", f"bearer {HELD}"),
        ("authorization", f"BEARER   {HELD} "),
        ("x-api-key", HELD),
        ("x-odd", f"token TOKEN={HELD};v=1"),
        ("authorization", basic(f"anybody:{HELD}")),
        ("authorization", basic(f"x:{HELD}").replace("Basic", "bASIC")),
        ("authorization", basic(f"{HELD}:")),
        ("authorization", basic(f"{HELD}:x-oauth-basic")),
    ],
)
def test_our_placeholder_is_found_in_each_declared_place_and_taken_out(header):
    held = look(("accept", "*/*"), header)
    assert held.credential is SERVICE.credentials[0]
    assert held.headers == ((b"accept", b"*/*"),)


def test_it_is_found_in_the_query_and_taken_out():
    held = look(query=(("a", "1"), ("key", HELD), ("key", HELD)))
    assert held.credential is SERVICE.credentials[0]
    assert held.query == (("a", "1"),)


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (("authorization", "Bearer sk-attackers-own"), "foreign-credential"),
        (("authorization", HELD), "stale-placeholder"),
        (("authorization", f"Token {HELD}"), "stale-placeholder"),
        (("authorization", f"Bearer {HELD}x"), "stale-placeholder"),
        (("authorization", f"Bearer {STALE}"), "stale-placeholder"),
        (("x-api-key", SECOND), "stale-placeholder"),
        (("authorization", f"Bearer {OTHERS}"), "other-client"),
        (("authorization", basic(f"x:{OTHERS}")), "other-client"),
        (("authorization", basic("x:ghp_attackers")), "foreign-credential"),
        (("authorization", basic(f"{HELD}:attackers")), "stale-placeholder"),
        (("authorization", "Basic !"), "foreign-credential"),
        (("authorization", ""), "foreign-credential"),
        (("api-key", HELD), "stale-placeholder"),
        *(((name, "attackers-own"), "foreign-credential") for name in CARRIERS),
    ],
)
def test_any_other_key_is_refused_by_what_it_is(header, rule):
    with pytest.raises(Denied) as caught:
        look(header)
    assert caught.value.rule == rule
    assert "attackers" not in caught.value.reason


@pytest.mark.parametrize("name", ["key", "KEY", "key[]", "access_token", "Api_Key", "oauth_token"])
def test_a_foreign_key_in_the_query_is_refused(name):
    with pytest.raises(Denied) as caught:
        look(("authorization", f"Bearer {HELD}"), query=((name, "AIza-attackers"),))
    assert caught.value.rule == "foreign-credential"


def test_two_different_keys_are_refused_and_one_of_them_twice_is_not():
    with pytest.raises(Denied, match="two different keys"):
        look(("authorization", f"Bearer {SECOND}"), ("x-api-key", HELD))
    assert look(("authorization", f"Bearer {HELD}"), ("x-api-key", HELD)).credential.secret == "key"


def test_a_service_without_keys_takes_none_in_a_header_and_minds_no_query():
    with pytest.raises(Denied) as caught:
        look(("authorization", "Bearer own"), service=BARE)
    assert caught.value.rule == "foreign-credential"
    assert look(query=(("key", "x"),), service=BARE).query == (("key", "x"),)


def test_what_is_known_of_a_heads_names_at_one_service_holds_at_no_other():
    names = (b"host", b"x-session-token", b"x-odd")
    headers = tuple((name, b"whose") for name in names)
    assert find(BARE, headers, (), OWN).headers == headers
    with pytest.raises(Denied, match="x-session-token holds a key") as caught:
        find(SERVICE, headers, (), OWN)
    assert caught.value.rule == "foreign-credential"
    assert find(BARE, headers, (), OWN).headers == headers


def test_long_names_of_a_head_are_not_remembered():
    credentials._remembered.cache_clear()
    for number in range(50):
        find(BARE, ((f"x-{number}-{'x' * 600}".encode(), b"1"),), (), OWN)
    assert credentials._remembered.cache_info().currsize == 0
    find(BARE, ((b"x-short", b"1"),), (), OWN)
    assert credentials._remembered.cache_info().currsize == 1


def test_the_placeholder_of_one_service_is_none_at_another():
    other = Service("other", ("other.example",), (), (Credential("third", STALE, PLACES[:1]),))
    for service in (other, BARE):
        with pytest.raises(Denied) as caught:
            look(("authorization", f"Bearer {HELD}"), service=service)
        assert caught.value.rule == "stale-placeholder"


def test_marks_of_others_are_an_alarm_and_ones_own_are_not():
    refuse_marks(HELD.encode(), OWN)
    with pytest.raises(Denied, match=mark("globex")) as caught:
        refuse_marks(b"x" + OTHERS.encode() + b"y", OWN)
    assert caught.value.rule == "other-client"
    assert OTHERS not in caught.value.reason


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (PLACES[0], (b"authorization", b"Bearer k")),
        (PLACES[1], (b"x-api-key", b"k")),
        ("header:x-api-key", (b"x-api-key", b"k")),
        ("basic", (b"authorization", b"Basic eC1hY2Nlc3MtdG9rZW46aw==")),
    ],
)
def test_the_key_goes_into_the_first_place(place, line):
    assert put(Credential("key", HELD, (place,)), "k", ((b"a", b"b"),)) == ((b"a", b"b"), line)


@pytest.mark.parametrize(
    "name",
    ["deploy-token", "x-jfrog-art-api-key", "dd-api-key", "x-api-token", "x-shopify-access-token", "x-authorization"],
)
def test_a_header_that_looks_like_a_keys_is_none_of_an_agents_own(name):
    with pytest.raises(Denied) as caught:
        look(("authorization", f"Bearer {HELD}"), (name, "another"))
    assert caught.value.rule == "foreign-credential"


@pytest.mark.parametrize("name", ["token", "bearer_token", "auth", "X-Amz-Signature", "sig", "client_secret"])
def test_so_is_a_field_of_the_query_that_does(name):
    with pytest.raises(Denied) as caught:
        look(("authorization", f"Bearer {HELD}"), query=((name, "another"),))
    assert caught.value.rule == "foreign-credential"


@pytest.mark.parametrize(
    "name",
    ["idempotency-key", "sec-websocket-key", "npm-auth-type", "npm-session", "x-csrf-token", "author", "monkey"],
)
def test_what_only_looks_so_passes(name):
    assert (name.encode(), b"v") in look(("authorization", f"Bearer {HELD}"), (name, "v")).headers
