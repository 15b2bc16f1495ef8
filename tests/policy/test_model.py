import pytest
from pydantic import ValidationError

from hostkit.policy import Agent


def test_an_agent_is_an_image_or_a_preset_and_not_both():
    with pytest.raises(ValidationError, match="one of both"):
        Agent.model_validate_json("{}")
    with pytest.raises(ValidationError, match="one of both"):
        Agent.model_validate_json('{"preset": "shell", "image": "a"}')
