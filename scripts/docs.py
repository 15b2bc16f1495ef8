"""Write the generated documents; with --check, only say which of them are not current, and exit 1."""

import re
import sys
from pathlib import Path

from click.testing import CliRunner

from hostkit.cli import cli
from hostkit.policy.schema import schema_text
from hostkit.report import checks_page, drills_page
from hostkit.report.check import to_json

ROOT = Path(__file__).parents[1]
_HELP = re.compile(r"(<!-- help -->\n```\n).*?(```\n<!-- /help -->)", re.DOTALL)


def documents() -> dict[Path, str]:
    """Return each generated file and what it must hold."""
    readme = ROOT / "README.md"
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["--help"], prog_name="hostkit").output
    return {
        ROOT / "docs/checks.md": checks_page.page(),
        ROOT / "docs/drills.md": drills_page.page(),
        ROOT / "docs/check.schema.json": to_json.schema_text(),
        ROOT / "docs/policy.schema.json": schema_text(),
        readme: _HELP.sub(lambda match: match[1] + shown + match[2], readme.read_text(encoding="utf-8")),
    }


def stale() -> list[Path]:
    """Return the files that are not what the code generates now."""
    return [file for file, text in documents().items() if not file.exists() or file.read_text(encoding="utf-8") != text]


def main() -> int:
    """Write or check."""
    for file in stale():
        print(file.relative_to(ROOT))
        if "--check" not in sys.argv:
            file.write_text(documents()[file], encoding="utf-8")
        else:
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
