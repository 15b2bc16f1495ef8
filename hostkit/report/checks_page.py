"""docs/checks.md, written from the checks themselves: `python -m hostkit.report.checks_page > docs/checks.md`."""

import sys
from itertools import groupby

from hostkit.posture.model import Check, collect

_HEAD = """# Checks

`hostkit check` answers each of these with ok, fail, skip (not for this platform) or unknown (it could not be seen,
and unknown is never green). The last column holds the answers it may give on a machine that nobody hardened; `make
demo` compares them. This page is generated from `hostkit/posture/checks`.
"""
_COLUMNS = """\
| check | severity | it guarantees | why | what makes it true | before bootstrap |
|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the whole page."""
    return _HEAD + "".join(_subject(name, tuple(found)) for name, found in groupby(collect(), key=lambda e: e.subject))


def _subject(name: str, checks: tuple[Check, ...]) -> str:
    rows = "".join(
        f"| `{e.id}` | {e.severity} | {e.title} | {e.why} | {e.fix} | {', '.join(e.unhardened)} |\n" for e in checks
    )
    return f"\n## {name.capitalize()}\n\n{_COLUMNS}{rows}"


if __name__ == "__main__":
    sys.stdout.write(page())
