import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.rules import RulesError, parse
from tests.gateway.test_decide import RULES

GOOD = json.loads(RULES.to_json())


def test_what_was_written_is_read_back():
    assert parse(RULES.to_json()) == RULES


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"grant": []}, "rules.grant: unknown"),
        ({"version": 2}, "2 is not 1"),
        ({"generation": "1"}, "rules.generation: not int"),
        ({"generation": True}, "rules.generation: not int"),
        ({"grants": {}}, "rules.grants: not a list"),
        ({"grants": [{"name": "a", "post": []}]}, r"rules.grants\[0\].post: unknown"),
        ({"grants": [{"name": "a", "ports": [0]}]}, "a port is not between"),
        ({"grants": [{"name": "a", "networks": ["10.0.0.1/8"]}]}, "networks:"),
        ({"resolvers": ["localhost"]}, "rules.resolvers:"),
        ({"forwards": [{"name": "a", "port": 1, "local_port": 443}]}, "a port of the gateway's own"),
        ({"budget": 0}, "not negative"),
        ({"address": ""}, "rules.address"),
    ],
)
def test_rules_that_are_not_understood_are_refused_whole(change, says):
    with pytest.raises(RulesError, match=says):
        parse(json.dumps({**GOOD, **change}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1, "a": 2}', "{}"])
def test_a_file_that_holds_no_rules_is_refused(text):
    with pytest.raises(RulesError):
        parse(text)


@given(st.text(max_size=100))
def test_any_text_is_rules_or_the_typed_refusal(text):
    with pytest.raises(RulesError):
        parse(text)
