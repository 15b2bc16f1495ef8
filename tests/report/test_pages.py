"""The generated documents are what the code generates now."""

from pathlib import Path

from hostkit.report import checks_page, drills_page

DOCS = Path(__file__).parents[2] / "docs"


def test_docs_of_the_checks_are_current():
    assert (DOCS / "checks.md").read_text() == checks_page.page()


def test_docs_of_the_drills_are_current():
    assert (DOCS / "drills.md").read_text() == drills_page.page()
