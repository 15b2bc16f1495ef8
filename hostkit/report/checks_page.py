"""docs/checks.md, written from the checks themselves: `python -m hostkit.report.checks_page > docs/checks.md`."""

import sys
from itertools import groupby

from hostkit.posture.model import Check, collect

_HEAD = """# Checks

`hostkit check` answers each of these with ok, fail, skip (not for this platform) or unknown (it could not be seen,
and unknown is never green). A probe sends something, a scan reads files by the gigabyte; `--skip probes,scans` leaves
them out. The column before the last names rules of others that ask for the same, the last holds the answers it may give
on a machine that nobody hardened; `make demo` compares them. This page is generated from `hostkit/posture/checks`.
"""
_COLUMNS = """\
| check | severity | it guarantees | why | what makes it true | asked for by | before bootstrap |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the whole page."""
    return _HEAD + "".join(_subject(name, tuple(found)) for name, found in groupby(collect(), key=lambda e: e.subject))


def _subject(name: str, checks: tuple[Check, ...]) -> str:
    return f"\n## {name.capitalize()}\n\n{_COLUMNS}{''.join(map(_row, checks))}"


def _row(entry: Check) -> str:
    said = f"{', '.join(entry.references)} | {', '.join(entry.unhardened)}"
    named = f"`{entry.id}`" + ("" if entry.kind == "reading" else f" ({entry.kind})")
    return f"| {named} | {entry.severity} | {entry.title} | {entry.why} | {entry.fix} | {said} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
