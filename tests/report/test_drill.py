import json
from pathlib import Path

from hostkit.drill.judge import judge
from hostkit.drill.model import Missing, Trial, collect_all
from hostkit.report.drill import as_json, as_text, listing
from hostkit.report.drills_page import page

PROBES, _ = collect_all()


def outcomes():
    first, second = PROBES[:2]
    held = judge(
        first,
        Trial(first.held, witnessed=True),
        Trial(first.escaped, collected=True),
        {first.walls[0]: Trial(first.escaped)},
    )
    return held, judge(second, Trial(second.held), Missing("no second engine"))


def test_the_json_holds_every_probe_its_walls_and_the_exit_code():
    plain = json.loads(as_json("acme", outcomes()))
    assert (plain["client"], plain["exit"], len(plain["probes"])) == ("acme", 3, 2)
    assert plain["probes"][0]["walls"][0] == {"wall": PROBES[0].walls[0], "alone": False}


def test_the_text_says_why_and_which_wall_does_not_hold_alone():
    text = as_text("acme", outcomes())
    assert "NOT SHOWN HERE" in text
    assert "no second engine" in text
    assert f"{PROBES[0].walls[0]} does not hold alone" in text
    assert "2 without a witness" in text


def test_the_listing_names_every_probe():
    assert len(listing(PROBES).splitlines()) == len(PROBES)


def test_the_page_is_what_the_probes_say():
    stored = Path(__file__).parents[2] / "docs" / "drills.md"
    assert stored.read_text() == page(), "run python -m hostkit.report.drills_page > docs/drills.md"
