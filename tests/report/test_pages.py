"""The generated documents are what the code generates now: `make docs` writes them."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def docs():
    spec = importlib.util.spec_from_file_location("docs", ROOT / "scripts/docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_generated_document_is_current():
    assert docs().stale() == []


def test_the_readme_shows_the_whole_help():
    readme = docs().documents()[ROOT / "README.md"]
    assert "Usage: hostkit [OPTIONS] COMMAND [ARGS]..." in readme
    assert "..." not in readme.split("Commands:")[1].split("<!-- /help -->")[0]
