"""docs/drills.md, written from the probes themselves: `python -m hostkit.report.drills_page > docs/drills.md`."""

import sys
from itertools import groupby

from hostkit.drill.elsewhere import ELSEWHERE
from hostkit.drill.model import Probe, collect_all
from hostkit.drill.walls import WALLS

_HEAD = """# Drills

`hostkit drill CLIENT` tries each of these from inside the client's sandbox, and again in a twin whose walls are taken
out. A probe counts as held only if it was held inside, its witness saw it, and it escaped in the twin. What is asked of
opened services is asked of one that the drill brings along, with keys and certificates of its own: no key of the client
is ever in a twin. This page is generated from `hostkit/drill`.
"""


def page() -> str:
    """Return the whole page."""
    probes, _ = collect_all()
    groups = [_group(name, tuple(entries)) for name, entries in groupby(probes, key=lambda entry: entry.group)]
    walls = "".join(f"| `{name}` | {means} |\n" for name, means in WALLS.items())
    shown = "".join(f"| {one.what} | {one.why} | `{one.test}` |\n" for one in ELSEWHERE)
    return (
        f"{_HEAD}\n{''.join(groups)}## Walls\n\n| wall | taken out, it means |\n|---|---|\n{walls}\n"
        f"## Shown by a test instead\n\n| what | why no probe shows it | test |\n|---|---|---|\n{shown}"
    )


def _group(name: str, probes: tuple[Probe, ...]) -> str:
    rows = "".join(
        f"| `{entry.id}` | {entry.title} | {', '.join(entry.walls)} | {entry.witness} |\n" for entry in probes
    )
    return f"## {name.capitalize()}\n\n| probe | what is tried | walls | witness |\n|---|---|---|---|\n{rows}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
