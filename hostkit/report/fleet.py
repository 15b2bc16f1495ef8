"""One table for all hosts, then what fails where; and a bootstrap of many as it goes."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from hostkit.errors import Exit
from hostkit.fleet import run
from hostkit.fleet.inventory import load
from hostkit.fleet.judge import Finding, Row, State, exit_code, silence
from hostkit.fleet.run import Hardened
from hostkit.posture.model import Check, collect
from hostkit.report.words import safe

SCHEMA_VERSION = 1
_COUNTED = ("ok", "fail", "unknown", "waived", "skip")
_SUMMARY = re.compile(r"\d+ (changed|would change), \d+ as they should be")


def check_all(path: Path, *, as_json: bool) -> Exit:
    """Check every host of an inventory and print what they say; raise HostkitError if the inventory is refused."""
    checks = {entry.id: entry for entry in collect() if entry.kind != "scan"}
    rows = run.check(load(path), checks.keys())
    click.echo(rows_json(rows) if as_json else rows_text(rows, checks))
    return exit_code(row.state for row in rows)


def rows_text(rows: Iterable[Row], checks: Mapping[str, Check]) -> str:
    """Return a line for each host, then each check that fails or is unknown somewhere, then the sum."""
    found = tuple(rows)
    width = max(len(row.name) for row in found) + 2
    head = f"{'host':<{width}}{'state':<9}" + "".join(f"{word:<9}" for word in _COUNTED)
    lines = [head.rstrip(), *(_line(row, width) for row in found), ""]
    lines += [line for status in ("fail", "unknown") for line in _findings(found, status, checks)]
    states = Counter(row.state for row in found)
    told = ", ".join(f"{states[state]} {state}" for state in State if states[state])
    return "\n".join([*lines, f"{len(found)} hosts: {told}"])


def _line(row: Row, width: int) -> str:
    start = f"{row.name:<{width}}{row.state:<9}"
    if row.why:
        return start + safe(row.why)
    counted = Counter(_word(entry) for entry in row.findings)
    return (start + "".join(f"{counted[word]:<9}" for word in _COUNTED)).rstrip()


def _word(entry: Finding) -> str:
    return "waived" if entry.waived else entry.status


def _findings(rows: tuple[Row, ...], status: str, checks: Mapping[str, Check]) -> list[str]:
    found: dict[str, list[tuple[str, Finding]]] = {}
    for row in rows:
        for entry in row.findings:
            if _word(entry) == status:
                found.setdefault(entry.id, []).append((row.name, entry))
    return [line for name in sorted(found) for line in _finding(name, status, found[name], checks.get(name))]


def _finding(name: str, status: str, seen: list[tuple[str, Finding]], check: Check | None) -> list[str]:
    title = check.title if check else "a check that this hostkit does not know"
    lines = [f"{status:<8} {name:<22} {title}"]
    lines += [f"{'':<8} {'':<22} {host}: {safe(entry.detail)}" for host, entry in seen]
    return [*lines, f"{'':<8} {'':<22} do: {check.fix}", ""] if check and status == "fail" else [*lines, ""]


def rows_json(rows: Iterable[Row]) -> str:
    """Return one object with a schema version, the exit code, and one entry per host."""
    found = tuple(rows)
    hosts = [
        {"host": row.name, "state": str(row.state), "why": row.why, "results": [e.model_dump() for e in row.findings]}
        for row in found
    ]
    code = int(exit_code(row.state for row in found))
    return json.dumps({"schema_version": SCHEMA_VERSION, "exit": code, "hosts": hosts}, indent=1)


def bootstrap_all(path: Path, options: tuple[str, ...], *, dry: bool) -> Exit:
    """Harden every host of an inventory, each line of theirs as it comes; then one line for each host."""
    targets = load(path)
    width = max(len(target.name) for target in targets)
    ended = run.bootstrap(targets, options, lambda name, line: click.echo(f"{name:<{width}} | {safe(line)}"), dry=dry)
    click.echo("\n" + "\n".join(f"{one.name:<{width}}  {safe(outcome(one, dry=dry))}" for one in ended))
    return worst(ended)


def outcome(one: Hardened, *, dry: bool) -> str:
    """Return how a host's bootstrap ended, in a line."""
    code, lines = one.said.code, one.said.out.splitlines()
    summary = next((line for line in lines if _SUMMARY.match(line)), "")
    if code == Exit.STANDS:
        return f"{'as predicted' if dry else 'stands'}: {summary or 'nothing was said of changes'}"
    if code == Exit.FOUND:
        why = f": {silence(one.kept)}" if one.kept and one.kept.code else ""
        return f"does not stand{why}" if why else "does not stand: " + (summary or "see above")
    return f"unknown: {silence(one.said)}" if code != Exit.REFUSED else silence(one.said)


def worst(ended: Iterable[Hardened]) -> Exit:
    """Return 1 if any host does not stand, else 2 if any refused, else 3 if any is not known to stand."""
    codes = {one.said.code for one in ended}
    if codes <= {Exit.STANDS}:
        return Exit.STANDS
    return next((code for code in (Exit.FOUND, Exit.REFUSED) if code in codes), Exit.CANNOT_TELL)
