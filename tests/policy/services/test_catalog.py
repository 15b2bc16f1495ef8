import pytest

from hostkit.gateway.rules import Rules, parse
from hostkit.policy.services.catalog import FOLDER, KINDS, form, parsed
from hostkit.policy.services.compile import budgets, grants
from hostkit.policy.services.line import ServiceLine
from tests.policy.services.kit import LEVELS, LINES, client, opened

GOOD = """\
about: "a service"
takes: {team: {shape: "T.+"}}
keys: {secret: {shape: {prefix: key-, length: 40}}}
parts:
  - hosts: [a.example, b.example]
    places: {secret: [basic]}
    routes:
      - {level: observer, methods: [GET], hosts: [a.example], paths: ["/$team/*"]}
"""


def test_each_kind_has_its_file_and_each_file_its_kind():
    assert sorted(KINDS) == sorted(file.stem for file in FOLDER.glob("*.yml")) == sorted(LINES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_and_key_of_a_file_is_one_that_a_line_can_give(kind):
    assert {*form(kind).takes, *form(kind).keys} <= set(ServiceLine.model_fields)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_gateway_understands_every_service_at_every_level(kind, level):
    acme, services = client(LINES[kind], level), opened(LINES[kind], level)
    rules = Rules("acme", 1, "10.231.0.2", grants=grants(acme), services=services, budgets=budgets(acme))
    assert parse(rules.to_json()) == rules


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "generic"])
def test_every_request_wants_the_clients_key_unless_its_address_is_a_ticket_or_names_the_account(kind):
    keyless = {one.path for service in opened(LINES[kind], "deployer") for one in service.routes if not one.credential}
    known = {"slack": {"/upload/**", "/link", "/link/", "/actions/T0123/**", "/commands/T0123/**"}}
    assert keyless == known.get(kind, {"/acme/dbt/**"} if kind == "github" else set())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("about:", "abuot:"), "abuot"),
        (("level: observer", "level: observr"), "observer"),
        (("/$team/*", "/$tema/*"), r"\$tema is used and not taken"),
        (("/$team/*", "team/*"), "is no path"),
        (("/$team/*", "/a/../b"), "is no path"),
        (("/$team/*", "/a//b"), "is no path"),
        (("/$team/*", "/**/b"), "stands at the end only"),
        (("[basic]", "['header:Authorization={}']"), "is no place"),
        (("[basic]", "['cookie:a']"), "is no place"),
        (("[basic]", "['query:key', basic]"), "a key leaves in a header, not in query:key"),
        (("length: 40", "length: 20"), "20 letters are too few for key- and a mark of 34"),
        (("{secret: [basic]}", "{app_secret: [basic]}"), "app_secret has a place and is no key"),
        (("{secret: [basic]}", "{}"), "secret has no place"),
        (("hosts: [a.example]", "hosts: [c.example]"), "c.example is none of the hosts"),
        (("methods: [GET]", "methods: [GET], ticket: url"), "nothing issues url"),
        (('about: "a service"', "about: a\nabout: b"), "repeated"),
    ],
)
def test_each_mistake_in_a_file_is_refused(change, says):
    parsed(GOOD)
    with pytest.raises(ValueError, match=says):
        parsed(GOOD.replace(*change))
