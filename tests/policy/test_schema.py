import json

from hostkit.policy.schema import schema_text


def test_the_schema_knows_the_trust_levels_and_hides_the_path():
    schema = json.loads(schema_text())
    assert "path" not in schema["properties"]
    assert schema["$defs"]["Client"]["properties"]["trust"]["enum"][0] == "observer"
    assert schema["additionalProperties"] is False
