"""Every security invariant names a test that is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def test_there_are_invariants():
    assert len(NAMED) >= 20


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda word: word)
def test_an_invariant_is_guarded_by_a_test_that_exists(file, name):
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
