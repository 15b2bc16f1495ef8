import dataclasses

import pytest

from hostkit.drill.lacking import PLAN_WALLS, lacking
from tests.launch.test_plan import PLAN


@pytest.mark.parametrize("wall", sorted(PLAN_WALLS))
def test_each_wall_can_be_taken_out_and_changes_the_plan(wall):
    twin = lacking(PLAN, wall)
    assert twin != PLAN
    assert dataclasses.replace(twin, agent=PLAN.agent, inside=PLAN.inside) == PLAN


def test_a_wall_that_is_not_known_is_not_taken_out_in_silence():
    with pytest.raises(KeyError, match="moat"):
        lacking(PLAN, "moat")
