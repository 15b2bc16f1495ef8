import re
from pathlib import Path

import pytest

from hostkit.drill.elsewhere import ELSEWHERE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("one", ELSEWHERE, ids=lambda one: one.test.partition("::")[2])
def test_what_no_probe_shows_names_a_test_that_exists_and_why(one):
    file, _, name = one.test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert one.what.endswith(".")
    assert one.why
