"""The JSON Schema of hostkit.yml, for editors."""

import json

from hostkit.policy.model import Policy


def schema_text() -> str:
    """Return the JSON Schema of the policy as text; equal policies of hostkit give equal text."""
    schema = Policy.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "hostkit.yml"
    schema["properties"].pop("path", None)
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
