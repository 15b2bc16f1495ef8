import pytest

from hostkit.drill.lacking import PLAN_WALLS
from hostkit.drill.model import GROUPS, collect_all, source_of
from hostkit.drill.walls import DANGEROUS, WALLS

PROBES, CONTROLS = collect_all()
every_probe = pytest.mark.parametrize("probe", PROBES, ids=lambda entry: entry.id)


@every_probe
def test_every_probe_names_known_walls_and_a_witness(probe):
    assert set(probe.walls) <= set(WALLS) | DANGEROUS
    assert probe.witness.kind in {"gateway", "request", "dns", "bridge", "audit", "none"}
    assert probe.witness.kind != "none" or probe.witness.detail[0]


@every_probe
def test_every_probe_has_a_title_and_an_id_of_its_group(probe):
    assert probe.title.endswith((".", ")."))
    assert probe.id.startswith(probe.group + "-")


@every_probe
def test_every_probe_is_one_self_contained_function(probe):
    source = source_of(probe.attempt)
    compile(source, probe.id, "exec")
    assert "hostkit.drill" not in source


def test_what_an_attempt_calls_of_the_drill_goes_with_it_once_and_first():
    fronting = next(probe for probe in PROBES if probe.id == "requests-fronting")
    source = source_of(fronting.attempt)
    assert [source.count(f"def {name}(") for name in ("opened", "answer", "request", "good")] == [1, 1, 1, 1]
    assert source.index("def request(") < source.index("def fronting(")
    assert max(len(source_of(probe.attempt)) for probe in PROBES) < 32768


@pytest.mark.parametrize("wall", [*WALLS, *PLAN_WALLS])
def test_every_wall_has_a_probe(wall):
    assert any(wall in probe.walls for probe in PROBES)


def test_every_group_has_probes_and_one_control():
    assert {probe.group for probe in PROBES} == set(GROUPS)
    assert sorted(entry.group for entry in CONTROLS) == sorted(GROUPS)


def test_there_are_at_least_25_probes():
    assert len(PROBES) >= 25
